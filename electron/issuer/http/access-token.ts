import { randomFillSync } from 'node:crypto'
import type { TokenType } from '../../../shared/domain/policy.ts'
import type { Client, Issued, TenantService, TokenSigner } from '../service.ts'

/** What a request was granted: one audience, and scopes joined by single spaces ('' for none). */
export type Grant = { audience: string; scope: string }

/**
 * Makes an access token as RFC 9068 section 2 says, signed by `signer`, which belongs to the same tenant.
 * @param now seconds since 1970 UTC
 * @returns the token, its lifetime in seconds (the client's, never more than the tenant's policy), and what the
 *   issuance log has to say about it
 */
export function issueAccessToken(
  tenant: TenantService,
  client: Client,
  signer: TokenSigner,
  { audience, scope }: Grant,
  now: number,
): { token: string; expiresIn: number; issued: Issued } {
  const { clientId } = client
  const expiresIn = Math.min(client.accessTokenLifetime, tenant.accessTokenLifetime)
  const exp = now + expiresIn
  const jti = tokenId()
  const claims = {
    iss: tenant.issuer,
    sub: clientId,
    aud: audience,
    exp,
    iat: now,
    jti,
    client_id: clientId,
    scope: scope === '' ? undefined : scope,
  }
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
  const signingInput = `${headerOf(tenant, signer, now)}.${payload}`
  const token = `${signingInput}.${signer.sign(signingInput)}`
  return { token, expiresIn, issued: { at: now, jti, clientId, audience, scope, kid: signer.kid, exp } }
}

const headers = new WeakMap<TokenSigner, { typ: TokenType; text: string }>()

/**
 * The encoded header, the same for every token of one signer. `alg` is what the published key of that kid says, because
 * a verifier compares the two: an Ed25519 key may go by `Ed25519` or by `EdDSA`.
 */
function headerOf(tenant: TenantService, signer: TokenSigner, now: number): string {
  const typ = tenant.tokenType
  const known = headers.get(signer)
  if (known?.typ === typ) return known.text
  const { kid } = signer
  const published = tenant.published(now).keys.find((key) => key.kid === kid)
  const text = Buffer.from(JSON.stringify({ alg: published?.alg ?? signer.alg, typ, kid })).toString('base64url')
  if (published) headers.set(signer, { typ, text })
  return text
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
