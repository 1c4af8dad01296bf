import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest'
import type { KeyTimes } from '../../shared/domain/key.ts'
import {
  checkPolicy,
  DAY,
  HOUR,
  leastPropagation,
  leastRetention,
  type Policy,
  type RelyingParty,
} from '../../shared/domain/policy.ts'
import { prove } from '../../shared/domain/prover.ts'
import { codeOf, policyWith, T0 } from '../issuer/fixtures.ts'
import {
  cacheOnTheWay,
  LIBRARIES,
  MODELS,
  modelled,
  REGISTERED,
  type SetFetch,
  type Verifier,
  withJose,
  withOauth4webapi,
} from './caches.ts'
import { pythonWith, startRelying } from './tools.ts'
import { API, type Interop, moveTo, partOf, serve, tokenOf } from './world.ts'

/**
 * A year of a real runtime, served over HTTP, in virtual time: every relying party verifies real tokens with the key
 * sets that it has fetched by its own rules, through a cache on the way. The policy is the tightest one that covers them.
 */

const YEAR = 365 * DAY

function tightest(changes: Partial<Policy> = {}): Policy {
  const policy = policyWith({
    propagationTime: leastPropagation(REGISTERED),
    rotationInterval: 30 * DAY,
    extension: 2 * DAY,
    horizon: 12,
    ...changes,
  })
  return { ...policy, retentionDuration: leastRetention(policy) }
}

type Year = Awaited<ReturnType<typeof startYear>>

async function startYear() {
  const policy = tightest()
  const { made, tenants, entries } = await serve([{ tenant: 'initech', policy }])
  const [tenant] = tenants
  const keys = entries[0]?.keys ?? []
  if (!tenant) throw new Error('no tenant')
  vi.useFakeTimers({ toFake: ['Date'], now: T0 * 1000 })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const to = async (now: number) => {
    vi.setSystemTime(now * 1000)
    await moveTo(made, now)
  }
  await to(T0)
  return { policy, tenant, keys, to, get: cacheOnTheWay(() => made.clock.now()) }
}

const pyjwt = (ctx: TestContext, { issuer, jwksUri }: Interop): Verifier => {
  const python = pythonWith('jwt')
  if (!python) return ctx.skip('no Python with the module jwt')
  const ask = startRelying(python, 'relying_pyjwt.py')
  const question = { jwks: jwksUri, issuer, audience: API, algorithms: ['ES256'] }
  return { name: 'PyJWT', keeps: 300, accepts: async (token, now) => (await ask({ ...question, token, now })).ok }
}

/** The instants at which something can go wrong for whoever keeps a set for `keeps` seconds, and those of quiet days. */
function instantsOf(keys: readonly KeyTimes[], lifetime: number, keeps: readonly number[]): number[] {
  const around = keys.flatMap(({ announceAt, signFrom, removeAt }) => [
    ...[announceAt, signFrom, signFrom + lifetime - 1, removeAt].flatMap((at) => [at - 1, at, at + 1]),
    ...keeps.flatMap((seconds) => [announceAt + seconds - 2, signFrom - seconds]),
  ])
  const quiet = Array.from({ length: YEAR / DAY }, (_, day) => T0 + day * DAY + (day % 24) * HOUR)
  const within = [...around, ...quiet].filter((at) => at >= T0 && at <= T0 + YEAR)
  return [...new Set(within)].sort((a, b) => a - b)
}

type Failure = { name: string; at: number; kid: unknown }
type Lived = { tokens: number; checks: number; kids: Set<unknown>; failures: Failure[] }

/**
 * Lives a year. A busy relying party sees the newest token and the oldest one alive at every instant; an idle one fetches
 * in the last second before each announcement, and then sees the first token of the new key: the longest that it can
 * have gone without looking.
 */
async function live(
  year: Year,
  busy: readonly Verifier[],
  idle: readonly Verifier[],
  until = T0 + YEAR,
): Promise<Lived> {
  const { policy, tenant, keys, to } = year
  const lifetime = policy.accessTokenLifetime
  const lived: Lived = { tokens: 0, checks: 0, kids: new Set(), failures: [] }
  const eves = new Set(keys.flatMap(({ announceAt, signFrom }) => [announceAt - 1, signFrom]))
  const instants = instantsOf(
    keys,
    lifetime,
    [...busy, ...idle].map(({ keeps }) => keeps),
  )
  let alive: { token: string; exp: number; kid: unknown }[] = []
  for (const now of instants.filter((at) => at <= until)) {
    await to(now)
    const token = await tokenOf(tenant)
    const { kid } = partOf(token, 0)
    alive = [...alive.filter((one) => one.exp > now), { token, exp: now + lifetime, kid }]
    lived.tokens++
    lived.kids.add(kid)
    const shown = [alive.at(0), alive.at(-1)].filter((one) => one !== undefined)
    for (const verifier of eves.has(now) ? [...busy, ...idle] : busy)
      for (const one of shown) {
        lived.checks++
        if (!(await verifier.accepts(one.token, now)))
          lived.failures.push({ name: verifier.name, at: now, kid: one.kid })
      }
  }
  return lived
}

const everybody = async (at: Interop, get: SetFetch): Promise<Verifier[]> => [
  withJose(at, get),
  await withOauth4webapi(at, get),
  ...Object.entries(MODELS).map(([name, behaviour]) => modelled(name, behaviour, at, get)),
]

