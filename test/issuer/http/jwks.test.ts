import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { maxAge, spread } from '../../../electron/issuer/http/caching.ts'
import { partyOf } from '../../../electron/issuer/http/party.ts'
import { makeKey, SPECS, startIssuer, type TestIssuer, type TestTenant } from './service.ts'

let issuer: TestIssuer
let tenant: TestTenant
let count = 0
beforeAll(async () => {
  issuer = await startIssuer(Object.keys(SPECS) as (keyof typeof SPECS)[])
})
afterAll(() => issuer.server.close())
beforeEach(() => {
  tenant = issuer.add(`jwks-${count++}`, 'ES256')
})

const get = (file = 'jwks.json', headers: Record<string, string> = {}, from = tenant) =>
  fetch(`${from.issuer}/.well-known/${file}`, { headers, redirect: 'error' })

describe('jwks.json (RFC 7517)', () => {
  it('200 exactly, application/json, CORS *, a strong ETag, and exactly the public members', async () => {
    const members = {
      RSA: ['kty', 'n', 'e', 'use', 'alg', 'kid'],
      EC: ['kty', 'crv', 'x', 'y', 'use', 'alg', 'kid'],
      OKP: ['kty', 'crv', 'x', 'use', 'alg', 'kid'],
    }
    for (const name of Object.keys(SPECS) as (keyof typeof SPECS)[]) {
      const response = await get('jwks.json', {}, issuer.tenant(name))
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(response.headers.get('etag')).toMatch(/^"[\w-]{43}"$/)
      const set = (await response.json()) as { keys: Record<string, string>[] }
      expect(set).toEqual({ keys: [issuer.tenant(name).keys[0]?.published] })
      for (const key of set.keys) expect(Object.keys(key)).toEqual(members[key.kty as keyof typeof members])
    }
  })

  it('a private member is never served, even if the service held one', async () => {
    const key = makeKey('ES256')
    tenant.keys = [{ ...key, published: { ...key.published, ...{ d: 'canary' } } }]
    expect(await (await get()).text()).not.toContain('canary')
  })

  it('RFC 9110 section 13.1.2: If-None-Match gives 304 with ETag and max-age, without a body', async () => {
    const etag = (await get()).headers.get('etag') ?? ''
    for (const sent of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const response = await get('jwks.json', { 'If-None-Match': sent })
      expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, etag, ''])
      expect(response.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
    }
    for (const sent of ['"x"', etag.slice(1, -1), ''])
      expect((await get('jwks.json', { 'If-None-Match': sent })).status).toBe(200)
  })

  it('a change of the key set shows at once, under another ETag', async () => {
    const before = (await get()).headers.get('etag') ?? ''
    const added = makeKey('ES384')
    tenant.keys = [...tenant.keys, added]
    const after = await get('jwks.json', { 'If-None-Match': before })
    expect(after.status).toBe(200)
    expect(after.headers.get('etag')).not.toBe(before)
    const key = await createLocalJWKSet((await after.json()) as JSONWebKeySet)({
      alg: 'ES384',
      kid: added.published.kid,
    })
    expect(key.type).toBe('public')
  })

  it('max-age is at most 1 h, at most the time to the next change, drawn down, and never negative', async () => {
    const age = async () => Number(/max-age=(\d+)/.exec((await get()).headers.get('cache-control') ?? '')?.[1])
    expect(await age()).toBe(maxAge(86_400, spread(tenant.issuer)))
    for (const [seconds, most] of [
      [86_400, 3600],
      [100, 100],
      [1, 1],
      [0, 0],
      [-5, 0],
    ] as const) {
      tenant.secondsToChange = seconds
      expect(await age()).toBeLessThanOrEqual(most)
      expect(await age()).toBeGreaterThanOrEqual(Math.floor(most * 0.8))
    }
  })

  it('the jitter of a tenant is always the same, and tenants differ', () => {
    const ages = Array.from({ length: 200 }, (_, at) => maxAge(3600, spread(`https://t${at}.example`)))
    expect(ages).toEqual(Array.from({ length: 200 }, (_, at) => maxAge(3600, spread(`https://t${at}.example`))))
    expect(new Set(ages).size).toBeGreaterThan(100)
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(2880)
    expect(Math.max(...ages)).toBeLessThanOrEqual(3600)
  })
})

