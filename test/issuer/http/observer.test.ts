import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Observer } from '../../../electron/issuer/service.ts'
import {
  askToken,
  assertionForm,
  GRANT,
  makeAssertion,
  makeKey,
  startIssuer,
  type TestIssuer,
  type TestTenant,
} from './service.ts'

const seen: unknown[][] = []
const times: [string, number][] = []
const observer: Observer = {
  issued: (...all) => seen.push(['issued', ...all]),
  refused: (...all) => seen.push(['refused', ...all]),
  served: (...all) => seen.push(['served', ...all]),
  badSignature: (...all) => seen.push(['bad', ...all]),
  took: (...all) => times.push(all),
}

let issuer: TestIssuer
let tenant: TestTenant
beforeAll(async () => {
  issuer = await startIssuer(['initech'], { failures: 1 }, { observer })
  tenant = issuer.tenant('initech')
})
afterAll(() => issuer.server.close())
beforeEach(() => {
  seen.length = 0
  times.length = 0
})

it('a token: issued, served, and how long it took', async () => {
  await askToken(tenant, GRANT, { Authorization: tenant.basic() })
  expect(seen).toEqual([
    ['issued', 'initech', 'basic', 'ES256'],
    ['served', 'initech', 'token', 200],
  ])
  expect(times).toEqual([['token', expect.any(Number)]])
  expect(times[0]?.[1]).toBeGreaterThan(0)
  expect(times[0]?.[1]).toBeLessThan(10)
})

it.each([
  ['invalid_scope', 400, { ...GRANT, scope: 'x' }, () => tenant.basic()],
  ['invalid_client', 401, GRANT, () => tenant.basic('once', 'x')],
  ['too_many_failures', 429, GRANT, () => tenant.basic('once', 'x')],
] as const)('a refusal by its reason: %s', async (reason, status, form, authorization) => {
  await askToken(tenant, form, { Authorization: authorization() })
  expect(seen).toEqual([
    ['refused', 'initech', 'token', reason],
    ['served', 'initech', 'token', status],
  ])
})

it('the reasons behind temporarily_unavailable are told apart', async () => {
  const at = issuer.add('troubled', 'ES256')
  const client = at.clients.get('basic')
  const reasons = async () => {
    await askToken(at, GRANT, { Authorization: at.basic() })
    return seen.filter(([what]) => what === 'refused').at(-1)?.[3]
  }
  at.maySign = false
  expect(await reasons()).toBe('no_key')
  at.maySign = true
  at.record = () => Promise.reject(new Error('x'))
  expect(await reasons()).toBe('not_recorded')
  issuer.service.stopped = 'x'
  expect(await reasons()).toBe('cannot_sign')
  issuer.service.stopped = null
  if (client) client.rateLimit = 1
  await reasons()
  expect(await reasons()).toBe('rate_limited')
  expect(seen.some(([what]) => what === 'issued')).toBe(false)
})

it('a signature in an assertion that does not verify, of a client that is one', async () => {
  tenant.addKeyClient('jwt', 'ES256')
  await askToken(tenant, assertionForm(await makeAssertion(tenant, 'jwt', makeKey('ES256'))))
  await askToken(tenant, assertionForm(await makeAssertion(tenant, 'nobody', makeKey('ES256'))))
  expect(seen.filter(([what]) => what === 'bad')).toEqual([['bad', 'initech', 'assertion']])
})

it('every answer is one: key sets, discovery, wrong methods, too large a body, and what is of no tenant', async () => {
  const get = async (path: string, init: RequestInit = {}) => void (await fetch(path, init)).status
  await get(`${tenant.issuer}/.well-known/jwks.json`)
  await get(`${tenant.issuer}/.well-known/jwks.json`, { headers: { 'If-None-Match': '*' } })
  await get(`${tenant.issuer}/.well-known/openid-configuration`)
  await get(`${tenant.issuer}/.well-known/historical-keys.jwt`)
  await get(`${tenant.issuer}/token`)
  await get(`${tenant.issuer}/token`, { method: 'POST', body: 'a'.repeat(20_000) })
  await get(`${issuer.server.url}/t/nobody/.well-known/jwks.json`)
  await get(`${tenant.issuer}/nothing`)
  expect(seen).toEqual([
    ['served', 'initech', 'jwks.json', 200],
    ['served', 'initech', 'jwks.json', 304],
    ['served', 'initech', 'openid-configuration', 200],
    ['served', 'initech', 'historical-keys.jwt', 404],
    ['served', 'initech', 'token', 405],
    ['served', 'initech', 'token', 413],
    ['served', '', 'none', 404],
    ['served', '', 'none', 404],
  ])
  expect(times).toHaveLength(8)
})

it('what fails inside is served as 500, once', async () => {
  const at = issuer.add('broken', 'ES256')
  at.client = () => {
    throw new Error('x')
  }
  await askToken(at, GRANT, { Authorization: at.basic() })
  expect(seen).toEqual([['served', 'broken', 'token', 500]])
})
