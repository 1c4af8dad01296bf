import type { ServerResponse } from 'node:http'

/** A whole HTTP answer as plain data: endpoints make them, only `send` touches the socket. */
export type Answer = { readonly status: number; readonly head: readonly string[]; readonly body: string }

/** Stands on every answer: nothing here is a page, and nothing may be taken for one. */
const SECURITY = [
  'X-Content-Type-Options',
  'nosniff',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
]

/** The header of every answer of one kind, all but its length. */
export const makeHead = (headers: Record<string, string>): readonly string[] => [
  ...Object.entries(headers).flat(),
  ...SECURITY,
]

/** Builds an answer. `Content-Length` is stated here, except for 304, which has no content (RFC 9110 section 15.4.5). */
export function makeAnswer(status: number, headers: Record<string, string>, body = ''): Answer {
  const head = makeHead(headers)
  return status === 304 ? { status, head, body } : withLength(status, head, body)
}

export const withLength = (status: number, head: readonly string[], body: string): Answer => ({
  status,
  head: [...head, 'Content-Length', String(Buffer.byteLength(body))],
  body,
})

const JSON_HEADERS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }

/** A JSON answer that no cache may keep. */
export const jsonAnswer = (status: number, value: unknown, headers: Record<string, string> = {}): Answer =>
  makeAnswer(status, { ...JSON_HEADERS, ...headers }, JSON.stringify(value))

const OAUTH_HEAD = makeHead({ ...JSON_HEADERS, Pragma: 'no-cache' })

/** The success of an OAuth endpoint (RFC 6749 section 5.1), from JSON text. */
export const oauthAnswer = (json: string): Answer => withLength(200, OAUTH_HEAD, json)

/** The same words for an unknown issuer and for an unknown path of a known one: 404 without hints. */
export const NOT_FOUND = jsonAnswer(404, { error: 'not_found' })
export const BAD_REQUEST = jsonAnswer(400, { error: 'invalid_request' }, { Connection: 'close' })
export const TOO_LARGE = jsonAnswer(413, { error: 'invalid_request' }, { Connection: 'close' })
export const SERVER_ERROR = jsonAnswer(500, { error: 'server_error' })
export const UNAVAILABLE = jsonAnswer(503, { error: 'temporarily_unavailable' }, { 'Retry-After': '5' })

const refusals = new Map<string, Answer>()

/** RFC 9110 section 15.5.6: `allow` names the methods of this endpoint. */
export function methodNotAllowed(allow: string): Answer {
  const answer = refusals.get(allow) ?? jsonAnswer(405, { error: 'method_not_allowed' }, { Allow: allow })
  refusals.set(allow, answer)
  return answer
}

export function send(response: ServerResponse, { status, head, body }: Answer): void {
  // Node only reads the list; its type does not say so.
  response.writeHead(status, head as string[])
  response.end(body)
}
