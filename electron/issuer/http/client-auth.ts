import { hash, timingSafeEqual } from 'node:crypto'
import { isKeyriteError } from '../../../shared/errors.ts'
import type { Client, ClientAuthMethod, Soon, TenantService } from '../service.ts'
import { ASSERTION_TYPE, type Assertion, parseAssertion, verifyAssertion } from './assertion.ts'
import { demand, OAuthError } from './errors.ts'
import { decodeForm } from './form.ts'
import { tokenEndpoint } from './routes.ts'
import type { Serving } from './serving.ts'
import { soon } from './soon.ts'

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
 * @throws OAuthError `invalid_request` for malformed or double authentication, `invalid_client` for everything else, and
 *   `too_many_failures` instead of that when the same id failed too often. The right credentials pass all the same:
 *   secrets have 256 bits, so guessing gains nothing, while a stranger who knows an id must not keep its client out.
 */
export async function authenticate(
  serving: Serving,
  tenant: TenantService,
  form: ReadonlyMap<string, string>,
  authorization: string | null | undefined,
): Promise<Client> {
  const presented = readCredentials(form, authorization)
  const { clientId, client } =
    presented.method === 'private_key_jwt'
      ? await byAssertion(serving, tenant, presented)
      : await bySecret(tenant, presented)
  if (client) return client
  const wait = CLIENT_ID.test(clientId ?? '') ? serving.throttle.failure(tenant.tenant, clientId ?? '') : 0
  if (wait > 0) throw new OAuthError('too_many_failures', 'This client failed to authenticate too often.', wait)
  throw refusal()
}

/** Who a request says it is, and the client if it is one. */
type Outcome = { clientId: string | null; client: Client | null }

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
const find = (tenant: TenantService, clientId: string, method: ClientAuthMethod): Soon<Client | null> =>
  CLIENT_ID.test(clientId)
    ? soon(tenant.client(clientId), (client) => (client?.method === method ? client : null))
    : null

/** Nobody knows a secret with this digest; it stands in for the digest of a client that does not exist. */
const NO_SECRET = 'A'.repeat(43)

async function bySecret(
  tenant: TenantService,
  { clientId, secret, method }: Exclude<Presented, { method: 'private_key_jwt' }>,
): Promise<Outcome> {
  const client = await find(tenant, clientId, method)
  const presented = Buffer.from(hash('sha256', secret, 'base64url'))
  const same = timingSafeEqual(presented, Buffer.from(client?.secretDigest ?? NO_SECRET))
  return { clientId, client: same && client?.secretDigest ? client : null }
}

async function byAssertion(
  { service, observer }: Serving,
  tenant: TenantService,
  presented: Extract<Presented, { method: 'private_key_jwt' }>,
): Promise<Outcome> {
  const assertion = readAssertion(presented.assertion, tenant.issuer, service.now())
  if (!assertion) return { clientId: presented.clientId, client: null }
  const { clientId, jti, deadAt } = assertion
  const nobody = { clientId, client: null }
  if (presented.clientId !== null && presented.clientId !== clientId) return nobody
  const client = await find(tenant, clientId, 'private_key_jwt')
  const verified = await verifyAssertion(assertion, client?.jwks ?? [])
  if (client && !verified) observer.badSignature(tenant.tenant, 'assertion')
  if (!client || !verified) return nobody
  return (await tenant.takeAssertion(clientId, jti, deadAt)) ? { clientId, client } : nobody
}

function readAssertion(compact: string, issuer: string, now: number): Assertion | null {
  try {
    return parseAssertion(compact, [issuer, tokenEndpoint(issuer)], now)
  } catch (error) {
    if (isKeyriteError(error)) return null
    throw error
  }
}
