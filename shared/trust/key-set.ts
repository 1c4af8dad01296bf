import { importJWK } from 'jose'
import type { PublicJwk } from '../domain/algorithms.ts'
import { lintKey, modulusOf } from '../domain/lint.ts'
import { isKeyriteError } from '../errors.ts'
import { publicJwkSchema } from '../formats/common.ts'
import { KB, parseAs, parseJson } from '../formats/json.ts'
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from '../formats/trust-policy.ts'
import { Denied, demand } from './reasons.ts'

/** A JWK Set (RFC 7517 section 5) of a stranger: what of it may verify tokens. */

export type TrustedKey = {
  readonly jwk: PublicJwk
  /** The one algorithm that the key names; any that fits it where it names none. */
  readonly alg: TokenAlgorithm | null
  readonly imported: Map<TokenAlgorithm, Promise<CryptoKey>>
}
export type KeySet = ReadonlyMap<string, TrustedKey>

export const JWKS_MAX_BYTES = 256 * KB
const MAX_KEYS = 50
const MAX_KID = 256
/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4. Whoever publishes one of them publishes more by mistake than this key. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const CURVES: readonly unknown[] = ['P-256', 'P-384', 'Ed25519']

/** Parses `jwks.json`. Throws `Denied` with `key-set-invalid`. */
export function parseKeySet(bytes: Uint8Array): KeySet {
  let parsed: unknown
  try {
    parsed = parseJson(bytes, { maxBytes: JWKS_MAX_BYTES, maxDepth: 8 })
  } catch (error) {
    if (isKeyriteError(error)) throw new Denied('key-set-invalid', 'it is not strict JSON')
    throw error
  }
  return makeKeySet(isObject(parsed) ? parsed['keys'] : undefined)
}

/**
 * The keys of a set by their kid. Keys for other uses, types and algorithms are left out (RFC 7517 section 5); one key
 * that is private, weak, without a kid or with another's refuses the whole set. Throws `Denied` with `key-set-invalid`.
 */
export function makeKeySet(keys: unknown): KeySet {
  demand(Array.isArray(keys) && keys.length <= MAX_KEYS, 'key-set-invalid', `it is no list of at most ${MAX_KEYS} keys`)
  const set = new Map<string, TrustedKey>()
  for (const key of keys) {
    demand(isObject(key), 'key-set-invalid', 'one of its keys is no JSON object')
    demand(!PRIVATE_MEMBERS.some((name) => Object.hasOwn(key, name)), 'key-set-invalid', 'it holds a private key')
    if (!isForTokens(key)) continue
    const { kid, alg } = key
    demand(
      typeof kid === 'string' && kid !== '' && kid.length <= MAX_KID,
      'key-set-invalid',
      'one key has no proper kid',
    )
    demand(!set.has(kid), 'key-set-invalid', 'two of its keys have the same kid')
    set.set(kid, { jwk: strongKey(key), alg: TOKEN_ALGORITHMS.find((one) => one === alg) ?? null, imported: new Map() })
  }
  return set
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isForTokens({ kty, crv, use, alg, key_ops }: Record<string, unknown>): boolean {
  const known = kty === 'RSA' || ((kty === 'EC' || kty === 'OKP') && CURVES.includes(crv))
  const verifies = key_ops === undefined || (Array.isArray(key_ops) && key_ops.includes('verify'))
  const named = alg === undefined || TOKEN_ALGORITHMS.some((one) => one === alg)
  return known && verifies && named && (use === undefined || use === 'sig')
}

/** The public members alone, linted. RSA from 2048 to 4096 bits, also where the size is an uncommon one. */
function strongKey({ kty, n, e, crv, x, y }: Record<string, unknown>): PublicJwk {
  const members = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }
  const jwk = publicMembers(members)
  const findings = lintKey(specOf(jwk), jwk).filter(({ rule }) => rule !== 'modulus-size')
  const bits = modulusOf(jwk)?.toString(2).length ?? 2048
  demand(findings.length === 0 && bits >= 2048 && bits <= 4096, 'key-set-invalid', 'one of its keys is weak or damaged')
  return jwk
}

function publicMembers(members: unknown): PublicJwk {
  try {
    return parseAs(publicJwkSchema, members, 'public key')
  } catch (error) {
    if (isKeyriteError(error)) throw new Denied('key-set-invalid', 'one of its keys is damaged')
    throw error
  }
}

function specOf(jwk: PublicJwk): 'RS256' | 'ES256' | 'ES384' | 'Ed25519' {
  if (jwk.kty === 'RSA') return 'RS256'
  if (jwk.kty === 'OKP') return 'Ed25519'
  return jwk.crv === 'P-256' ? 'ES256' : 'ES384'
}

/** The key for `alg`. Throws `Denied` with `key-mismatch` where it is for another one. */
export function importKey({ jwk, alg: named, imported }: TrustedKey, alg: TokenAlgorithm): Promise<CryptoKey> {
  const spec = specOf(jwk)
  const fits = { RS256: ['RS256', 'PS256'], ES256: ['ES256'], ES384: ['ES384'], Ed25519: ['Ed25519', 'EdDSA'] }[spec]
  demand(fits.includes(alg) && (named === null || named === alg), 'key-mismatch')
  const known = imported.get(alg)
  if (known) return known
  const made = importJWK({ ...jwk }, alg) as Promise<CryptoKey>
  imported.set(alg, made)
  return made
}
