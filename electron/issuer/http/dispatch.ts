import type { IncomingMessage } from 'node:http'
import type { IssuerService, Soon, TenantService } from '../service.ts'
import { type Answer, BAD_REQUEST, methodNotAllowed, NOT_FOUND, TOO_LARGE } from './answer.ts'
import { readBody } from './body.ts'
import { discoveryAnswer } from './discovery.ts'
import type { FormRequest } from './form.ts'
import { introspectionAnswer } from './introspect.ts'
import { historicalKeysAnswer, jwksAnswer, signedJwksAnswer } from './jwks.ts'
import { partyOf } from './party.ts'
import type { Proxies } from './proxies.ts'
import { type Endpoint, forwardedHostOf, hostOf, locate, METHODS, single } from './routes.ts'
import type { Serving } from './serving.ts'
import { soon } from './soon.ts'
import { tokenAnswer } from './token.ts'

/** From a request to its tenant and endpoint. Whatever is there at once is answered at once. */

export type Front = {
  readonly service: IssuerService
  readonly serving: Serving
  readonly isProxy: Proxies
  readonly bodyBytes: number
}

/** What is known of a request by the time it is answered; the tenant is '' and the endpoint 'none' while it has none. */
export type Visit = { tenant: string; endpoint: Endpoint | 'none' }

/** Answers one request, and notes in `visit` whose it was. */
export function answerTo(front: Front, request: IncomingMessage, visit: Visit): Soon<Answer> {
  const { url = '' } = request
  const host = askedHost(front, request)
  if (host === null || !url.startsWith('/')) return BAD_REQUEST
  const query = url.indexOf('?')
  const place = locate(query < 0 ? url : url.slice(0, query))
  if (!place) return NOT_FOUND
  return soon(front.service.find(host, place.issuerPath), (tenant) => {
    if (!tenant) return NOT_FOUND
    visit.tenant = tenant.tenant
    visit.endpoint = place.endpoint
    const again = () => front.service.find(host, place.issuerPath)
    return answerAt(front, { tenant, again, endpoint: place.endpoint, hasQuery: query >= 0 }, request)
  })
}

/** RFC 9112 section 3.2 holds whoever asks: one Host, even where a proxy names another. */
function askedHost({ isProxy }: Front, { rawHeaders, socket }: IncomingMessage): string | null {
  const host = hostOf(rawHeaders)
  return host !== null && isProxy(socket.remoteAddress) ? forwardedHostOf(rawHeaders) : host
}

/** Whose endpoint was asked; `again` gives the tenant as it is by then, which may take in a taint. */
type Asked = { tenant: TenantService; again: () => Soon<TenantService | null>; endpoint: Endpoint; hasQuery: boolean }

function answerAt(front: Front, asked: Asked, request: IncomingMessage): Soon<Answer> {
  const { tenant, endpoint } = asked
  const { method, headers, rawHeaders } = request
  const isForm = METHODS[endpoint] === 'POST'
  if (isForm ? method !== 'POST' : method !== 'GET' && method !== 'HEAD') return methodNotAllowed(METHODS[endpoint])
  if (isForm) return formAnswer(front, asked, request)
  const now = front.service.now()
  const ifNoneMatch = headers['if-none-match']
  if (endpoint === 'historical-keys.jwt') return historicalKeysAnswer(tenant, { ifNoneMatch })
  if (endpoint !== 'jwks.json' && endpoint !== 'jwks.jwt') return discoveryAnswer(tenant, { now, ifNoneMatch })
  const fetch = { now, ifNoneMatch, party: method === 'GET' ? partyOf(rawHeaders) : undefined }
  return endpoint === 'jwks.json' ? jwksAnswer(tenant, fetch) : signedJwksAnswer(tenant, fetch)
}

async function formAnswer(
  { serving, bodyBytes }: Front,
  { again, endpoint, hasQuery }: Asked,
  request: IncomingMessage,
): Promise<Answer> {
  const { rawHeaders } = request
  const body = await readBody(request, bodyBytes)
  if (body === null) return TOO_LARGE
  // Its sender decides how long a body takes: what the tenant was when it began says nothing any more.
  const tenant = await again()
  if (!tenant) return NOT_FOUND
  const form: FormRequest = {
    contentType: single(rawHeaders, 'content-type'),
    authorization: single(rawHeaders, 'authorization'),
    hasQuery,
    body,
  }
  return endpoint === 'token'
    ? tokenAnswer(serving, tenant, form, again)
    : introspectionAnswer(serving, tenant, form, again)
}
