import { must } from '../errors.ts'

/** Tenant and person ids become file names, URL paths and database keys, so the alphabet is small. */

const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d|constructor|prototype|__proto__|root|keyrite)$/
const ID = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,62}$/

/** True for 1 to 63 lower-case letters, digits and single hyphens, starting with a letter, and no reserved word. */
export const isTenantId = (id: string): boolean => ID.test(id) && !RESERVED.test(id)

/** Checks the issuer URL of a tenant (RFC 8414 section 2): https, no port, query, fragment, user or trailing slash.
 *  Practice issuers may be plain http on a numeric loopback address with a port. Throws `issuer-url-invalid`. */
export function checkIssuerUrl(issuer: string, practice: boolean): void {
  must(
    issuer.length <= 256 && /^[\x21-\x7e]+$/.test(issuer),
    'issuer-url-invalid',
    'An issuer URL is plain ASCII of at most 256 characters.',
  )
  const shape = practice ? PRACTICE_ISSUER : ISSUER
  must(shape.test(issuer), 'issuer-url-invalid', `The issuer URL ${issuer} is not of the allowed form.`)
  const url = URL.canParse(issuer) ? new URL(issuer).href.replace(/\/$/, '') : null
  must(url === issuer, 'issuer-url-invalid', `The issuer URL ${issuer} has another normal form, or none.`)
}

/** RFC 1123 labels; none with "--" in the third place, whose Unicode form could look like another name (RFC 5890 2.3.1). */
const LABEL = '(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const PATH = '(?:/[A-Za-z0-9._~-]+)*'
const HTTPS = `https://${LABEL}(?:\\.${LABEL})*`
const ISSUER = new RegExp(`^${HTTPS}${PATH}$`)
const PRACTICE_ISSUER = new RegExp(`^(?:${HTTPS}|http://127\\.0\\.0\\.1:[1-9]\\d{1,4})${PATH}$`)
