import { type BinaryLike, constants, createPublicKey, verify } from 'node:crypto'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readProxies } from '../../electron/issuer/http/proxies.ts'
import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { exchange, request, statusOf } from '../issuer/http/raw.ts'
import {
  API,
  askToken,
  assertionForm,
  GRANT,
  makeAssertion,
  SPECS,
  startIssuer,
  type TestIssuer,
  type TestKey,
  tokenOf,
} from '../issuer/http/service.ts'

/** Fault 25: one tenant's tokens, clients, assertions and key sets are worth nothing at any other tenant. */

type Name = keyof typeof SPECS
const NAMES = Object.keys(SPECS) as Name[]
/** A second tenant for each algorithm, so that every key meets another one of its own kind. */
const TWINS = NAMES.map((name) => `${name}-twin` as const)
const insecure = { [oauth.allowInsecureRequests]: true }

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await startIssuer(NAMES)
  for (const name of NAMES) issuer.add(`${name}-twin`, SPECS[name])
})
afterAll(() => issuer.server.close())

const tenantOf = (name: string) => issuer.tenant(name as Name)
const ALL = [...NAMES, ...TWINS]
const PAIRS = ALL.flatMap((from) => ALL.filter((to) => to !== from).map((to) => [from, to] as const))

/** The bare signature check: header, kid and policy ignored. */
function signatureHolds(token: string, key: TestKey): boolean {
  const [header, payload, signature] = token.split('.')
  const row = KEY_SPECS[key.spec]
  const publicKey = createPublicKey({ key: { ...key.published }, format: 'jwk' })
  const padding = row.kty === 'RSA' && row.pss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}
  const options = { key: publicKey, dsaEncoding: 'ieee-p1363' as const, ...padding }
  const data: BinaryLike = Buffer.from(`${header}.${payload}`)
  return verify(row.hash, data, options, Buffer.from(signature ?? '', 'base64url'))
}

describe('fault 25: every token at every other tenant', () => {
  it('its own key verifies each token: the matrix below can fail', async () => {
    for (const name of ALL) {
      const tenant = tenantOf(name)
      const [key] = tenant.keys
      expect(key && signatureHolds(await tokenOf(tenant), key), name).toBe(true)
    }
  })

  it.each(PAIRS)('a token of %s is rejected by the policy of %s', async (from, to) => {
    const token = await tokenOf(tenantOf(from))
    const url = new URL(tenantOf(to).issuer)
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
    const attempt = new Request(API, { headers: { Authorization: `Bearer ${token}` } })
    await expect(oauth.validateJwtAccessToken(server, attempt, API, insecure)).rejects.toThrow()
    const keys = createRemoteJWKSet(new URL(String(server.jwks_uri)))
    await expect(jwtVerify(token, keys)).rejects.toBeInstanceOf(errors.JOSEError)
  })

  it.each(PAIRS)('a token of %s does not verify under any key of %s, its kid ignored', async (from, to) => {
    const token = await tokenOf(tenantOf(from))
    for (const key of tenantOf(to).keys) expect(signatureHolds(token, key)).toBe(false)
  })
})

describe('fault 25: spoofed hosts and forwarded headers', () => {
  it.each([
    'X-Forwarded-Host: spoofed.example',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Prefix: /t/globex',
    'X-Original-URL: /t/globex/.well-known/jwks.json',
    'X-Rewrite-URL: /t/globex/.well-known/jwks.json',
    'Forwarded: host=spoofed.example;proto=https',
    'X-HTTP-Method-Override: POST',
  ])('"%s" changes nothing', async (header) => {
    const tenant = issuer.add('spoofed', 'ES256')
    issuer.service.tenants.set('http://spoofed.example/t/acme', tenant)
    const ask = (headers: string[]) =>
      exchange(
        issuer.server.port,
        request('GET /t/acme/.well-known/jwks.json', [`Host: 127.0.0.1:${issuer.server.port}`, ...headers]),
      )
    const plain = (response: string) => response.replace(/^Date: .*$/m, '')
    expect(plain(await ask([header]))).toBe(plain(await ask([])))
  })

  it('the Host of one issuer with the path of another is 404', async () => {
    const tenant = issuer.add('hosted', 'ES256')
    issuer.service.tenants.set('http://hosted.example', tenant)
    const ask = async (host: string, path: string) =>
      statusOf(await exchange(issuer.server.port, request(`GET ${path}/.well-known/jwks.json`, [`Host: ${host}`])))
    expect(await ask('hosted.example', '')).toBe(200)
    expect(await ask('hosted.example', '/t/acme')).toBe(404)
    expect(await ask(`127.0.0.1:${issuer.server.port}`, '')).toBe(404)
    expect(await ask('127.0.0.1', '/t/acme')).toBe(404)
    expect(await ask('localhost', '/t/acme')).toBe(404)
  })
})

