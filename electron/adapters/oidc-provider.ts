import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type * as oidc from 'oidc-provider'
import type { Configuration, Provider } from 'oidc-provider'
import { asKeyriteError, must } from '../../shared/errors.ts'
import type { PublishedJwk } from '../../shared/formats/bundle.ts'
import { type Answer, jsonAnswer, NOT_FOUND, SERVER_ERROR, send } from '../issuer/http/answer.ts'
import { RETRY_AFTER } from '../issuer/http/errors.ts'
import { jwksAnswer } from '../issuer/http/jwks.ts'
import { partyOf } from '../issuer/http/party.ts'
import { hostOf } from '../issuer/http/routes.ts'
import type { IssuerService, TenantService } from '../issuer/service.ts'
import { type Find, signingKey } from './signing-key.ts'

/**
 * oidc-provider with the keys of one tenant of a Keyrite runtime (issuer.md, "Using the keys in an existing issuer").
 * oidc-provider takes its keys once, when it is made. So one is made anew whenever the published keys, or who signs,
 * change; what it remembers (sessions, codes, grants) is in its storage, which all of them share.
 */

export type LoginConfiguration = Omit<Configuration, 'jwks'> & {
  /** oidc-provider's storage. One for each tenant: what is in it counts as a login of that tenant. */
  adapter: NonNullable<Configuration['adapter']>
}

export type TenantProviderOptions = {
  /** `import * as oidc from 'oidc-provider'`: Keyrite does not bring the package along. */
  oidc: Pick<typeof oidc, 'Provider' | 'ExternalSigningKey'>
  /** An open runtime. Whoever opened it ticks it and closes it. */
  runtime: IssuerService
  /** Exactly the issuer of a tenant in that runtime. */
  issuer: string
  configuration: LoginConfiguration
  /** Called with every Provider that is made, before it answers: for events, middleware and grant types. */
  prepare?: (provider: Provider) => void
  /** Told about failures that no request should cause; one line, without anything that a request carried. */
  log?: (line: string) => void
}

export type TenantProvider = {
  readonly issuer: string
  /** True when a request is for this issuer: the same host, and a path below the issuer's. */
  serves(request: IncomingMessage): boolean
  /** Answers requests of this issuer, and 404 to any other. Each answer follows from the store as it is now. */
  callback(): RequestListener
  /** The Provider of now, for pages of your own (`interactionDetails`, `interactionFinished`). Code `tenant-unknown`. */
  current(): Promise<Provider>
}

/** What follows from one state of the tenant. */
type Made = { state: string; keys: number; provider: Provider; answer: ReturnType<Provider['callback']> }
type Served = { tenant: TenantService; made: Made }
type Place = { scheme: string; host: string; path: string }

/** All keys are withdrawn. oidc-provider would blame the client for an algorithm that it does not have. */
const NO_KEYS = jsonAnswer(503, { error: 'temporarily_unavailable' }, { 'Retry-After': `${RETRY_AFTER}` })

/**
 * Serves logins for one tenant. It signs with the key that may sign at the moment of signing and with no other, and
 * answers the tenant's published set at `jwks_uri`. Codes `tenant-unknown`, and `config-invalid` for a configuration with
 * keys of its own or without storage; what oidc-provider itself throws passes through.
 */
export async function createTenantProvider(options: TenantProviderOptions): Promise<TenantProvider> {
  const { runtime, issuer, log = () => {} } = options
  checkConfiguration(options.configuration)
  const place = placeOf(issuer)
  const find: Find = async () => runtime.find(place.host, place.path)
  let made: Made | null = null

  const follow = async (): Promise<Served | null> => {
    const tenant = await find()
    if (!tenant) return null
    const keys = await signersFirst(tenant, runtime.now())
    const state = JSON.stringify([tenant.accessTokenLifetime, tenant.algorithms, keys.map((key) => key.kid)])
    if (made?.state !== state) made = { state, keys: keys.length, ...make(options, place.path, tenant, keys, find) }
    return { tenant, made }
  }
  const current = async (): Promise<Provider> => {
    const served = await follow()
    must(served, 'tenant-unknown', `There is no tenant with the issuer ${issuer} in this runtime.`)
    return served.made.provider
  }
  const serves = ({ rawHeaders, url = '' }: IncomingMessage) =>
    hostOf(rawHeaders) === place.host && url.startsWith(`${place.path}/`)
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const served = serves(request) ? await follow() : null
    const ours = served ? ownAnswer(served, runtime.now(), request) : NOT_FOUND
    if (ours) send(response, ours)
    else await served?.made.answer(mounted(request, place), response)
  }
  const callback = (): RequestListener => (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { code, message } = asKeyriteError(error)
      log(`A request failed: ${message} (${code})`)
      if (response.headersSent) response.destroy()
      else send(response, SERVER_ERROR)
    })
  }
  await current()
  return { issuer, serves, callback, current }
}

