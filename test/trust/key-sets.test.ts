import { describe, expect, it } from 'vitest'
import {
  issuerPolicy,
  JWKS,
  jwksOf,
  KeyServer,
  makeKey,
  NOW,
  policyOf,
  relyingParty,
  type Served,
  tokenOf,
} from './world.ts'

/** When key sets are fetched, how long they are used, and whose they are. */

const one = makeKey('ES256', 'one')
const two = makeKey('ES256', 'two')

const cached = (served: Served, control: string, more: Record<string, string> = {}): Served => ({
  ...served,
  headers: { ...served.headers, 'Cache-Control': control, ...more },
})

async function world(keys: Record<string, unknown> = {}, served: Served = jwksOf(one)) {
  const policy = policyOf(issuerPolicy({ keys: { source: 'jwks', jwksUri: `https://${JWKS}`, ...keys } }))
  const made = await relyingParty(policy)
  made.server.answers.set(JWKS, served)
  return { ...made, serve: (next: Served) => made.server.answers.set(JWKS, next) }
}

describe('two issuers with the same kid never meet', () => {
  it('each is verified with its own key, however the cache was filled', async () => {
    const other = 'https://globex.example.com'
    const uri = 'globex.example.com/jwks.json'
    const foreign = makeKey('ES256', 'one')
    const { check, server } = await relyingParty(
      policyOf(issuerPolicy(), issuerPolicy({ issuer: other, keys: { source: 'jwks', jwksUri: `https://${uri}` } })),
    )
    server.answers.set(JWKS, jwksOf(one))
    server.answers.set(uri, jwksOf(foreign))
    for (let round = 0; round < 2; round++) {
      expect(await check(tokenOf(one))).toBe('allow')
      expect(await check(tokenOf(foreign, { iss: other }))).toBe('allow')
      expect(await check(tokenOf(foreign))).toBe('signature-invalid')
      expect(await check(tokenOf(one, { iss: other }))).toBe('signature-invalid')
    }
    expect(server.asked).toEqual([JWKS, uri])
  })

  it('a kid that only the other issuer has is unknown, even at the same address', async () => {
    const other = 'https://globex.example.com'
    const { check, server, clock } = await relyingParty(policyOf(issuerPolicy(), issuerPolicy({ issuer: other })))
    server.answers.set(JWKS, jwksOf(one))
    expect(await check(tokenOf(one))).toBe('allow')
    server.answers.set(JWKS, jwksOf(two))
    clock.pass(1)
    expect(await check(tokenOf(two, { iss: other }))).toBe('allow')
    expect(await check(tokenOf(two))).toBe('key-unknown')
    expect(await check(tokenOf(one, { iss: other }))).toBe('key-unknown')
    expect(server.asked).toHaveLength(2)
  })
})

