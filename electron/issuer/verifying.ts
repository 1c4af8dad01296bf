import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import type { IsSigned } from '../../shared/formats/bundle-check.ts'
import type { StatementKey } from '../../shared/formats/jws.ts'
import { verifySignature } from './signing.ts'

/**
 * Verifying many sets of one root with node:crypto: no job of WebCrypto for each, and DER in place of the form of JOSE,
 * which costs Node a third of the verification.
 */

const ES256 = KEY_SPECS.ES256

/** A P-256 signature in canonical base64url: 64 bytes, so that the last character holds two bits. */
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/

/**
 * Gives what tells for certain that a compact JWS has exactly this header and this payload (both canonical text) and is
 * signed by the root. Anything else is false, and for the strict reader to judge; never throws.
 */
export function signedBy({ jwk }: StatementKey): IsSigned {
  if (jwk.kty !== 'EC') return () => false
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  return (jws, header, payload) => {
    const input = `${base64url(header)}.${base64url(payload)}`
    if (!jws.startsWith(input) || jws[input.length] !== '.') return false
    const signature = jws.slice(input.length + 1)
    return SIGNATURE.test(signature) && verifyEcdsa(ES256, key, input, Buffer.from(signature, 'base64url'))
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

/** As `verifySignature` of signing.ts, which it takes for all but ECDSA. */
export function verifies(spec: KeySpec, publicKey: KeyObject, input: string, signature: string): boolean {
  const row = KEY_SPECS[spec]
  return row.kty === 'EC'
    ? verifyEcdsa(row, publicKey, input, Buffer.from(signature, 'base64url'))
    : verifySignature(spec, publicKey, input, signature)
}

/** Checks an ECDSA signature in the form of RFC 7518 section 3.4 over ASCII. */
function verifyEcdsa(
  { hash, bits }: { hash: string; bits: number },
  key: KeyObject,
  input: string,
  signature: Uint8Array,
): boolean {
  return signature.length === bits / 4 && verify(hash, Buffer.from(input, 'latin1'), key, toDer(signature))
}

/**
 * ECDSA signature of P-256 or P-384 from r || s (RFC 7518 section 3.4) to DER (RFC 3279 section 2.2.3), where every length
 * is one byte.
 */
export function toDer(signature: Uint8Array): Uint8Array {
  const size = signature.length / 2
  const der = new Uint8Array(signature.length + 8)
  let at = 2
  for (const end of [size, size * 2]) {
    // A DER INTEGER has no leading zeros but the one that keeps it positive.
    let from = end - size
    while (from < end - 1 && signature[from] === 0) from++
    const pad = (signature[from] ?? 0) >= 0x80 ? 1 : 0
    der[at] = 2
    der[at + 1] = end - from + pad
    der.set(signature.subarray(from, end), at + 2 + pad)
    at += 2 + pad + end - from
  }
  der[0] = 0x30
  der[1] = at - 2
  return der.subarray(0, at)
}