describe('fault 25: forwarded headers of a trusted proxy, and of everybody else', () => {
  /** What a server that trusts `proxies` says to a request for `host` with these header lines: which tenant's keys. */
  async function servedBy(trustProxy: string[], lines: string[]): Promise<string | number> {
    const front = await startIssuer([], {}, { trustProxy })
    const own = front.add('own', 'ES256')
    const other = front.add('other', 'ES256')
    front.service.tenants.set('http://id.example', other)
    front.service.tenants.set(`http://127.0.0.1:${front.server.port}`, own)
    const head = lines.some((line) => /^host:/i.test(line)) ? lines : [`Host: 127.0.0.1:${front.server.port}`, ...lines]
    const response = await exchange(front.server.port, request('GET /.well-known/jwks.json', head))
    await front.server.close()
    const kid = /"kid":"([\w-]+)"/.exec(response)?.[1]
    const found = [own, other].find((tenant) => tenant.keys[0]?.published.kid === kid)
    return found?.tenant ?? statusOf(response)
  }

  it.each([
    [['127.0.0.1'], 'other'],
    [['127.0.0.0/8'], 'other'],
    [['10.0.0.0/8', '127.0.0.1/32'], 'other'],
    [[], 'own'],
    [['127.0.0.2'], 'own'],
    [['10.0.0.0/8', '::1'], 'own'],
  ])('with the proxies %j, X-Forwarded-Host of 127.0.0.1 leads to %s', async (trustProxy, tenant) => {
    expect(await servedBy(trustProxy, ['X-Forwarded-Host: ID.example', 'X-Forwarded-Proto: https'])).toBe(tenant)
  })

  it.each([
    ['two of them', ['X-Forwarded-Host: id.example', 'X-Forwarded-Host: id.example'], 400],
    ['a list', ['X-Forwarded-Host: id.example, 127.0.0.1'], 400],
    ['an empty one', ['X-Forwarded-Host:'], 400],
    ['a malformed one', ['X-Forwarded-Host: user@id.example'], 400],
    ['an unknown one', ['X-Forwarded-Host: nobody.example'], 404],
    ['one beside a malformed Host', ['X-Forwarded-Host: id.example', 'Host: a@b'], 400],
    ['none: Host counts', [], 'own'],
    ['only other headers: Host counts', ['Forwarded: host=id.example', 'X-Original-Host: id.example'], 'own'],
    ['plain http in front: nothing is found by its scheme', ['X-Forwarded-Proto: http'], 'own'],
  ])('from a trusted proxy, %s', async (_what, lines, outcome) => {
    expect(await servedBy(['127.0.0.1'], lines)).toBe(outcome)
  })

  it.each(['proxy.example', '127.0.0.1/33', '::1/129', '1.2.3', '', '127.0.0.1/', '127.0.0.1/-1'])(
    'a proxy that is no address and no range is refused at the start: "%s"',
    async (one) => {
      await expect(startIssuer([], {}, { trustProxy: [one] })).rejects.toMatchObject({ code: 'config-invalid' })
    },
  )

  it('IPv6 ranges, and IPv4 peers of a socket for both families', () => {
    const isProxy = readProxies(['fd00::/8', '192.0.2.0/24'])
    expect(['fd00::1', '::ffff:192.0.2.9', '192.0.2.1'].map(isProxy)).toEqual([true, true, true])
    expect(['fe80::1', '::ffff:192.0.3.9', '', undefined, 'x'].map(isProxy)).toEqual(Array(5).fill(false))
  })
})

describe('fault 25: introspection', () => {
  it.each(PAIRS)('a token of %s is inactive at %s', async (from, to) => {
    const client = tenantOf(to).clients.get('basic')
    if (client) client.introspects = true
    const ask = async (token: string) => {
      const headers = { Authorization: tenantOf(to).basic() }
      const body = new URLSearchParams({ token })
      return (await fetch(`${tenantOf(to).issuer}/introspect`, { method: 'POST', headers, body })).json()
    }
    expect(await ask(await tokenOf(tenantOf(from)))).toEqual({ active: false })
    expect(await ask(await tokenOf(tenantOf(to)))).toMatchObject({ active: true, iss: tenantOf(to).issuer })
  })
})

