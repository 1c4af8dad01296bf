import { demand } from './errors.ts'

/** `application/x-www-form-urlencoded` (RFC 6749 appendix B), parsed once, strictly. */

export const MAX_FORM_BYTES = 16 * 1024
const MAX_PARAMETERS = 32
const MEDIA_TYPE = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?[ \t]*$/i

/** A request with a form as it came in; a header is undefined without one and null when it stands twice. */
export type FormRequest = {
  contentType: string | null | undefined
  authorization: string | null | undefined
  hasQuery: boolean
  body: string
}

/** The parameters of a request to an OAuth endpoint; `invalid_request` when they are not in its body, or not as a form. */
export function readForm({ contentType, hasQuery, body }: FormRequest): Map<string, string> {
  demand(!hasQuery, 'invalid_request', 'Parameters belong in the request body (RFC 6749 section 2.3.1).')
  demand(contentType && isFormType(contentType), 'invalid_request', 'The request body must be form-urlencoded.')
  return parseForm(body)
}

export const isFormType = (contentType: string): boolean => MEDIA_TYPE.test(contentType)

/**
 * The parameters of a request body. Refused as `invalid_request`: bytes that the encoding never produces, malformed
 * percent-encoding, control characters, a pair without name or `=`, and any name that stands twice (RFC 6749 section
 * 3.2). Parameters with an empty value count as omitted (same section).
 */
export function parseForm(body: string): Map<string, string> {
  demand(body.length <= MAX_FORM_BYTES, 'invalid_request', 'The request body is too large.')
  demand(/^[\x21-\x7e]*$/.test(body), 'invalid_request', 'The request body is not form-urlencoded.')
  const seen = new Map<string, string>()
  if (body === '') return seen
  const pairs = body.split('&', MAX_PARAMETERS + 1)
  demand(pairs.length <= MAX_PARAMETERS, 'invalid_request', 'The request has too many parameters.')
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    demand(equals > 0, 'invalid_request', 'A parameter has no name or no value.')
    const name = decodeForm(pair.slice(0, equals))
    demand(!seen.has(name), 'invalid_request', 'A parameter stands more than once.')
    seen.set(name, decodeForm(pair.slice(equals + 1)))
  }
  for (const [name, value] of seen) if (value === '') seen.delete(name)
  return seen
}

/** Decodes one form-urlencoded name or value; `invalid_request` when it is malformed or hides a control character. */
export function decodeForm(text: string): string {
  if (!/[%+]/.test(text)) return text
  let value: string | null = null
  try {
    value = decodeURIComponent(text.replaceAll('+', ' '))
  } catch {}
  demand(value !== null, 'invalid_request', 'A percent-encoding is malformed.')
  demand(!/\p{Cc}/u.test(value), 'invalid_request', 'A parameter holds a control character.')
  return value
}