describe('how often the server is asked', () => {
  it('once by everybody who waits: cold, at the end of the time, and for a new kid', async () => {
    const { check, server, clock, serve } = await world()
    const many = (token: string) => Promise.all(Array.from({ length: 30 }, () => check(token)))
    expect(new Set(await many(tokenOf(one)))).toEqual(new Set(['allow']))
    expect(server.asked).toHaveLength(1)
    clock.pass(3600)
    expect(new Set(await many(tokenOf(one)))).toEqual(new Set(['allow']))
    expect(server.asked).toHaveLength(2)
    serve(jwksOf(one, two))
    clock.pass(30)
    expect(new Set(await many(tokenOf(two)))).toEqual(new Set(['allow']))
    expect(server.asked).toHaveLength(3)
  })

  it('for unknown kids every 30 seconds at most, whatever is asked', async () => {
    const { check, server, clock, serve } = await world()
    expect(await check(tokenOf(two))).toBe('key-unknown')
    serve(jwksOf(one, two))
    clock.pass(29)
    expect(await check(tokenOf(two))).toBe('key-unknown')
    expect(await check(tokenOf(one, {}, { kid: 'made up' }))).toBe('key-unknown')
    expect(server.asked).toHaveLength(1)
    clock.pass(1)
    expect(await check(tokenOf(two))).toBe('allow')
    expect(server.asked).toHaveLength(2)
  })

  it('a signature that does not verify asks nobody again', async () => {
    const { check, server, clock } = await world()
    for (let at = 0; at < 3; at++, clock.pass(60))
      expect(await check(tokenOf(makeKey('ES256', 'one')))).toBe('signature-invalid')
    expect(server.asked).toHaveLength(1)
  })

  it('after a first failure every 5 seconds', async () => {
    const { check, server, clock, serve } = await world({}, { status: 503 })
    expect(await check(tokenOf(one))).toBe('key-set-unavailable')
    serve(jwksOf(one))
    clock.pass(4)
    expect(await check(tokenOf(one))).toBe('key-set-unavailable')
    expect(server.asked).toHaveLength(1)
    clock.pass(1)
    expect(await check(tokenOf(one))).toBe('allow')
  })

  it.each([
    ['the policy, where the server says nothing', '', {}, 3600],
    ['the policy, where the server says more', 'public, max-age=86400', {}, 3600],
    ['the server, where it says less', 'public, max-age=600', {}, 600],
    ['the server, less what a cache on the way took', 'max-age=600', { Age: '200' }, 400],
    ['30 seconds, where the server says less', 'max-age=0', {}, 30],
    ['30 seconds, where the set was older than that', 'max-age=600', { Age: '700' }, 30],
    ['30 seconds, where the server wants none', 'max-age=600, no-store', {}, 30],
    ['the policy, where the server says nonsense', 'max-age=-1', {}, 3600],
  ])('a set is kept as long as %s', async (_, control, more, seconds) => {
    const { check, server, clock } = await world({}, cached(jwksOf(one), control, more))
    await check(tokenOf(one))
    clock.pass(seconds - 1)
    expect([await check(tokenOf(one)), server.asked.length]).toEqual(['allow', 1])
    clock.pass(1)
    expect([await check(tokenOf(one)), server.asked.length]).toEqual(['allow', 2])
  })

  it('a key that left the set is gone when the set is', async () => {
    const { check, clock, serve } = await world({ cacheFor: '5m', staleFor: '1d' })
    expect(await check(tokenOf(one))).toBe('allow')
    serve(jwksOf(two))
    clock.pass(299)
    expect(await check(tokenOf(one))).toBe('allow')
    clock.pass(1)
    expect(await check(tokenOf(one))).toBe('key-unknown')
  })

  it('a clock that went back proves no age: the set is fetched again', async () => {
    const { check, server, clock } = await world()
    await check(tokenOf(one))
    clock.pass(-100)
    expect(await check(tokenOf(one, { iat: NOW - 200 }))).toBe('allow')
    expect(server.asked).toHaveLength(2)
  })
})

describe('while the server does not answer', () => {
  it('a set serves on as long as the policy says, and no longer', async () => {
    const { check, clock, serve } = await world({ cacheFor: '10m', staleFor: '5m' })
    expect(await check(tokenOf(one))).toBe('allow')
    serve({ status: 503 })
    clock.pass(600)
    expect(await check(tokenOf(one))).toBe('allow')
    expect(await check(tokenOf(two))).toBe('key-set-unavailable')
    clock.pass(299)
    expect(await check(tokenOf(one))).toBe('allow')
    clock.pass(1)
    expect(await check(tokenOf(one))).toBe('key-set-unavailable')
    serve(jwksOf(one))
    clock.pass(30)
    expect([await check(tokenOf(one)), await check(tokenOf(two))]).toEqual(['allow', 'key-unknown'])
  })

  it('by default it does not serve on at all', async () => {
    const { check, clock, serve } = await world()
    expect(await check(tokenOf(one))).toBe('allow')
    serve({ status: 503 })
    clock.pass(3600)
    expect(await check(tokenOf(one))).toBe('key-set-unavailable')
  })

  it('a bad answer is no outage: nothing serves on', async () => {
    const { check, clock, serve } = await world({ staleFor: '1d' })
    expect(await check(tokenOf(one))).toBe('allow')
    serve(jwksOf(one, two.privateJwk as Record<string, unknown>))
    clock.pass(3600)
    expect(await check(tokenOf(one))).toBe('key-set-invalid')
  })

  it('a set that is still fresh goes on, whatever the answer about a new kid was', async () => {
    const { check, clock, serve } = await world()
    expect(await check(tokenOf(one))).toBe('allow')
    serve({ status: 500 })
    clock.pass(30)
    expect(await check(tokenOf(two))).toBe('key-set-unavailable')
    expect(await check(tokenOf(one))).toBe('allow')
  })

  it('no server at all, and a fetch that throws, are the same', async () => {
    const { check } = await relyingParty(
      policyOf(issuerPolicy({ keys: { source: 'jwks', jwksUri: 'http://127.0.0.1:1/jwks.json' } })),
    )
    expect(await check(tokenOf(one))).toBe('key-set-unavailable')
  })
})

it('two relying parties share nothing', async () => {
  const server = await KeyServer.start()
  server.answers.set(JWKS, jwksOf(one))
  const [a, b] = await Promise.all([1, 2].map(() => relyingParty(policyOf(issuerPolicy()), server)))
  expect([await a?.check(tokenOf(one)), await b?.check(tokenOf(one))]).toEqual(['allow', 'allow'])
  expect(server.asked).toHaveLength(2)
})
