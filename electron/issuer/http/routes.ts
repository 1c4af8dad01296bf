/** Where a request wants to go. Nothing is decoded or normalised: an issuer is found by its exact spelling or not at all. */

export const ENDPOINT_PATHS = {
  'openid-configuration': '/.well-known/openid-configuration',
  'oauth-authorization-server': '/.well-known/oauth-authorization-server',
  'jwks.json': '/.well-known/jwks.json',
  'jwks.jwt': '/.well-known/jwks.jwt',
  'historical-keys.jwt': '/.well-known/historical-keys.jwt',
  token: '/token',
  introspect: '/introspect',
} as const

export type Endpoint = keyof typeof ENDPOINT_PATHS

/** Where clients ask for tokens; also an audience that their assertions may name (RFC 7523 section 3). */
export const tokenEndpoint = (issuer: string): string => issuer + ENDPOINT_PATHS.token

export const METHODS = {
  'openid-configuration': 'GET, HEAD',
  'oauth-authorization-server': 'GET, HEAD',
  'jwks.json': 'GET, HEAD',
  'jwks.jwt': 'GET, HEAD',
  'historical-keys.jwt': 'GET, HEAD',
  token: 'POST',
  introspect: 'POST',
} as const satisfies Record<Endpoint, string>

const INSERTED = ENDPOINT_PATHS['oauth-authorization-server']
const APPENDED = [
  'jwks.json',
  'token',
  'openid-configuration',
  'jwks.jwt',
  'introspect',
  'historical-keys.jwt',
] as const
/** The alphabet of issuer URLs (formats/tenant-id.ts), so that a percent sign never gets as far as a lookup. */
const PATH = /^\/[A-Za-z0-9._~/-]{0,400}$/

/**
 * Splits a request path into endpoint and issuer path ('' when the issuer is a bare host), or null.
 * OpenID Discovery section 4 appends to the issuer; RFC 8414 section 3.1 inserts between host and path.
 */
export function locate(path: string): { endpoint: Endpoint; issuerPath: string } | null {
  if (!PATH.test(path)) return null
  if (path === INSERTED || path.startsWith(`${INSERTED}/`))
    return { endpoint: 'oauth-authorization-server', issuerPath: path.slice(INSERTED.length) }
  for (const endpoint of APPENDED)
    if (path.endsWith(ENDPOINT_PATHS[endpoint]))
      return { endpoint, issuerPath: path.slice(0, -ENDPOINT_PATHS[endpoint].length) }
  return null
}

const HOST = /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/

/**
 * The one Host header in lower case, or null when there is none, more than one, or one of another form
 * (RFC 9112 section 3.2: such a request gets 400). `rawHeaders` alternates names and values, as Node gives them.
 */
export const hostOf = (rawHeaders: readonly string[]): string | null => readHost(single(rawHeaders, 'host'))

/**
 * The host that a trusted proxy was asked for: `X-Forwarded-Host`, or Host when it sent none; null when that header
 * stands twice, holds a list or is malformed. X-Forwarded-Proto says nothing that an issuer is found by.
 */
export function forwardedHostOf(rawHeaders: readonly string[]): string | null {
  const forwarded = single(rawHeaders, 'x-forwarded-host')
  return forwarded === undefined ? hostOf(rawHeaders) : readHost(forwarded)
}

function readHost(value: string | null | undefined): string | null {
  const host = value?.toLowerCase()
  return host !== undefined && HOST.test(host) ? host : null
}

/** The value of a header that may stand once; undefined when it is absent, null when it is repeated. */
export function single(rawHeaders: readonly string[], name: string): string | null | undefined {
  let found: string | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]
    if (header === undefined || header.length !== name.length || header.toLowerCase() !== name) continue
    if (found !== undefined) return null
    found = rawHeaders[at + 1]
  }
  return found
}
