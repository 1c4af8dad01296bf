import { isKeyriteError } from '../errors.ts'
import { fromBase64url } from '../formats/bytes.ts'
import { KB, parseJson } from '../formats/json.ts'
import { splitCompact } from '../formats/jws.ts'
import { Denied, demand } from './reasons.ts'

/** A token as it stands there: read strictly, nothing of it believed. */

export const TOKEN_MAX_BYTES = 16 * KB
/** NumericDate (RFC 7519 section 2) up to the year 2200. */
const LAST_INSTANT = 7_258_118_400

export type ReadToken = {
  compact: string
  alg: string
  kid: string | undefined
  /** Lower case, without "application/" (RFC 7515 section 4.1.9); null where there is none. */
  typ: string | null
  /** Whether the header holds only what may stand there. */
  headerAllowed: boolean
  iss: string
  audiences: readonly string[]
  exp: number | undefined
  nbf: number | undefined
  iat: number | undefined
  claims: Readonly<Record<string, unknown>>
}

/**
 * Reads a compact JWT (RFC 7519 section 3) without trusting it: canonical base64url, every JSON member once, size caps,
 * and the registered claims in their types. Throws `Denied` with `malformed`.
 */
export function readToken(compact: string): ReadToken {
  const { header, payload } = parts(compact)
  const { alg, kid, typ, x5t: _, 'x5t#S256': __, ...others } = membersOf(header)
  demand(typeof alg === 'string', 'malformed')
  demand(kid === undefined || typeof kid === 'string', 'malformed')
  demand(typ === undefined || typeof typ === 'string', 'malformed')
  const claims = membersOf(payload)
  const { iss, aud = [], exp, nbf, iat } = claims
  demand(typeof iss === 'string', 'malformed')
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud]
  demand(audiences.every(isText), 'malformed')
  demand(isInstant(exp) && isInstant(nbf) && isInstant(iat), 'malformed')
  return {
    compact,
    alg,
    kid,
    typ: typ?.toLowerCase().replace(/^application\//, '') ?? null,
    headerAllowed: Object.keys(others).length === 0,
    iss,
    audiences,
    exp,
    nbf,
    iat,
    claims,
  }
}

function parts(compact: string): { header: unknown; payload: unknown } {
  try {
    const { header, parts } = splitCompact(compact, 3, TOKEN_MAX_BYTES)
    const payload = parseJson(fromBase64url(parts[1] ?? ''), { maxBytes: TOKEN_MAX_BYTES, maxDepth: 16 })
    return { header, payload }
  } catch (error) {
    if (isKeyriteError(error)) throw new Denied('malformed')
    throw error
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isInstant = (value: unknown): value is number | undefined =>
  value === undefined || (typeof value === 'number' && value >= 0 && value <= LAST_INSTANT)

function membersOf(value: unknown): Record<string, unknown> {
  demand(typeof value === 'object' && value !== null && !Array.isArray(value), 'malformed')
  return value as Record<string, unknown>
}
