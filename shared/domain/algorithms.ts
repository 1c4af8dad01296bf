/**
 * The one table of signing algorithms. Nothing below it branches on a name: it asks for the row.
 * A key spec is an algorithm with its size; "RS256" alone means 2048 bits.
 */
export const KEY_SPECS = {
  RS256: { alg: 'RS256', kty: 'RSA', bits: 2048, hash: 'sha256', pss: false },
  'RS256-3072': { alg: 'RS256', kty: 'RSA', bits: 3072, hash: 'sha256', pss: false },
  'RS256-4096': { alg: 'RS256', kty: 'RSA', bits: 4096, hash: 'sha256', pss: false },
  PS256: { alg: 'PS256', kty: 'RSA', bits: 2048, hash: 'sha256', pss: true },
  'PS256-3072': { alg: 'PS256', kty: 'RSA', bits: 3072, hash: 'sha256', pss: true },
  'PS256-4096': { alg: 'PS256', kty: 'RSA', bits: 4096, hash: 'sha256', pss: true },
  ES256: { alg: 'ES256', kty: 'EC', crv: 'P-256', bits: 256, hash: 'sha256' },
  ES384: { alg: 'ES384', kty: 'EC', crv: 'P-384', bits: 384, hash: 'sha384' },
  Ed25519: { alg: 'Ed25519', kty: 'OKP', crv: 'Ed25519', bits: 256, hash: null },
} as const

export type KeySpec = keyof typeof KEY_SPECS
export type Algorithm = (typeof KEY_SPECS)[KeySpec]['alg']

export const KEY_SPEC_NAMES = Object.keys(KEY_SPECS) as [KeySpec, ...KeySpec[]]
export const ALGORITHM_NAMES = ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519'] as const satisfies readonly Algorithm[]

/** The public half of a signing key: exactly the members that RFC 7638 hashes. */
export type PublicJwk =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }

/** "RS256, RSA 3072" for people. */
export function describeSpec(spec: KeySpec): string {
  const row = KEY_SPECS[spec]
  return row.kty === 'RSA' ? `${row.alg}, RSA ${row.bits}` : row.kty === 'EC' ? `${row.alg}, ${row.crv}` : row.alg
}