function checkConfiguration(configuration: Configuration): void {
  must(!configuration.jwks, 'config-invalid', 'The keys come from the runtime: the configuration may not have any.')
  must(configuration.adapter, 'config-invalid', 'The configuration needs storage (adapter): sessions outlive keys.')
}

/** The scheme, and what the runtime finds a tenant by. Nothing is normalised: an issuer is found exactly or not at all. */
function placeOf(issuer: string): Place {
  const [, scheme, host, path = ''] = /^(https?):\/\/([^/?#]+)(\/[^?#]+)?$/.exec(issuer) ?? []
  must(scheme && host, 'config-invalid', `${issuer} is not the issuer of a tenant.`)
  return { scheme, host, path }
}

/** The published keys. Of two keys of one algorithm oidc-provider signs with the one that stands first. */
async function signersFirst(tenant: TenantService, now: number): Promise<PublishedJwk[]> {
  const signing = new Set<string | undefined>()
  for (const algorithm of tenant.algorithms) signing.add((await tenant.signer(algorithm, now))?.kid)
  const { keys } = tenant.published(now)
  return [...keys.filter((key) => signing.has(key.kid)), ...keys.filter((key) => !signing.has(key.kid))]
}

function make(
  { oidc, runtime, issuer, configuration, prepare }: TenantProviderOptions,
  path: string,
  tenant: TenantService,
  keys: readonly PublishedJwk[],
  find: Find,
): Pick<Made, 'provider' | 'answer'> {
  const provider = new oidc.Provider(issuer, {
    ...configured(configuration, path, tenant, keys),
    jwks: { keys: keys.map((jwk) => signingKey(oidc.ExternalSigningKey, runtime, find, jwk)) },
  })
  // Safe, because `mounted` says what the headers say that it reads: links and cookies follow from the issuer alone.
  provider.proxy = true
  prepare?.(provider)
  return { provider, answer: provider.callback() }
}

/** The configuration, with what follows from the tenant. */
function configured(
  given: LoginConfiguration,
  path: string,
  tenant: TenantService,
  keys: readonly PublishedJwk[],
): Configuration {
  const most = tenant.accessTokenLifetime
  // Ed25519 goes by the name that the keys carry, which is `EdDSA` for older verifiers.
  const eddsa = keys.find((key) => key.kty === 'OKP')?.alg === 'EdDSA'
  const algorithms = tenant.algorithms.map((one) => (eddsa && one === 'Ed25519' ? 'EdDSA' : one))
  const asked = given.ttl?.IdToken ?? most
  return {
    ...given,
    features: { ...given.features, externalSigningSupport: { enabled: true, ack: 'experimental-01' } },
    enabledJWA: { idTokenSigningAlgValues: algorithms, ...given.enabledJWA },
    clientDefaults: { id_token_signed_response_alg: algorithms[0], ...given.clientDefaults },
    // A key is removed once the last token that it may have signed is over: no token may outlive that.
    ttl: {
      ...given.ttl,
      IdToken: (ctx, token, client) => Math.min(most, typeof asked === 'number' ? asked : asked(ctx, token, client)),
    },
    // Two tenants of one host do not see each other's sessions.
    cookies: { ...given.cookies, long: { ...given.cookies?.long, path: path || '/' } },
  }
}

/**
 * What Keyrite answers itself: the key set exactly as it is served everywhere, with the time until its next change as
 * `max-age`. Null where oidc-provider answers.
 */
function ownAnswer({ tenant, made }: Served, now: number, request: IncomingMessage): Answer | null {
  const { method = '', url = '', headers, rawHeaders } = request
  const isKeySet = ['GET', 'HEAD'].includes(method) && url.split('?', 1)[0] === made.provider.pathFor('jwks')
  if (!isKeySet) return made.keys === 0 ? NO_KEYS : null
  const party = method === 'GET' ? partyOf(rawHeaders) : undefined
  return jwksAnswer(tenant, { now, ifNoneMatch: headers['if-none-match'], party })
}

/** The request as oidc-provider takes it below a path, with its own origin and nobody's word for it. */
function mounted(request: IncomingMessage, { scheme, path }: Place): IncomingMessage {
  const { url = '', headers } = request
  delete headers['x-forwarded-host']
  headers['x-forwarded-proto'] = scheme
  return Object.assign(request, { originalUrl: url, url: url.slice(path.length) })
}
