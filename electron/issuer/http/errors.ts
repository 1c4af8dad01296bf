import { type Answer, jsonAnswer } from './answer.ts'

type Refusal = { status: number; error?: string; retryAfter?: number }

/** Seconds after which asking again is sensible while no key may sign: a bundle has to be carried here first. */
export const RETRY_AFTER = 60
/** The same while the store does not answer: that may be over soon. */
const RETRY_SOON = 5

/**
 * Every refusal of an OAuth endpoint: RFC 6749 section 5.2, RFC 8707 section 2 (`invalid_target`), and ours, which tell
 * metrics apart what clients see as `temporarily_unavailable`. OAuth has no code for asking too often at a token
 * endpoint (`slow_down` of RFC 8628 belongs to another grant), so that is said by 429 (RFC 6585 section 4).
 */
const REFUSALS = {
  invalid_request: { status: 400 },
  invalid_client: { status: 401 },
  unauthorized_client: { status: 403 },
  unsupported_grant_type: { status: 400 },
  invalid_scope: { status: 400 },
  invalid_target: { status: 400 },
  cannot_sign: { status: 503, error: 'temporarily_unavailable', retryAfter: RETRY_SOON },
  no_key: { status: 503, error: 'temporarily_unavailable', retryAfter: RETRY_AFTER },
  not_recorded: { status: 503, error: 'temporarily_unavailable', retryAfter: RETRY_SOON },
  rate_limited: { status: 429, error: 'temporarily_unavailable' },
  too_many_failures: { status: 429, error: 'temporarily_unavailable' },
} as const satisfies Record<string, Refusal>

export type OAuthErrorCode = keyof typeof REFUSALS

/** A refusal that the client is told about. `description` is fixed text: it never repeats what was sent. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  /** Seconds, where the code's own are not right. */
  readonly retryAfter: number | undefined

  constructor(code: OAuthErrorCode, description: string, retryAfter?: number) {
    super(description)
    this.name = 'OAuthError'
    this.code = code
    this.retryAfter = retryAfter
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
export function errorAnswer({ code, message, retryAfter }: OAuthError, issuer: string): Answer {
  const row: Refusal = REFUSALS[code]
  const wait = retryAfter ?? row.retryAfter
  return jsonAnswer(
    row.status,
    { error: row.error ?? code, error_description: message },
    {
      Pragma: 'no-cache',
      ...(row.status === 401 && { 'WWW-Authenticate': `Basic realm="${issuer}", charset="UTF-8"` }),
      ...(wait !== undefined && { 'Retry-After': String(wait) }),
    },
  )
}
