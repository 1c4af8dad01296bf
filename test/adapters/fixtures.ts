import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { onTestFinished } from 'vitest'
import { type Login, serveLogins } from '../../docs/examples/oidc-provider.ts'
import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { DAY, type Policy } from '../../shared/domain/policy.ts'
import type { BundleKey, PublishedJwk } from '../../shared/formats/bundle.ts'
import { freePort } from '../cli/run.ts'
import { makeServing, makeTenant, makeVault, policyWith, type TestTenant } from '../issuer/fixtures.ts'
import { Browser } from './browser.ts'
import { storage } from './storage.ts'

/** The documented example over real stores, real oidc-providers and a real client. */

export const CALLBACK = 'http://127.0.0.1:1/callback'
export const CLIENT = 'shop'
const SECRET = 'a secret of this test only'

type LoginOptions = { before?: (model: string) => unknown; ttl?: Record<string, number> }

export function login(issuer: string, alg: string, { before, ttl }: LoginOptions = {}): Login {
  return {
    issuer,
    configuration: {
      adapter: storage(before),
      cookies: { keys: [randomBytes(32).toString('hex')] },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
      clients: [
        {
          client_id: CLIENT,
          client_secret: SECRET,
          redirect_uris: [CALLBACK],
          id_token_signed_response_alg: alg as 'ES256',
        },
      ],
      ttl: { AccessToken: 600, Grant: DAY, Interaction: 600, Session: DAY, ...ttl },
    },
    signIn,
  }
}

/** A page that believes whoever sends a name. */
async function signIn(request: IncomingMessage, response: ServerResponse): Promise<string | null> {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<form method="post"><input name="account"></form>')
    return null
  }
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  return new URLSearchParams(body).get('account')
}

/** Tenants of one practice runtime with keys, and the example serving logins for all of them on one port. */
export async function makeLogins(tenants: Record<string, Partial<Policy>>, options: LoginOptions = {}) {
  const port = await freePort()
  const vault = await makeVault({ practice: true })
  const made = Object.entries(tenants).map(([name, policy]) =>
    makeTenant(name, { issuer: `http://127.0.0.1:${port}/t/${name}`, policy: policyWith(policy) }),
  )
  const serving = await makeServing(vault, made)
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const logins = made.map(({ issuer, policy }) =>
    login(issuer, KEY_SPECS[policy.signingAlgorithms[0] ?? 'ES256'].alg, options),
  )
  const served = await serveLogins({ dir: serving.dir, clock: serving.clock, logins, port, say })
  onTestFinished(() => served.close())
  /** What the runtime says that this issuer publishes now. */
  const published = async (issuer: string): Promise<PublishedJwk[]> => {
    const { host, pathname } = new URL(issuer)
    const tenant = await serving.runtime.find(host, pathname)
    return tenant?.published(serving.runtime.now()).keys ?? []
  }
  return {
    ...serving,
    /** The runtime that logins are served from; `runtime` is another one on the same store. */
    here: served.runtime,
    issuers: made.map((tenant) => tenant.issuer),
    tenants: made,
    published,
    said,
    port,
  }
}

/** A key of the first tenant. */
export function keyOf([tenant]: readonly TestTenant[], at: number): BundleKey {
  const key = tenant?.keys[at]
  if (!key) throw new Error(`The tenant has no key ${at}.`)
  return key
}

export const discover = async (issuer: string): Promise<client.ServerMetadata> =>
  (await fetch(`${issuer}/.well-known/openid-configuration`)).json() as Promise<client.ServerMetadata>

export type Attempt = {
  url: URL
  /** How many pages the browser was shown on the way. */
  pages: number
  config: client.Configuration
  checks: client.AuthorizationCodeGrantChecks
}

/** The browser's half of a login: from the client to the issuer's page and back, with a code. */
export async function authorize(issuer: string, browser = new Browser(), { answer = true } = {}): Promise<Attempt> {
  const [alg = 'ES256'] = (await discover(issuer)).id_token_signing_alg_values_supported ?? []
  const metadata = { client_secret: SECRET, id_token_signed_response_alg: alg }
  const config = await client.discovery(new URL(issuer), CLIENT, metadata, undefined, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  })
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
  const start = client.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
  })
  const checks = { pkceCodeVerifier, expectedState, expectedNonce }
  const { origin } = new URL(issuer)
  const page = await browser.follow(start, origin)
  if (page.response === null || !answer) return { url: page.url, pages: 0, config, checks }
  if (page.response.status !== 200) throw new Error(`${page.response.status} ${await page.response.text()}`)
  const answered = await browser.request(page.url, { method: 'POST', body: new URLSearchParams({ account: 'alice' }) })
  const { url } = await browser.follow(new URL(answered.headers.get('location') ?? '', page.url), origin)
  return { url, pages: 1, config, checks }
}

export type LoggedIn = { idToken: string; kid: string; sub: string; claims: { exp: number; iat: number } }

/** The client's half: code for tokens. The client itself verifies the ID token through `jwks_uri`. */
export async function exchange({ url, config, checks }: Attempt): Promise<LoggedIn> {
  const tokens = await client.authorizationCodeGrant(config, url, checks)
  const [idToken, claims] = [tokens.id_token, tokens.claims()]
  if (!idToken || !claims) throw new Error('There is no ID token.')
  return { idToken, kid: String(decodeProtectedHeader(idToken).kid), sub: claims.sub, claims }
}

export const logIn = async (issuer: string, browser?: Browser): Promise<LoggedIn> =>
  exchange(await authorize(issuer, browser))

export const fetchKeys = async (issuer: string): Promise<JSONWebKeySet> =>
  (await fetch(`${issuer}/jwks`)).json() as Promise<JSONWebKeySet>

/** Verifies an ID token as a relying party of this issuer, with the keys of now. */
export async function verifies(idToken: string, issuer: string): Promise<boolean> {
  try {
    await jwtVerify(idToken, createLocalJWKSet(await fetchKeys(issuer)), { issuer, audience: CLIENT })
    return true
  } catch {
    return false
  }
}

/** How an issuer refused: status and OAuth error. Null when it did not. */
export async function refusal(work: Promise<unknown>): Promise<{ status: number; error: string } | null> {
  try {
    await work
    return null
  } catch (error) {
    const answer = error instanceof Error ? error.cause : null
    if (!(answer instanceof Response)) throw error
    const { error: name } = (await answer.json()) as { error: string }
    return { status: answer.status, error: name }
  }
}
