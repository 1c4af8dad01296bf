import { constants, type KeyObject, privateEncrypt, sign } from 'node:crypto'

/** Compact JWS with any header and claims, truly signed. */

export type JwsAlg = 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'Ed25519'

/** A token that is good where it is used: what stands in it, and the key that signs it. */
export type Good = {
  alg: JwsAlg
  header: Readonly<Record<string, unknown>>
  claims: Readonly<Record<string, unknown>>
  privateKey: KeyObject
}
export type Attack = readonly [what: string, token: string]

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const HASH = { RS256: 'sha256', PS256: 'sha256', ES256: 'sha256', ES384: 'sha384', Ed25519: null } as const

/** A signature over exactly this text, as `alg` makes it (RFC 7518 section 3, RFC 8037 section 3.1). */
export function signAs(alg: JwsAlg, input: string, key: KeyObject): Buffer {
  const pss = alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}
  return sign(HASH[alg], Buffer.from(input), { key, dsaEncoding: 'ieee-p1363', ...pss })
}

/** The compact form with any header and claims (texts go in as they are), truly signed. */
export function compact(good: Good, header: unknown = good.header, claims: unknown = good.claims): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${signAs(good.alg, input, good.privateKey).toString('base64url')}`
}

/** One raw RSA operation on a block that is as long as the modulus. */
export const rawRsa = (key: KeyObject, block: Buffer): Buffer =>
  privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block)
