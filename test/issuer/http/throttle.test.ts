import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Throttle } from '../../../electron/issuer/http/throttle.ts'
import {
  askToken,
  assertionForm,
  GRANT,
  makeAssertion,
  startIssuer,
  type TestIssuer,
  type TestTenant,
} from './service.ts'

describe('a bucket', () => {
  let now = 1000
  const make = (limits = {}) => new Throttle({ failures: 3, throttledClients: 100, ...limits }, () => now)

  it("holds a minute's worth, refills evenly, and says when to come back", () => {
    const throttle = make()
    const ask = () => throttle.request('acme', 'orders', 6)
    expect(Array.from({ length: 6 }, ask)).toEqual(Array(6).fill(0))
    expect(ask()).toBe(10)
    now += 9
    expect(ask()).toBe(1)
    now += 1
    expect([ask(), ask()]).toEqual([0, 10])
    now += 3600
    expect(Array.from({ length: 7 }, ask)).toEqual([...Array(6).fill(0), 10])
  })

  it('is of one client of one tenant, and failures count apart from requests', () => {
    const throttle = make()
    expect([throttle.request('acme', 'orders', 1), throttle.request('acme', 'orders', 1)]).toEqual([0, 60])
    expect(throttle.request('acme', 'orders2', 1)).toBe(0)
    expect(throttle.request('globex', 'orders', 1)).toBe(0)
    expect(throttle.failure('acme', 'orders')).toBe(0)
  })

  it('a lower limit counts at once', () => {
    const throttle = make()
    expect(throttle.request('acme', 'orders', 100)).toBe(0)
    expect([throttle.request('acme', 'orders', 1), throttle.request('acme', 'orders', 1)]).toEqual([0, 60])
  })

  it('fault 24: a million made-up ids take no more memory than the limit, and the newest are remembered', () => {
    const throttle = make({ throttledClients: 50 })
    for (let at = 0; at < 1_000_000; at++) throttle.failure('acme', `made-up-${at}`)
    expect(throttle.size).toBe(50)
    for (let at = 0; at < 3; at++) throttle.failure('acme', 'guessed')
    expect(throttle.failure('acme', 'guessed')).toBeGreaterThan(0)
  })
})

describe('at the token endpoint', () => {
  let issuer: TestIssuer
  let tenant: TestTenant
  beforeAll(async () => {
    issuer = await startIssuer(['acme', 'initech'], { failures: 3 })
    tenant = issuer.tenant('initech')
  })
  afterAll(() => issuer.server.close())

  it("RFC 6585 section 4: beyond the client's own rate, 429 with Retry-After, and nothing is signed", async () => {
    tenant.addSecretClient('limited', 'client_secret_basic')
    const client = tenant.clients.get('limited')
    if (client) client.rateLimit = 2
    const ask = () => askToken(tenant, GRANT, { Authorization: tenant.basic('limited') })
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200])
    const signed = tenant.log.length
    const { status, headers, body } = await ask()
    expect([status, body.error]).toEqual([429, 'temporarily_unavailable'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(30)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(tenant.log).toHaveLength(signed)
    expect((await askToken(tenant, GRANT, { Authorization: tenant.basic() })).status).toBe(200)
  })

  it("requests that are not the client's own do not use up its rate", async () => {
    tenant.addSecretClient('spared', 'client_secret_basic')
    const client = tenant.clients.get('spared')
    if (client) client.rateLimit = 1
    for (let at = 0; at < 3; at++) await askToken(tenant, GRANT, { Authorization: tenant.basic('spared', 'wrong') })
    expect((await askToken(tenant, GRANT, { Authorization: tenant.basic('spared') })).status).toBe(200)
  })

  it.each([
    ['a known id', 'post', 'client_secret_post'],
    ['a made-up id', 'nobody', 'client_secret_post'],
  ])('guessing at %s: 429 from the fourth failure on; other ids and tenants notice nothing', async (_what, id) => {
    const guess = (at: TestTenant) => askToken(at, { ...GRANT, client_id: id, client_secret: 'wrong' })
    for (let at = 0; at < 3; at++) expect((await guess(tenant)).status).toBe(401)
    const { status, headers, body } = await guess(tenant)
    expect([status, body.error]).toEqual([429, 'temporarily_unavailable'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await guess(issuer.tenant('acme'))).status).toBe(401)
    expect((await askToken(tenant, { ...GRANT, client_id: 'other', client_secret: 'x' })).status).toBe(401)
  })

  it('whoever knows only the id cannot keep its client out', async () => {
    const key = tenant.addKeyClient('jwt', 'ES256')
    const stranger = issuer.tenant('acme').addKeyClient('jwt', 'ES256')
    for (let at = 0; at < 8; at++) {
      await askToken(tenant, GRANT, { Authorization: tenant.basic('basic', 'wrong') })
      await askToken(tenant, assertionForm(await makeAssertion(tenant, 'jwt', stranger)))
    }
    const forged = await askToken(tenant, assertionForm(await makeAssertion(tenant, 'jwt', stranger)))
    expect(forged.status).toBe(429)
    expect((await askToken(tenant, GRANT, { Authorization: tenant.basic() })).status).toBe(200)
    expect((await askToken(tenant, assertionForm(await makeAssertion(tenant, 'jwt', key)))).status).toBe(200)
  })
})
