import { type Answer, jsonAnswer } from './answer.ts'

/** RFC 6749 section 5.2, RFC 8707 section 2 (`invalid_target`), and `temporarily_unavailable` while no key may sign. */
const OAUTH_ERRORS = {
  invalid_request: 400,
  invalid_client: 401,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  temporarily_unavailable: 503,
} as const

export type OAuthErrorCode = keyof typeof OAUTH_ERRORS

/** Seconds after which asking again is sensible while no key may sign: a bundle has to be carried here first. */
export const RETRY_AFTER = 60

/** A refusal that the client is told about. `description` is fixed text: it never repeats what was sent. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode

  constructor(code: OAuthErrorCode, description: string) {
    super(description)
    this.name = 'OAuthError'
    this.code = code
  }
}

/** Throws `code` unless `condition` holds. */
export function demand(condition: unknown, code: OAuthErrorCode, description: string): asserts condition {
  if (!condition) throw new OAuthError(code, description)
}

/**
 * The error response of RFC 6749 section 5.2. Every 401 carries `WWW-Authenticate`: RFC 6749 asks for it after Basic,
 * RFC 9110 section 15.5.2 always. `issuer` is the realm.
 */
export function errorAnswer({ code, message }: OAuthError, issuer: string): Answer {
  const status = OAUTH_ERRORS[code]
  return jsonAnswer(
    status,
    { error: code, error_description: message },
    {
      Pragma: 'no-cache',
      ...(status === 401 && { 'WWW-Authenticate': `Basic realm="${issuer}", charset="UTF-8"` }),
      ...(status === 503 && { 'Retry-After': String(RETRY_AFTER) }),
    },
  )
}
