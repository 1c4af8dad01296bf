import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { openTrustPolicy } from '../../shared/trust/policy.ts'
import { createTrustContext, verify } from '../../shared/trust/verify.ts'
import { ask, askToken } from '../issuer/serving/ask.ts'
import { AUDIENCE, type Client, configure, serving, today } from '../issuer/serving/process.ts'

/** Fault 25 at real processes with a real store: whose token, whose keys, whatever else is asked at the same time. */

const NAMES = Array.from({ length: 12 }, (_, at) => `tenant-${String.fromCharCode(97 + at)}`)
const issuerOf = ({ host }: Client) => `https://${host}`
const jwksOf = async (url: string, { host }: Client, headers: Record<string, string> = {}) =>
  ask(url, { host, path: '/.well-known/jwks.json', headers })

async function tokenOf(url: string, client: Client): Promise<string> {
  const { status, body } = await askToken(url, client)
  expect(status, body).toBe(200)
  return JSON.parse(body).access_token
}

/** A runtime with these tenants, whose clients may introspect. */
async function introspecting(names: readonly string[]) {
  const made = await today(names)
  const runtime = await openRuntime({ dir: made.dir })
  const checkers: Client[] = []
  for (const { tenant, host } of made.clients) {
    const request = { clientId: 'checker', method: 'client_secret_basic' as const, audiences: [AUDIENCE] }
    const { secret } = await runtime.clients.add(tenant, { ...request, introspects: true }, 'operator')
    checkers.push({ tenant, host, clientId: 'checker', secret: secret ?? '' })
  }
  await runtime.close()
  return { ...made, checkers }
}

describe('fault 25: two processes, twelve tenants', () => {
  it('600 interleaved requests: every token and key set is of the tenant asked', async () => {
    const { dir, clients } = await today(NAMES)
    const { url } = await serving(dir, '--workers', '2', '--port', '0')
    const sets = new Map<string, string>()
    for (const client of clients) sets.set(client.tenant, (await jwksOf(url, client)).body)
    expect(new Set(sets.values()).size).toBe(NAMES.length)
    const jobs = Array.from({ length: 600 }, (_, at) => clients[(at * 5) % clients.length] as Client)
    const wrong: string[] = []
    await Promise.all(
      jobs.map(async (client, at) => {
        if (at % 3 === 0) {
          if ((await jwksOf(url, client)).body !== sets.get(client.tenant)) wrong.push(`key set of ${client.tenant}`)
          return
        }
        const keys = createLocalJWKSet(JSON.parse(sets.get(client.tenant) ?? '') as JSONWebKeySet)
        const { payload } = await jwtVerify(await tokenOf(url, client), keys)
        if (payload.iss !== issuerOf(client)) wrong.push(`token of ${client.tenant}`)
      }),
    )
    expect(wrong).toEqual([])
  })

  it("every tenant's token is inactive at every other one's introspection, and denied by every other one's policy", async () => {
    const { dir, clients, checkers } = await introspecting(NAMES.slice(0, 6))
    const { url } = await serving(dir, '--workers', '2', '--port', '0')
    const tokens = await Promise.all(clients.map((client) => tokenOf(url, client)))
    const now = () => Math.floor(Date.now() / 1000)
    for (const [at, checker] of checkers.entries()) {
      const issuer = issuerOf(checker)
      const { body } = await jwksOf(url, checker)
      const keys = { source: 'jwks', jwksUri: `${issuer}/.well-known/jwks.json` }
      const one = { issuer, keys, audiences: [AUDIENCE], algorithms: ['ES256'], types: ['at+jwt'], maxAge: '1d' }
      const policy = await openTrustPolicy(JSON.stringify({ format: 1, issuers: [one] }))
      const fetch = async () => new Response(body, { headers: { 'Content-Type': 'application/json' } })
      const context = createTrustContext(policy, { fetch, now, timeoutMs: 1000 })
      for (const [from, token] of tokens.entries()) {
        const reply = await ask(url, {
          host: checker.host,
          path: '/introspect',
          form: { token },
          headers: { authorization: `Basic ${Buffer.from(`checker:${checker.secret}`).toString('base64')}` },
        })
        const seen = JSON.parse(reply.body)
        expect(seen.active, `${from} at ${at}`).toBe(from === at)
        if (from !== at) expect(seen).toEqual({ active: false })
        const decision = await verify(token, context)
        expect(decision.allow ? 'allow' : decision.reason).toBe(from === at ? 'allow' : 'issuer-unknown')
      }
    }
  })

  it('a client of one tenant is nobody at another, with the same id and another secret', async () => {
    const { dir, clients } = await today(NAMES.slice(0, 3))
    const { url } = await serving(dir, '--workers', '2', '--port', '0')
    for (const from of clients)
      for (const to of clients) {
        const { status } = await askToken(url, { ...from, host: to.host })
        expect(status).toBe(from === to ? 200 : 401)
      }
  })
})

describe('fault 25: Host and forwarded headers at real processes', () => {
  it.each([
    [[], 0],
    [['10.0.0.0/8'], 0],
    [['127.0.0.1'], 1],
  ])('with the proxies %j, X-Forwarded-Host leads to tenant %i of two', async (trustProxy, served) => {
    const { dir, clients } = await today(NAMES.slice(0, 2))
    configure(dir, { trustProxy })
    const { url } = await serving(dir, '--workers', '2', '--port', '0')
    const [own, other] = clients as [Client, Client]
    const plain = [(await jwksOf(url, own)).body, (await jwksOf(url, other)).body]
    const spoofed: Record<string, string> = {
      'x-forwarded-host': other.host,
      'x-forwarded-proto': 'http',
      'x-forwarded-prefix': '/x',
      forwarded: `host=${other.host}`,
      'x-original-host': other.host,
      'x-host': other.host,
    }
    for (let round = 0; round < 4; round++) expect((await jwksOf(url, own, spoofed)).body).toBe(plain[served])
    // Where the header does not lead anywhere, its sender's credentials are of no use at the other tenant either.
    const form = { grant_type: 'client_credentials' }
    const authorization = `Basic ${Buffer.from(`app:${own.secret}`).toString('base64')}`
    const { status } = await ask(url, { host: own.host, path: '/token', form, headers: { ...spoofed, authorization } })
    expect(status).toBe(served === 0 ? 200 : 401)
  })

  it('the Host header is compared without regard to case, and to nothing else', async () => {
    const { dir } = await today(NAMES.slice(0, 1))
    const { url } = await serving(dir, '--workers', '1', '--port', '0')
    const statusAt = async (host: string) => (await ask(url, { host, path: '/.well-known/jwks.json' })).status
    expect(await statusAt('TENANT-A.Example.COM')).toBe(200)
    for (const part of ['tenant-a.example.com:443', 'tenant-a.example.com.', 'xtenant-a.example.com', 'example.com'])
      expect(await statusAt(part), part).toBe(404)
  })
})
