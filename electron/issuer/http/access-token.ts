import { randomFillSync } from 'node:crypto'
import type { Client, TenantService, TokenSigner } from '../service.ts'

/** What a request was granted: one audience, and scopes joined by single spaces ('' for none). */
export type Grant = { audience: string; scope: string }

/**
 * Makes an access token as RFC 9068 section 2 says, signed by `signer`, which belongs to the same tenant.
 * @param now seconds since 1970 UTC
 * @returns the token and its lifetime in seconds: the client's, never more than the tenant's policy
 */
export function issueAccessToken(
  tenant: TenantService,
  client: Client,
  signer: TokenSigner,
  { audience, scope }: Grant,
  now: number,
): { token: string; expiresIn: number } {
  const expiresIn = Math.min(client.accessTokenLifetime, tenant.accessTokenLifetime)
  const claims = {
    iss: tenant.issuer,
    sub: client.clientId,
    aud: audience,
    exp: now + expiresIn,
    iat: now,
    jti: tokenId(),
    client_id: client.clientId,
    scope: scope === '' ? undefined : scope,
  }
  const signingInput = `${headerOf(signer)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return { token: `${signingInput}.${signer.sign(signingInput)}`, expiresIn }
}

const headers = new WeakMap<TokenSigner, string>()

/** The encoded header, the same for every token of one signer. */
function headerOf(signer: TokenSigner): string {
  const known = headers.get(signer)
  if (known !== undefined) return known
  const { alg, kid } = signer
  const header = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid })).toString('base64url')
  headers.set(signer, header)
  return header
}

const ID_BYTES = 16
const pool = Buffer.alloc(ID_BYTES * 256)
let used = pool.length

/** 128 random bits (base64url). Drawn from the system 256 at a time, because each draw costs more than the rest of the claims. */
function tokenId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += ID_BYTES
  return pool.toString('base64url', used - ID_BYTES, used)
}
