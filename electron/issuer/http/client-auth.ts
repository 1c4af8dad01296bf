import { hash, timingSafeEqual } from 'node:crypto'
import { isKeyriteError } from '../../../shared/errors.ts'
import type { Client, ClientAuthMethod, TenantService } from '../service.ts'
import { ASSERTION_TYPE, type Assertion, parseAssertion, verifyAssertion } from './assertion.ts'
import { demand, OAuthError } from './errors.ts'
import { decodeForm } from './form.ts'
import { tokenEndpoint } from './routes.ts'

/** Client authentication at one tenant (RFC 6749 section 2.3, RFC 7521 section 4.2): exactly one method, the registered one. */

type Presented =
  | { method: 'client_secret_basic' | 'client_secret_post'; clientId: string; secret: string }
  | { method: 'private_key_jwt'; clientId: string | null; assertion: string }

/** VSCHAR of RFC 6749 appendix A.1. */
const CLIENT_ID = /^[\x20-\x7e]{1,256}$/

/** One answer for every way of not being a client, so that none tells which ids exist. */
const refusal = () => new OAuthError('invalid_client', 'Client authentication failed.')

/**
 * The client that made this request.
 * @param form the body's parameters; each stands once
 * @param authorization the Authorization header, undefined without one, null when it stands twice
 * @param now seconds since 1970 UTC
 * @throws OAuthError `invalid_request` for malformed or double authentication, `invalid_client` for everything else
 */
export async function authenticate(
  tenant: TenantService,
  form: ReadonlyMap<string, string>,
  authorization: string | null | undefined,
  now: number,
): Promise<Client> {
  const presented = readCredentials(form, authorization)
  if (presented.method === 'private_key_jwt') return byAssertion(tenant, presented, now)
  return bySecret(tenant, presented)
}

function readCredentials(form: ReadonlyMap<string, string>, authorization: string | null | undefined): Presented {
  const secret = form.get('client_secret')
  const assertion = form.get('client_assertion')
  const clientId = form.get('client_id') ?? null
  const ways = [authorization, secret, assertion ?? form.get('client_assertion_type')]
  demand(
    ways.filter((way) => way !== undefined).length <= 1,
    'invalid_request',
    'The client authenticates in two ways.',
  )
  demand(authorization !== null, 'invalid_request', 'The Authorization header stands more than once.')
  if (authorization !== undefined) return readBasic(authorization, clientId)
  if (secret !== undefined && clientId !== null) return { method: 'client_secret_post', clientId, secret }
  if (assertion !== undefined && form.get('client_assertion_type') === ASSERTION_TYPE)
    return { method: 'private_key_jwt', clientId, assertion }
  throw refusal()
}

/** RFC 7617, with id and secret form-urlencoded before they were joined (RFC 6749 section 2.3.1). */
function readBasic(authorization: string, clientId: string | null): Presented {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) throw refusal()
  const bytes = Buffer.from(encoded, 'base64')
  const text = bytes.toString('latin1')
  const colon = text.indexOf(':')
  demand(bytes.toString('base64') === encoded && colon > 0, 'invalid_request', 'The Authorization header is malformed.')
  const id = decodeForm(text.slice(0, colon))
  demand(clientId === null || clientId === id, 'invalid_request', 'The request names two clients.')
  return { method: 'client_secret_basic', clientId: id, secret: decodeForm(text.slice(colon + 1)) }
}

/** The client of that id if it is registered for that method. */
function find(tenant: TenantService, clientId: string, method: ClientAuthMethod): Client | null {
  const client = CLIENT_ID.test(clientId) ? tenant.client(clientId) : null
  return client?.method === method ? client : null
}

/** Nobody knows a secret with this digest; it stands in for the digest of a client that does not exist. */
const NO_SECRET = 'A'.repeat(43)

function bySecret(
  tenant: TenantService,
  { clientId, secret, method }: Exclude<Presented, { method: 'private_key_jwt' }>,
): Client {
  const client = find(tenant, clientId, method)
  const presented = Buffer.from(hash('sha256', secret, 'base64url'))
  const same = timingSafeEqual(presented, Buffer.from(client?.secretDigest ?? NO_SECRET))
  if (!client || client.secretDigest === null || !same) throw refusal()
  return client
}

async function byAssertion(
  tenant: TenantService,
  presented: Extract<Presented, { method: 'private_key_jwt' }>,
  now: number,
): Promise<Client> {
  const assertion = readAssertion(presented.assertion, tenant.issuer, now)
  if (presented.clientId !== null && presented.clientId !== assertion.clientId) throw refusal()
  const client = find(tenant, assertion.clientId, 'private_key_jwt')
  const verified = await verifyAssertion(assertion, client?.jwks ?? [])
  if (!client || !verified) throw refusal()
  if (!tenant.takeAssertion(client.clientId, assertion.jti, assertion.deadAt)) throw refusal()
  return client
}

function readAssertion(compact: string, issuer: string, now: number): Assertion {
  try {
    return parseAssertion(compact, [issuer, tokenEndpoint(issuer)], now)
  } catch (error) {
    throw isKeyriteError(error) ? refusal() : error
  }
}
