import { createPrivateKey, type KeyObject } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { createIssuerServer } from '../../electron/issuer/http/server.ts'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import type { Policy } from '../../shared/domain/policy.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import {
  makeHandoff,
  makeKey,
  makeRuntime,
  makeTenant,
  makeVault,
  pathsOf,
  policyWith,
  T0,
  type TestRuntime,
  type TestTenant,
} from '../issuer/fixtures.ts'

/** A real runtime behind a real server, with a tenant of each algorithm, in the middle of a rotation. */

export const SPECS = { acme: 'RS256', globex: 'PS256', initech: 'ES256', umbrella: 'ES384', wayne: 'Ed25519' } as const
export type Name = keyof typeof SPECS
export const NAMES = Object.keys(SPECS) as Name[]
export const API = 'https://api.example.com'

export type Interop = {
  tenant: string
  spec: KeySpec
  issuer: string
  jwksUri: string
  /** Of the client `basic`, for client_secret_basic. */
  secret: string
  /** Of the client `signed`, for private_key_jwt. */
  key: { kid: string; privateKey: KeyObject }
  /** The key that signs before the rotation, and the one after it. */
  kids: string[]
}

export type World = {
  url: string
  tenants: Interop[]
  tenant(name: Name): Interop
  /** Another tenant than this one. */
  other(than: Interop): Interop
  /** The new key takes over: from here on it is now. */
  rotate(): Promise<void>
}

/** How long before the start the keys change. Short, because the libraries' clocks are real: both must nearly agree. */
const AGO = 2

const realNow = () => Math.floor(Date.now() / 1000)

/** The issuer of a tenant; by default a practice issuer at the server itself. */
type How = { practice?: boolean; issuerOf?: (tenant: string, url: string) => string }

/**
 * Starts the server, then adds the tenants while it serves. Every tenant signs with its first key until `rotate()`; the
 * second one is announced already. Ends with the test.
 */
export async function startWorld(
  names: readonly Name[] = NAMES,
  { policy: changes, ...how }: How & { policy?: Partial<Policy> } = {},
): Promise<World> {
  const switchAt = realNow() - AGO
  const policy = { rotationInterval: switchAt - T0, horizon: 1 }
  const tenantOf = (name: Name) => ({
    tenant: name,
    policy: policyWith({ ...policy, signingAlgorithms: [SPECS[name]], ...changes }),
  })
  const { made, url, tenants } = await serve(names.map(tenantOf), how)
  await moveTo(made, switchAt - 1)
  const find = (name: Name) => tenants.find((one) => one.tenant === name) ?? fail(`no tenant ${name}`)
  return {
    url,
    tenants,
    tenant: find,
    other: (than) => tenants.find((one) => one.tenant !== than.tenant) ?? fail('no other tenant'),
    rotate: () => moveTo(made, realNow()),
  }
}

/** A runtime with these tenants behind a server on a free port, at T0. Ends with the test. */
export async function serve(
  wanted: readonly { tenant: string; policy: Policy }[],
  { practice = true, issuerOf = (tenant, url) => `${url}/t/${tenant}` }: How = {},
): Promise<{ made: TestRuntime; url: string; tenants: Interop[]; entries: TestTenant[] }> {
  const vault = await makeVault({ practice })
  const made = await makeRuntime(vault)
  const server = await createIssuerServer(made.runtime, { listen: { host: '127.0.0.1', port: 0 } })
  onTestFinished(() => server.close())
  const entries = wanted.map(({ tenant, policy }) =>
    makeTenant(tenant, { policy, issuer: issuerOf(tenant, server.url) }),
  )
  const handoff = await makeHandoff(vault, made.folder, entries, { transportKey: made.transportKey })
  await made.runtime.importFiles(pathsOf(handoff))
  const tenants = await Promise.all(entries.map((entry) => withClients(made, entry)))
  return { made, url: server.url, tenants, entries }
}

export async function moveTo({ clock, runtime }: TestRuntime, at: number): Promise<void> {
  clock.to(at)
  await runtime.tick()
}

const BASIC = { clientId: 'basic', method: 'client_secret_basic' } as const

async function withClients({ runtime }: TestRuntime, entry: TestTenant): Promise<Interop> {
  const { tenant, issuer, policy, keys } = entry
  const [spec = 'ES256'] = policy.signingAlgorithms
  const request = { audiences: [API], scopes: ['orders:read'] }
  const basic = await runtime.clients.add(tenant, { ...request, ...BASIC }, 'test')
  const { jwk, pkcs8 } = makeKey(spec)
  const kid = thumbprint(jwk)
  const jwks = [{ ...jwk, use: 'sig' as const, alg: KEY_SPECS[spec].alg, kid }]
  await runtime.clients.add(tenant, { ...request, clientId: 'signed', method: 'private_key_jwt', jwks }, 'test')
  return {
    tenant,
    spec,
    issuer,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    secret: basic.secret ?? fail('no secret'),
    key: { kid, privateKey: createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }) },
    kids: keys.map((key) => key.kid),
  }
}

const fail = (what: string): never => {
  throw new Error(what)
}

/** An access token of the client `basic`. `at` is where to ask, if not at the issuer itself. */
export async function tokenOf({ issuer, secret }: Interop, at = issuer): Promise<string> {
  const response = await fetch(`${at}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`basic:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
    redirect: 'error',
  })
  const answer = (await response.json()) as { access_token?: string }
  return answer.access_token ?? fail(`no token: ${response.status} ${JSON.stringify(answer)}`)
}

/** The header (0) or the claims (1) of a token, unverified. */
export const partOf = (token: string, index: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<string, unknown>

/** The token with the last byte of its signature changed. */
export function spoiled(token: string): string {
  const [header, claims, signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return `${header}.${claims}.${bytes.toString('base64url')}`
}
