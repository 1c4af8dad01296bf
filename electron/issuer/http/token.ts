import type { Algorithm } from '../../../shared/domain/algorithms.ts'
import type { Client, TenantService } from '../service.ts'
import { type Grant, issueAccessToken } from './access-token.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import { authenticate } from './client-auth.ts'
import { demand, errorAnswer, OAuthError } from './errors.ts'
import { isFormType, parseForm } from './form.ts'

/** A token request as it came in; a header is undefined without one and null when it stands twice. */
export type TokenRequest = {
  contentType: string | null | undefined
  authorization: string | null | undefined
  hasQuery: boolean
  body: string
}

/**
 * The token endpoint (RFC 6749 section 4.4): parse, authenticate, grant, sign. It reaches no tenant but the one given.
 * @param now seconds since 1970 UTC
 */
export async function tokenAnswer(tenant: TenantService, request: TokenRequest, now: number): Promise<Answer> {
  try {
    const form = readForm(request)
    const client = await authenticate(tenant, form, request.authorization, now)
    const grant = readGrant(form, client)
    const signer = tenant.signer(client.algorithm ?? defaultAlgorithm(tenant), now)
    if (!signer) throw new OAuthError('temporarily_unavailable', 'No key of this issuer may sign at present.')
    const { token, expiresIn } = issueAccessToken(tenant, client, signer, grant, now)
    return jsonAnswer(200, success(token, expiresIn, grant.scope), { Pragma: 'no-cache' })
  } catch (error) {
    if (error instanceof OAuthError) return errorAnswer(error, tenant.issuer)
    throw error
  }
}

/** RFC 6749 section 5.1. */
const success = (token: string, expiresIn: number, scope: string) => ({
  access_token: token,
  token_type: 'Bearer',
  expires_in: expiresIn,
  ...(scope !== '' && { scope }),
})

function readForm({ contentType, hasQuery, body }: TokenRequest): Map<string, string> {
  demand(!hasQuery, 'invalid_request', 'Parameters belong in the request body (RFC 6749 section 2.3.1).')
  demand(contentType && isFormType(contentType), 'invalid_request', 'The request body must be form-urlencoded.')
  return parseForm(body)
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
  if (!first) throw new OAuthError('temporarily_unavailable', 'No key of this issuer may sign at present.')
  return first
}
