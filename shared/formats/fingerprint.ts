import { wordlist } from '@scure/bip39/wordlists/english.js'
import type { PublicJwk } from '../domain/algorithms.ts'
import { digest, fromBase64url, sha256, toHex } from './bytes.ts'
import { canonicalText } from './json.ts'

/** How people compare digests: hex in groups of four, and 24 numbered words. Leading zeros always stay. */

/** RFC 7638 SHA-256 thumbprint of a public key: 43 base64url characters. Every `kid` in Keyrite is one. */
export function thumbprint(jwk: PublicJwk): string {
  if (jwk.kty === 'RSA') return digest(canonicalText({ e: jwk.e, kty: jwk.kty, n: jwk.n }))
  if (jwk.kty === 'EC') return digest(canonicalText({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }))
  return digest(canonicalText({ crv: jwk.crv, kty: jwk.kty, x: jwk.x }))
}

/** Sixteen groups of four upper-case hex digits, from a 43-character digest. */
export function hexGroups(digest43: string): string[] {
  return toHex(fromBase64url(digest43)).toUpperCase().match(/.{4}/g) ?? []
}

/** The first two groups, for places where the whole is shown elsewhere. */
export const shortHex = (digest43: string): string => hexGroups(digest43).slice(0, 2).join(' ')

/** Four groups and four words, for a line of the record: enough to be read aloud and recognised. */
export const spoken = (digest43: string): string =>
  `${hexGroups(digest43).slice(0, 4).join(' ')} …, words ${words(digest43).slice(0, 4).join(' ')} …`

/**
 * 24 words from the BIP-39 English list: 256 bits of the digest and 8 bits of its own SHA-256 as a check, 11 bits a word.
 * The list is only a well-chosen vocabulary here; nothing is derived from the words.
 */
export function words(digest43: string): string[] {
  const bytes = fromBase64url(digest43)
  const bits = [...bytes, sha256(bytes)[0] ?? 0].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{11}/g) ?? []).map((index) => wordlist[Number.parseInt(index, 2)] ?? '')
}
