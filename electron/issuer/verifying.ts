import { createPublicKey } from 'node:crypto'
import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import type { IsSigned } from '../../shared/formats/bundle-check.ts'
import type { StatementKey } from '../../shared/formats/jws.ts'
import { verifyEcdsa } from './signing.ts'

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
