import type { Algorithm } from '../../../shared/domain/algorithms.ts'
import type { Client, Issued, Soon, TenantService, TokenSigner } from '../service.ts'
import { type Grant, issueAccessToken } from './access-token.ts'
import { type Answer, oauthAnswer } from './answer.ts'
import { authenticate } from './client-auth.ts'
import { demand, OAuthError } from './errors.ts'
import { type FormRequest, readForm } from './form.ts'
import { answering, demandKnowledge, demandNews, type Serving } from './serving.ts'

/**
 * The token endpoint (RFC 6749 section 4.4): parse, authenticate, grant, sign, record. It reaches no tenant but the one
 * given; `again` gives that one as it is by then, or null when it is not served any more.
 */
export const tokenAnswer = (
  serving: Serving,
  tenant: TenantService,
  request: FormRequest,
  again: Again,
): Promise<Answer> =>
  answering(serving, tenant, 'token', async () => {
    demandKnowledge(serving)
    const form = readForm(request)
    const client = await authenticate(serving, tenant, form, request.authorization)
    demandRate(serving, tenant, client)
    const grant = readGrant(form, client)
    const algorithm = client.algorithm ?? defaultAlgorithm(tenant)
    const current = await signerNow(serving, again, algorithm)
    // Once more, because reading the client or the key may have taken long.
    demandKnowledge(serving)
    const { token, expiresIn, issued } = issueAccessToken(current.tenant, client, current.signer, grant, current.now)
    await record(serving, tenant, issued)
    serving.observer.issued(tenant.tenant, client.clientId, algorithm)
    return oauthAnswer(success(token, expiresIn, grant.scope))
  })

export type Again = () => Soon<TenantService | null>

/** Who signs is decided when everything else is: a taint that came while a client was authenticated counts. */
async function signerNow(
  { service }: Serving,
  again: Again,
  algorithm: Algorithm,
): Promise<{ tenant: TenantService; signer: TokenSigner; now: number }> {
  for (let tenant = await again(); ; ) {
    // After the tenant: what others erased comes with the time at which they did.
    const now = service.now()
    demandNews(tenant)
    const signer = await tenant?.signer(algorithm, now)
    if (!tenant || !signer) throw noKey()
    const newest = await again()
    if (newest === tenant) return { tenant, signer, now }
    tenant = newest
  }
}

/** A token that is not in the log is not handed out. */
async function record(serving: Serving, tenant: TenantService, issued: Issued): Promise<void> {
  try {
    await tenant.record(issued)
  } catch (error) {
    serving.failed(tenant.tenant, 'token', error)
    throw new OAuthError('not_recorded', 'Issued tokens cannot be recorded at present.')
  }
}

/** RFC 6749 section 5.1 as JSON. A token is base64url and full stops, which JSON takes as they are. */
function success(token: string, expiresIn: number, scope: string): string {
  const start = `{"access_token":"${token}","token_type":"Bearer","expires_in":${expiresIn}`
  return scope === '' ? `${start}}` : `${start},"scope":${JSON.stringify(scope)}}`
}

function demandRate({ throttle }: Serving, { tenant }: TenantService, { clientId, rateLimit }: Client): void {
  const wait = rateLimit === null ? 0 : throttle.request(tenant, clientId, rateLimit)
  if (wait > 0) throw new OAuthError('rate_limited', 'This client asks too often.', wait)
}

function readGrant(form: ReadonlyMap<string, string>, client: Client): Grant {
  const grantType = form.get('grant_type')
  demand(grantType !== undefined, 'invalid_request', 'The parameter grant_type is missing.')
  demand(grantType === 'client_credentials', 'unsupported_grant_type', 'Only client_credentials is supported.')
  return { audience: readAudience(form, client), scope: readScope(form.get('scope'), client) }
}

/** RFC 6749 section 3.3: tokens separated by single spaces, each of them the client's; without any, all of them. */
function readScope(scope: string | undefined, client: Client): string {
  if (scope === undefined) return client.scopes.join(' ')
  const asked = scope.split(' ')
  demand(new Set(asked).size === asked.length, 'invalid_scope', 'The scope is malformed.')
  demand(
    asked.every((one) => client.scopes.includes(one)),
    'invalid_scope',
    'The scope is not one of this client.',
  )
  return scope
}

/** `audience`, or `resource` (RFC 8707 section 2), one of the client's; without either, its first. */
function readAudience(form: ReadonlyMap<string, string>, client: Client): string {
  const audience = form.get('audience')
  const resource = form.get('resource')
  demand(audience === undefined || resource === undefined, 'invalid_request', 'Give audience or resource, not both.')
  const asked = audience ?? resource ?? client.audiences[0]
  demand(
    asked !== undefined && client.audiences.includes(asked),
    'invalid_target',
    'The audience is not one of this client.',
  )
  return asked
}

/** The first algorithm of the tenant's policy; without any, nothing may be signed. */
function defaultAlgorithm({ algorithms }: TenantService): Algorithm {
  const [first] = algorithms
  if (!first) throw noKey()
  return first
}

const noKey = () => new OAuthError('no_key', 'No key of this issuer may sign at present.')
