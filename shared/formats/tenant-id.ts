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
  const shape = practice
    ? /^(?:https:\/\/[a-z0-9.-]+|http:\/\/127\.0\.0\.1:\d{2,5})((?:\/[A-Za-z0-9._~-]+)*)$/
    : /^https:\/\/[a-z0-9.-]+((?:\/[A-Za-z0-9._~-]+)*)$/
  const path = shape.exec(issuer)?.[1]
  must(path !== undefined, 'issuer-url-invalid', `The issuer URL ${issuer} is not of the allowed form.`)
  must(
    new URL(issuer).href.replace(/\/$/, '') === issuer,
    'issuer-url-invalid',
    `The issuer URL ${issuer} has another normal form.`,
  )
}
