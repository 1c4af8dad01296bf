import { createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { ALGORITHM_NAMES, type Algorithm } from '../../../shared/domain/algorithms.ts'
import { isKeyriteError, must } from '../../../shared/errors.ts'
import type { PublishedJwk } from '../../../shared/formats/bundle.ts'
import { fromBase64url } from '../../../shared/formats/bytes.ts'
import { KB, parseAs, parseJson } from '../../../shared/formats/json.ts'
import { isWhole, splitCompact } from '../../../shared/formats/jws.ts'
import type { Soon, TenantService } from '../service.ts'
import { verifySignature } from '../signing.ts'
import { type Answer, oauthAnswer } from './answer.ts'
import { authenticate } from './client-auth.ts'
import { demand } from './errors.ts'
import { type FormRequest, readForm } from './form.ts'
import { answering, demandKnowledge, demandNews, type Serving } from './serving.ts'

/** Token introspection (RFC 7662): whether an access token of this very tenant is active now. */

const MAX_BYTES = 8 * KB
const name = z.string().max(2 * KB)
const instant = z.int().nonnegative()

/** What access-token.ts writes. Both types, because a tenant may have changed its own while tokens live. */
const headerSchema = z.strictObject({ alg: z.string(), typ: z.enum(['at+jwt', 'JWT']), kid: z.string() })
const claimsSchema = z.strictObject({
  iss: name,
  sub: name,
  aud: name,
  exp: instant,
  nbf: instant.optional(),
  iat: instant,
  jti: name,
  client_id: name,
  scope: name.optional(),
})
type Claims = z.infer<typeof claimsSchema>

const INACTIVE = oauthAnswer('{"active":false}')

/**
 * Answers a client that may introspect. Everything about the token that does not hold is `{"active":false}` and nothing
 * else (section 2.2); errors are about the request and the client (section 2.3).
 */
export const introspectionAnswer = (
  serving: Serving,
  tenant: TenantService,
  request: FormRequest,
  again: () => Soon<TenantService | null>,
): Promise<Answer> =>
  answering(serving, tenant, 'introspect', async () => {
    demandKnowledge(serving)
    const form = readForm(request)
    const client = await authenticate(serving, tenant, form, request.authorization)
    demand(client.introspects, 'unauthorized_client', 'This client may not introspect tokens.')
    const token = form.get('token')
    demand(token !== undefined, 'invalid_request', 'The parameter token is missing.')
    demandKnowledge(serving)
    const current = await again()
    demandNews(current)
    const claims = current && readToken(serving, current, token, serving.service.now())
    if (!claims) return INACTIVE
    const { iss, sub, aud, client_id, scope, exp, iat, jti } = claims
    const answer = { active: true, iss, sub, aud, client_id, scope, exp, iat, jti, token_type: 'Bearer' }
    return oauthAnswer(JSON.stringify(answer))
  })

/** The claims of a token that this tenant signed and that is active at `now`, or null. */
function readToken(serving: Serving, tenant: TenantService, token: string, now: number): Claims | null {
  try {
    const { header, parts } = splitCompact(token, 3, MAX_BYTES)
    const { alg, kid } = parseAs(headerSchema, header, 'token header')
    const [head = '', payload = '', signature = ''] = parts
    const key = tenant.published(now).keys.find((one) => one.kid === kid && one.alg === alg)
    if (!key) return null
    if (!holds(key, `${head}.${payload}`, signature)) {
      serving.observer.badSignature(tenant.tenant, 'introspection')
      return null
    }
    const json = parseJson(fromBase64url(payload), { maxBytes: MAX_BYTES, maxDepth: 2 })
    const claims = parseAs(claimsSchema, json, 'access token')
    return isActive(claims, tenant, now) ? claims : null
  } catch (error) {
    if (isKeyriteError(error)) return null
    throw error
  }
}

function isActive({ iss, exp, nbf = 0, iat }: Claims, tenant: TenantService, now: number): boolean {
  const { rejectIssuedBefore } = tenant
  return iss === tenant.issuer && nbf <= now && now < exp && (rejectIssuedBefore === null || iat >= rejectIssuedBefore)
}

const publicKeys = new WeakMap<PublishedJwk, KeyObject>()

/** The row of an algorithm. The size of an RSA key does not matter to whoever verifies. */
function specOf(alg: string): Algorithm {
  const spec = ALGORITHM_NAMES.find((one) => one === (alg === 'EdDSA' ? 'Ed25519' : alg))
  must(spec, 'key-refused', 'A published key has an algorithm that is not known.')
  return spec
}

function holds(jwk: PublishedJwk, signingInput: string, signature: string): boolean {
  const key = publicKeys.get(jwk) ?? createPublicKey({ key: { ...jwk }, format: 'jwk' })
  publicKeys.set(jwk, key)
  if (!isWhole(jwk, signature)) return false
  return verifySignature(specOf(jwk.alg), key, signingInput, signature)
}
