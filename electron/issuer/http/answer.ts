import type { ServerResponse } from 'node:http'

/** A whole HTTP answer as plain data: endpoints make them, only `send` touches the socket. */
export type Answer = { readonly status: number; readonly head: string[]; readonly body: string }

/** Stands on every answer: nothing here is a page, and nothing may be taken for one. */
const SECURITY = [
  'X-Content-Type-Options',
  'nosniff',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy',
  'no-referrer',
]

/** Builds an answer. `Content-Length` is stated here, except for 304, which has no content (RFC 9110 section 15.4.5). */
export function makeAnswer(status: number, headers: Record<string, string>, body = ''): Answer {
  const head = [...Object.entries(headers).flat(), ...SECURITY]
  if (status !== 304) head.push('Content-Length', String(Buffer.byteLength(body)))
  return { status, head, body }
}

/** A JSON answer that no cache may keep. */
export const jsonAnswer = (status: number, value: unknown, headers: Record<string, string> = {}): Answer =>
  makeAnswer(
    status,
    { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
    JSON.stringify(value),
  )

/** The same words for an unknown issuer and for an unknown path of a known one: 404 without hints. */
export const NOT_FOUND = jsonAnswer(404, { error: 'not_found' })
export const BAD_REQUEST = jsonAnswer(400, { error: 'invalid_request' }, { Connection: 'close' })
export const TOO_LARGE = jsonAnswer(413, { error: 'invalid_request' }, { Connection: 'close' })
export const SERVER_ERROR = jsonAnswer(500, { error: 'server_error' })

/** RFC 9110 section 15.5.6: `allow` names the methods of this endpoint. */
export const methodNotAllowed = (allow: string): Answer =>
  jsonAnswer(405, { error: 'method_not_allowed' }, { Allow: allow })

export function send(response: ServerResponse, { status, head, body }: Answer): void {
  response.writeHead(status, head)
  response.end(body)
}