describe('jwks.jwt', () => {
  it('is what the root signed, byte for byte, as application/jwk-set+jwt', async () => {
    const response = await get('jwks.jwt')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jwk-set+jwt'])
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.text()).toBe(tenant.signed)
    const etag = response.headers.get('etag') ?? ''
    expect((await get('jwks.jwt', { 'If-None-Match': etag })).status).toBe(304)
    tenant.signed = 'eyJhbGciOiJFUzI1NiJ9.e30.b3RoZXI'
    expect(await (await get('jwks.jwt', { 'If-None-Match': etag })).text()).toBe(tenant.signed)
  })

  it('503 with Retry-After while no signed set holds exactly the published keys; jwks.json serves on', async () => {
    tenant.signed = null
    const response = await get('jwks.jwt')
    expect([response.status, response.headers.get('cache-control')]).toEqual([503, 'no-store'])
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await get()).status).toBe(200)
  })
})

describe('historical-keys.jwt (OpenID Federation section 8.7)', () => {
  it('404 while the vault signed none; then what it signed, byte for byte, with an ETag', async () => {
    const none = await get('historical-keys.jwt')
    expect([none.status, await none.json()]).toEqual([404, { error: 'not_found' }])
    for (const text of ['eyJhbGciOiJFUzI1NiJ9.e30.aA', 'eyJhbGciOiJFUzI1NiJ9.e30.aQ']) {
      tenant.historical = text
      const response = await get('historical-keys.jwt')
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jwk-set+jwt'])
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(Number(/max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '')?.[1])).toBeLessThanOrEqual(3600)
      expect(await response.text()).toBe(text)
      const etag = response.headers.get('etag') ?? ''
      expect((await get('historical-keys.jwt', { 'If-None-Match': etag })).status).toBe(304)
    }
  })

  it('is served as well where it has to be read from the store first', async () => {
    tenant.historicalSet = async () => 'eyJhbGciOiJFUzI1NiJ9.e30.aA'
    tenant.signedSet = async () => 'eyJhbGciOiJFUzI1NiJ9.e30.aQ'
    expect(await (await get('historical-keys.jwt')).text()).toBe('eyJhbGciOiJFUzI1NiJ9.e30.aA')
    expect(await (await get('jwks.jwt')).text()).toBe('eyJhbGciOiJFUzI1NiJ9.e30.aQ')
  })
})

describe('propagation evidence', () => {
  const kids = () => tenant.keys.map((key) => key.published.kid)

  it('each fetch of the keys is noted with who says it fetched and what it got, 304 as well', async () => {
    const etag = (await get('jwks.json', { 'Keyrite-Relying-Party': 'Orders gateway' })).headers.get('etag') ?? ''
    await get('jwks.json', { 'If-None-Match': etag, 'User-Agent': 'Go-http-client/2.0' })
    tenant.keys = [...tenant.keys, makeKey('ES256')]
    await get('jwks.jwt', { 'User-Agent': '<script>/1' })
    const [first = ''] = kids()
    expect(tenant.fetches).toEqual([
      { party: 'Orders gateway', kids: [first], now: expect.any(Number) },
      { party: 'Go-http-client', kids: [first], now: expect.any(Number) },
      { party: null, kids: kids(), now: expect.any(Number) },
    ])
  })

  it('what gives no keys is not noted: HEAD, discovery, history, and 503', async () => {
    tenant.signed = null
    tenant.historical = 'e30.e30.e30'
    await fetch(`${tenant.issuer}/.well-known/jwks.json`, { method: 'HEAD' })
    for (const file of ['openid-configuration', 'historical-keys.jwt', 'jwks.jwt']) await get(file)
    expect(tenant.fetches).toEqual([])
  })

  it.each([
    [['Keyrite-Relying-Party', 'a'], 'a'],
    [['keyrite-relying-party', 'x'.repeat(200)], 'x'.repeat(200)],
    [['Keyrite-Relying-Party', 'gateway', 'User-Agent', 'jose/v6'], 'gateway'],
    [['Keyrite-Relying-Party', 'x'.repeat(201)], null],
    [['Keyrite-Relying-Party', ''], null],
    [['Keyrite-Relying-Party', 'a\tb'], null],
    [['Keyrite-Relying-Party', 'caf\u00e9'], null],
    [['Keyrite-Relying-Party', 'a', 'Keyrite-Relying-Party', 'b', 'User-Agent', 'jose/v6'], 'jose'],
    [['User-Agent', 'Apache-HttpClient/4.5.14 (Java/17)'], 'Apache-HttpClient'],
    [['User-Agent', 'node'], 'node'],
    [['User-Agent', 'x'.repeat(65)], null],
    [['User-Agent', 'a"b/1'], null],
    [['User-Agent', 'a', 'User-Agent', 'b'], null],
    [[], null],
  ])('%j is %j', (rawHeaders, party) => expect(partyOf(rawHeaders)).toBe(party))
})