describe('a year of monthly rotations by the tightest policy', () => {
  it('no token is unverifiable for any relying party of the document', async () => {
    const year = await startYear()
    const { tenant, get } = year
    const lived = await live(year, await everybody(tenant, get), await everybody(tenant, get))
    expect(lived.failures).toEqual([])
    expect(lived.kids.size).toBe(13)
    expect(lived.tokens).toBeGreaterThan(500)
    expect(lived.checks).toBeGreaterThan(10_000)
  })

  it('no token is unverifiable for PyJWT, whose own cache lives through it', async (ctx) => {
    const year = await startYear()
    const lived = await live(year, [pyjwt(ctx, year.tenant)], [pyjwt(ctx, year.tenant)])
    expect(lived.failures).toEqual([])
    expect(lived.kids.size).toBe(13)
  })

  it('a cache longer than the announcement refuses the first token of a new key, as the prover says before', async () => {
    const year = await startYear()
    const { policy, tenant, keys, get } = year
    const keeps = policy.propagationTime + HOUR
    const tooLong: RelyingParty = { name: 'too long', cacheSeconds: keeps, refreshesOnUnknownKid: false }
    const proof = prove(policy, keys, [tooLong])
    expect(await codeOf(() => checkPolicy(policy, [tooLong]))).toBe('policy-rejected')
    const options = { cacheMaxAge: keeps * 1000, cooldownDuration: Number.POSITIVE_INFINITY }
    const lived = await live(
      year,
      [],
      [
        withJose(tenant, get, options),
        modelled('too long', { keeps, onUnknownKid: 'refuses' }, tenant, get),
        modelled('too long, but looks', { keeps, onUnknownKid: 'fetches' }, tenant, get),
      ],
      T0 + 90 * DAY,
    )
    const [, second] = keys
    expect(lived.failures.slice(0, 2)).toEqual([
      { name: 'jose', at: second?.signFrom, kid: second?.kid },
      { name: 'too long', at: second?.signFrom, kid: second?.kid },
    ])
    expect(lived.failures.map(({ name }) => name)).not.toContain('too long, but looks')
    expect(proof.outcome === 'outage' && [proof.counterexample.kid, proof.counterexample.relyingParty]).toEqual([
      second?.kid,
      'too long',
    ])
  })

  it('the prover finds no outage for what the document says to register, and the policy takes it', async () => {
    const { policy, keys } = await startYear()
    expect(() => checkPolicy(policy, REGISTERED)).not.toThrow()
    for (const party of REGISTERED)
      expect([party.name, prove(policy, keys, [party]).outcome]).toEqual([party.name, 'no outage'])
    const shorter = tightest({ propagationTime: leastPropagation(REGISTERED) - 1 })
    expect(await codeOf(() => checkPolicy(shorter, REGISTERED))).toBe('policy-rejected')
  })
})

/** The token as if another key had signed it. */
function ofUnknownKey(token: string): string {
  const [, claims, signature] = token.split('.')
  const header = Buffer.from(JSON.stringify({ ...partOf(token, 0), kid: 'unknown' })).toString('base64url')
  return `${header}.${claims}.${signature}`
}

describe('what libraries keep is what the document says', () => {
  /** Counts the fetches of a library: for how long it keeps a set, and when it fetches for an unknown kid. */
  async function measure(year: Year, make: (get: SetFetch) => Verifier | Promise<Verifier>, name: string) {
    const { keeps = 0, pause = 0 } = LIBRARIES[name] ?? {}
    let fetches = 0
    const verifier = await make((url) => {
      fetches++
      return fetch(url)
    })
    const seen: [string, number][] = []
    const show = async (what: string, at: number, token: string, accepted: boolean) => {
      await year.to(at)
      expect([what, await verifier.accepts(token, at)]).toEqual([what, accepted])
      seen.push([what, fetches])
    }
    const token = await tokenOf(year.tenant)
    const foreign = ofUnknownKey(token)
    await show('first', T0, token, true)
    await show('kept', T0 + keeps - 1, token, true)
    await show('renewed', T0 + keeps, token, true)
    await show('unknown too soon', T0 + keeps + pause - 1, foreign, false)
    await show('unknown', T0 + keeps + pause, foreign, false)
    expect(seen).toEqual([
      ['first', 1],
      ['kept', 1],
      ['renewed', 2],
      ['unknown too soon', 2],
      ['unknown', 3],
    ])
  }

  it('jose: 10 minutes; for an unknown kid again after 30 seconds', async () => {
    const year = await startYear()
    await measure(year, (get) => withJose(year.tenant, get), 'jose')
  })

  it('oauth4webapi, and so openid-client: 5 minutes; for an unknown kid again after a minute', async () => {
    const year = await startYear()
    await measure(year, (get) => withOauth4webapi(year.tenant, get), 'oauth4webapi')
    expect(LIBRARIES['openid-client']).toEqual(LIBRARIES.oauth4webapi)
  })

  it('PyJWT: 5 minutes; for an unknown kid at once', async (ctx) => {
    const { tenant, to } = await startYear()
    const python = pythonWith('jwt')
    if (!python) return ctx.skip('no Python with the module jwt')
    const ask = startRelying(python, 'relying_pyjwt.py')
    const token = await tokenOf(tenant)
    const foreign = ofUnknownKey(token)
    const fetches = async (one: string, now: number) => {
      await to(now)
      const question = { jwks: tenant.jwksUri, issuer: tenant.issuer, audience: API, algorithms: ['ES256'] }
      return (await ask({ ...question, token: one, now })).fetches
    }
    expect([
      await fetches(token, T0),
      await fetches(token, T0 + 300),
      await fetches(token, T0 + 301),
      await fetches(foreign, T0 + 301),
      await fetches(foreign, T0 + 301),
    ]).toEqual([1, 1, 2, 3, 4])
  })
})