describe('fault 25: clients and assertions', () => {
  it.each(PAIRS.filter(([from]) => from === 'acme'))('a client of %s is unknown at %s', async (from, to) => {
    const secret = tenantOf(from).secretOf('basic')
    const answer = await askToken(tenantOf(to), GRANT, { Authorization: tenantOf(to).basic('basic', secret) })
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  it('an assertion for the token endpoint of A is refused at B, even where the same client and key are registered', async () => {
    const [a, b] = [tenantOf('acme'), tenantOf('initech')]
    const key = a.addKeyClient('shared', 'ES256')
    const client = a.clients.get('shared')
    if (client) b.clients.set('shared', { ...client })
    for (const aud of [a.issuer, `${a.issuer}/token`]) {
      const form = assertionForm(await makeAssertion(a, 'shared', key, { aud }))
      expect(await askToken(b, form)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
      expect(b.used.size).toBe(0)
      expect((await askToken(a, form)).status).toBe(200)
    }
  })

  it("a jti used at A is still free at B: replay memory is the tenant's own", async () => {
    const [a, b] = [tenantOf('globex'), tenantOf('umbrella')]
    for (const tenant of [a, b]) {
      const key = tenant.addKeyClient('same', 'ES256')
      const form = assertionForm(await makeAssertion(tenant, 'same', key, { jti: 'the-same' }))
      expect((await askToken(tenant, form)).status).toBe(200)
      expect((await askToken(tenant, form)).status).toBe(401)
    }
  })

  it('an access token of a tenant is no client assertion there', async () => {
    const tenant = tenantOf('initech')
    const form = assertionForm(await tokenOf(tenant))
    expect(await askToken(tenant, form)).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })
})

describe('fault 25: no cache bleeds', () => {
  it('the key set of A is never served for B, with interleaved requests and validators', async () => {
    const etags = new Map<string, string>()
    const check = async (name: string, borrowed?: string) => {
      const headers = borrowed ? { 'If-None-Match': borrowed } : {}
      const response = await fetch(`${tenantOf(name).issuer}/.well-known/jwks.json`, { headers })
      expect(response.status, `${name} with another tenant's ETag`).toBe(200)
      etags.set(name, response.headers.get('etag') ?? '')
      const { keys } = (await response.json()) as { keys: unknown[] }
      expect(keys).toEqual(tenantOf(name).keys.map((key) => key.published))
    }
    for (let round = 0; round < 10; round++)
      await Promise.all(ALL.map((name, at) => check(name, etags.get(ALL[(at + 1) % ALL.length] ?? ''))))
    expect(new Set(etags.values()).size).toBe(ALL.length)
  })

  it("the discovery document of A is never served for B, with A's validator", async () => {
    for (const [at, name] of ALL.entries()) {
      const url = (of: string) => `${tenantOf(of).issuer}/.well-known/openid-configuration`
      const etag = (await fetch(url(ALL[(at + 1) % ALL.length] ?? ''))).headers.get('etag') ?? ''
      const response = await fetch(url(name), { headers: { 'If-None-Match': etag } })
      expect([response.status, (await response.json()).issuer]).toEqual([200, tenantOf(name).issuer])
    }
  })

  it('concurrent token requests each get a token of their own issuer and key', async () => {
    const jobs = Array.from({ length: 100 }, (_, at) => ALL[at % ALL.length] ?? 'acme')
    const tokens = await Promise.all(jobs.map(async (name) => [name, await tokenOf(tenantOf(name))] as const))
    for (const [name, token] of tokens) {
      const tenant = tenantOf(name)
      const keys = createRemoteJWKSet(new URL(`${tenant.issuer}/.well-known/jwks.json`))
      await jwtVerify(token, keys, { issuer: tenant.issuer, audience: API })
    }
  })

  it('a tenant taken away and put back with other keys serves only the new ones', async () => {
    const before = issuer.add('reborn', 'ES256')
    const get = async () => (await fetch(`${before.issuer}/.well-known/jwks.json`)).json()
    expect(await get()).toEqual({ keys: [before.keys[0]?.published] })
    const after = issuer.add('reborn', 'ES256')
    expect(await get()).toEqual({ keys: [after.keys[0]?.published] })
  })
})
