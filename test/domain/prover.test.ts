import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { type KeyTimes, type ScheduledKey, signerAt } from '../../shared/domain/key.ts'
import {
  DAY,
  HOUR,
  JWKS_MAX_AGE,
  leastPropagation,
  leastRetention,
  type Policy,
  type RelyingParty,
  SKEW,
} from '../../shared/domain/policy.ts'
import {
  ASSUMPTIONS,
  type Assumptions,
  type Claim,
  type Counterexample,
  claimOf,
  type Proof,
  prove,
  proveTenants,
} from '../../shared/domain/prover.ts'
import {
  announcedKey,
  extendSchedule,
  firstKey,
  importedKey,
  replacementTimes,
  standbyTimes,
} from '../../shared/domain/schedule.ts'
import { publishedAt } from '../../shared/domain/slots.ts'
import { emptyState, type Tenant, type VaultKey, type VaultState } from '../../shared/domain/state.ts'
import { renderProofSvg } from '../../shared/pages/prover-svg.ts'
import { proofText } from '../../shared/pages/prover-text.ts'
import { timelineOf } from '../../shared/pages/prover-timeline.ts'
import { accepted, anyPolicy, keyed, POLICIES, policyOf, START, scheduleOf } from './world.ts'

/** The rotation prover against a simulation that tries every second, and against the rules of the design. */

type World = {
  policy: Policy
  keys: ScheduledKey[]
  parties: RelyingParty[]
  assumptions: Assumptions
  from: number
}

const party = (cacheSeconds: number, refreshesOnUnknownKid = false, name = 'gateway'): RelyingParty => ({
  name,
  cacheSeconds,
  refreshesOnUnknownKid,
})

/** Only the tenant's very first key, the first thing it ever published, has nobody with an older set. */
function beginOf(keys: readonly ScheduledKey[]): number {
  const earliest = Math.min(...keys.map((key) => key.announceAt))
  const firsts = keys.filter((key) => key.announceAt === earliest && key.propagation === 'none (first key)')
  return firsts.length > 0 ? earliest : Number.NEGATIVE_INFINITY
}

/** True when the runtime may sign with `key` at `now`, if it first published it at `first` and has its private half. */
function signs({ policy, keys }: World, key: ScheduledKey, first: number, now: number): boolean {
  if (now < first) return false
  const group = keys.filter((one) => KEY_SPECS[one.spec].alg === KEY_SPECS[key.spec].alg)
  // Its successors are late: then it goes on until its extendUntil.
  const facts = (kid: string) => {
    const one = group.find((other) => other.kid === kid)
    return {
      hasPrivate: kid === key.kid || (one !== undefined && one.signFrom < key.signFrom),
      tainted: false,
      firstPublishedAt: kid === key.kid && first > key.announceAt ? first : null,
    }
  }
  return signerAt(group, facts, policy.propagationTime, now)?.kid === key.kid
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

type Failure = { kid: string; party: string; first: number; verifiedAt: number; unknown: boolean }

/** Every second of every choice, one after the other: what the walk must agree with. */
function simulate(world: World): Failure[] {
  const begin = beginOf(world.keys)
  const failures: Failure[] = []
  for (const key of world.keys) {
    const always = key.propagation === 'none (first key)' && key.announceAt === begin
    const latest = always ? key.announceAt : Math.min(key.extendUntil, key.removeAt - 1)
    for (const first of range(key.announceAt, Math.max(key.announceAt, latest))) {
      const signing = range(first, key.extendUntil).filter((now) => signs(world, key, first, now))
      const met = new Set(signing.flatMap((now) => meetings(world, now)))
      for (const party of world.parties)
        for (const verifiedAt of met)
          for (const unknown of new Set(rejections(world, party, key, first, verifiedAt, begin)))
            failures.push({ kid: key.kid, party: party.name, first, verifiedAt, unknown })
    }
  }
  return failures
}

const meetings = ({ policy, assumptions: { skew }, from }: World, signedAt: number): number[] =>
  range(Math.max(from, signedAt - skew), signedAt + policy.accessTokenLifetime + skew)

/** How a relying party rejects at `now`: with a set from before the key (true) or from after it (false). */
function rejections(
  { assumptions: { maxAge, replicaLag, refetchPause } }: World,
  { cacheSeconds, refreshesOnUnknownKid }: RelyingParty,
  key: ScheduledKey,
  first: number,
  now: number,
  begin: number,
): boolean[] {
  const has = (set: number) => set >= first && set < key.removeAt
  const served = (fetch: number) => range(Math.max(begin, fetch - maxAge - replicaLag), fetch)
  const found: boolean[] = []
  for (const fetched of range(Math.max(begin, now - cacheSeconds), now))
    for (const set of served(fetched)) {
      if (has(set)) continue
      const again = refreshesOnUnknownKid && now - fetched > refetchPause ? served(now) : [set]
      for (const last of again) if (!has(last)) found.push(last < first)
    }
  return found
}

/** Lives one counterexample through, step by step, by the rules of runtime and relying party. */
function replay(world: World, shown: Counterexample): void {
  const { policy, keys, assumptions, from } = world
  const key = keys.find(({ kid }) => kid === shown.kid)
  const who = world.parties.find(({ name }) => name === shown.relyingParty)
  if (!key || !who) throw new Error('the counterexample names nobody')
  const within = (value: number, low: number, high: number) => {
    expect(value).toBeGreaterThanOrEqual(low)
    expect(value).toBeLessThanOrEqual(high)
  }
  within(shown.publishedAt, key.announceAt, key.extendUntil)
  for (const at of [shown.switchAt, shown.signedAt]) expect(signs(world, key, shown.publishedAt, at)).toBe(true)
  within(shown.signedAt, shown.switchAt, key.extendUntil - 1)
  const lives = policy.accessTokenLifetime + assumptions.skew
  within(shown.verifiedAt, Math.max(from, shown.signedAt - assumptions.skew), shown.signedAt + lives)
  const uses = who.refreshesOnUnknownKid ? Math.min(who.cacheSeconds, assumptions.refetchPause) : who.cacheSeconds
  within(shown.fetchedAt, shown.verifiedAt - uses, shown.verifiedAt)
  within(shown.setOf, shown.fetchedAt - assumptions.maxAge - assumptions.replicaLag, shown.fetchedAt)
  expect(shown.setOf).toBeGreaterThanOrEqual(beginOf(keys))
  const lived = keys.map((one) => (one === key ? { ...key, announceAt: shown.publishedAt } : one))
  expect(shown.cachedKids).toEqual(publishedAt(lived, new Set(), shown.setOf))
  expect(shown.cachedKids).not.toContain(key.kid)
}

const run = ({ policy, keys, parties, assumptions, from }: World): Proof =>
  prove(policy, keys, parties, { ...assumptions, from })

const small = (max: number, min = 0) => fc.integer({ min, max })

/** Worlds of some dozen seconds. Nothing in them needs to be sensible: many of these policies would be rejected. */
const anyWorld: fc.Arbitrary<World> = fc
  .record({
    rotation: small(12, 3),
    propagation: small(12),
    extension: small(5),
    more: small(8, -3),
    lifetime: small(3),
    horizon: small(2, 1),
    specs: fc.constantFrom<Policy['signingAlgorithms']>(['ES256'], ['ES256', 'RS256']),
    later: fc.option(small(20, 1)),
    emergency: fc.option(small(12)),
    earlier: fc.array(small(4), { minLength: 8, maxLength: 8 }),
    assumptions: fc.record({ skew: small(2), replicaLag: small(2), maxAge: small(3), refetchPause: small(3) }),
    parties: fc.array(fc.tuple(small(9), fc.boolean()), { minLength: 1, maxLength: 3 }),
    from: fc.oneof(fc.constant(0), small(START + 30, START)),
  })
  .map(worldOf)
  .filter((world) => world !== null)

type Given = {
  rotation: number
  propagation: number
  extension: number
  more: number
  lifetime: number
  horizon: number
  specs: Policy['signingAlgorithms']
  later: number | null
  emergency: number | null
  earlier: number[]
  assumptions: Assumptions
  parties: [number, boolean][]
  from: number
}

function worldOf(given: Given): World | null {
  const { extension, lifetime, assumptions, from } = given
  const policy = policyOf({
    rotationInterval: given.rotation,
    propagationTime: given.propagation,
    extension,
    accessTokenLifetime: lifetime,
    retentionDuration: Math.max(0, extension + lifetime + assumptions.skew + given.more),
    horizon: given.horizon,
    signingAlgorithms: given.specs,
  })
  try {
    const keys = scheduleOf(policy, given.later === null ? [START] : [START, START + given.later])
    return {
      policy,
      keys: keys.map((key, index) => altered(policy, key, given.emergency, given.earlier[index] ?? 0)),
      parties: given.parties.map(([cache, refreshes], index) => party(cache, refreshes, `party ${index}`)),
      assumptions,
      from,
    }
  } catch {
    return null
  }
}

/** Some keys are announced earlier than they must be, and some replace one that was compromised. */
function altered(policy: Policy, key: ScheduledKey, emergency: number | null, earlier: number): ScheduledKey {
  const at = START + (emergency ?? 0)
  if (emergency !== null && key.signFrom <= at && at < key.extendUntil)
    return { ...key, ...replacementTimes(policy, key, at), kid: `${key.kid}b` }
  return key.propagation === 'full' ? { ...key, announceAt: key.announceAt - earlier } : key
}

describe('the prover agrees with a simulation of every second', () => {
  it('on worlds of any kind, outage or not: the same verdict, a counterexample that comes true, the same exceptions', () => {
    const seen = { outage: 0, 'no outage': 0, unknown: 0, removed: 0, late: 0, refreshing: 0, excepted: 0 }
    fc.assert(
      fc.property(anyWorld, (world) => {
        const proof = run(world)
        const emergencies = new Set(
          world.keys.filter((key) => key.propagation === 'none (emergency)').map((k) => k.kid),
        )
        const [accepted, outages] = split(simulate(world), ({ kid, unknown }) => unknown && emergencies.has(kid))
        seen[proof.outcome] += 1
        expect(proof.outcome).toBe(outages.length > 0 ? 'outage' : 'no outage')
        expect(new Map(proof.excepted.map(({ kid, seconds }) => [kid, seconds]))).toEqual(longest(accepted))
        seen.excepted += proof.excepted.length
        if (proof.outcome === 'no outage') return
        const { counterexample: shown } = proof
        replay(world, shown)
        const unknown = shown.setOf < shown.publishedAt
        const { kid, relyingParty, publishedAt: first, verifiedAt } = shown
        expect(outages).toContainEqual({ kid, party: relyingParty, first, verifiedAt, unknown })
        seen[unknown ? 'unknown' : 'removed'] += 1
        if (world.keys.some((key) => key.kid === kid && first > key.announceAt)) seen.late += 1
        if (world.parties.some((one) => one.name === relyingParty && one.refreshesOnUnknownKid)) seen.refreshing += 1
      }),
      { numRuns: 300 },
    )
    for (const [what, times] of Object.entries(seen)) expect([what, times > 3]).toEqual([what, true])
    expect(Math.min(seen.outage, seen['no outage'])).toBeGreaterThan(30)
  })
})

function split<T>(all: readonly T[], chosen: (one: T) => boolean): [T[], T[]] {
  return [all.filter(chosen), all.filter((one) => !chosen(one))]
}

/** For how many seconds a relying party does not know each key, for the worst of them and the worst first publication. */
function longest(failures: readonly Failure[]): Map<string, number> {
  const spans = new Map<string, { kid: string; low: number; high: number }>()
  for (const { kid, party, first, verifiedAt } of failures) {
    const id = `${kid} ${party} ${first}`
    const { low, high } = spans.get(id) ?? { low: verifiedAt, high: verifiedAt }
    spans.set(id, { kid, low: Math.min(low, verifiedAt), high: Math.max(high, verifiedAt) })
  }
  const found = new Map<string, number>()
  for (const { kid, low, high } of spans.values()) found.set(kid, Math.max(found.get(kid) ?? 0, high - low + 1))
  return found
}

const longestCache = ({ propagationTime }: Policy): number => Math.min(30 * DAY, propagationTime - JWKS_MAX_AGE - SKEW)

const realWorld = (policy: Policy, parties: RelyingParty[], keys = scheduleOf(policy, [START])): World => ({
  policy,
  keys,
  parties,
  assumptions: ASSUMPTIONS,
  from: 0,
})

describe('no relying party that refreshes within its registered cache time meets a token it cannot verify', () => {
  it('a policy that checkPolicy accepts never has an outage, whatever it is and whenever the ceremonies are held', () =>
    fc.assert(
      fc.property(anyPolicy, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (policy, late, refreshes) => {
        const parties = [party(longestCache(policy), refreshes), party(0, false, 'without a cache')]
        expect(accepted(policy, parties)).toBe(true)
        const next = START + policy.rotationInterval - policy.propagationTime + Math.floor(policy.extension * late)
        const keys = scheduleOf(policy, [START, next])
        expect(prove(policy, keys, parties)).toMatchObject({ outcome: 'no outage', excepted: [] })
      }),
      { numRuns: 60 },
    ))

  it.each(Object.entries(POLICIES))('%s: no outage at its longest cache, an outage one second above', (_, policy) => {
    const cache = policy.propagationTime - JWKS_MAX_AGE - SKEW
    expect(run(realWorld(policy, [party(cache)])).outcome).toBe('no outage')
    const world = realWorld(policy, [party(cache + 1)])
    const proof = run(world)
    if (proof.outcome === 'no outage') throw new Error('there should be a counterexample')
    replay(world, proof.counterexample)
  })

  it('announced one second less than the least: a counterexample for whoever does not refresh, which comes true', () =>
    fc.assert(
      fc.property(fc.integer({ min: DAY, max: 20 * DAY }), (cache) => {
        const parties = [party(cache)]
        const world = realWorld(policyOf({ propagationTime: leastPropagation(parties) - 1 }), parties)
        const proof = run(world)
        expect(proof).toMatchObject({ outcome: 'outage', counterexample: { relyingParty: 'gateway' } })
        if (proof.outcome === 'outage') replay(world, proof.counterexample)
        expect(run({ ...world, parties: [party(cache, true)] }).outcome).toBe('no outage')
        const least = policyOf({ propagationTime: leastPropagation(parties) })
        expect(run(realWorld(least, parties)).outcome).toBe('no outage')
      }),
      { numRuns: 20 },
    ))

  it('published one second less than the least after its last token: a counterexample for everybody', () => {
    const policy = policyOf()
    const least = policyOf({ retentionDuration: leastRetention(policy) })
    const less = policyOf({ retentionDuration: leastRetention(policy) - 1 })
    for (const who of [party(0), party(DAY), party(DAY, true)]) {
      expect(run(realWorld(least, [who])).outcome).toBe('no outage')
      const world = realWorld(less, [who])
      const proof = run(world)
      if (proof.outcome === 'no outage') throw new Error('there should be a counterexample')
      replay(world, proof.counterexample)
      expect(proof.counterexample.setOf).toBeGreaterThanOrEqual(world.keys[0]?.removeAt ?? 0)
    }
  })

  it('a lagging replica takes from the same margin, second by second, also when a relying party fetches anew', () => {
    const parties = [party(2 * DAY)]
    const policy = policyOf({ propagationTime: leastPropagation(parties) + 300 })
    const lagging = (replicaLag: number, who = parties, of = policy) =>
      prove(of, scheduleOf(of, [START]), who, { replicaLag }).outcome
    expect([lagging(300), lagging(301)]).toEqual(['no outage', 'outage'])
    const short = policyOf({ propagationTime: 3 * HOUR })
    const refreshing = [party(30 * DAY, true)]
    const margin = 3 * HOUR - JWKS_MAX_AGE - SKEW - ASSUMPTIONS.refetchPause
    expect([lagging(margin, refreshing, short), lagging(margin + 1, refreshing, short)]).toEqual([
      'no outage',
      'outage',
    ])
  })

  it('a bundle that comes late: a key announced early enough on paper is first published later', () => {
    const policy = policyOf({ propagationTime: 2 * DAY })
    const [one, two] = extendSchedule(policy, [], START)
    if (!one || !two) throw new Error('a schedule has keys')
    const keys = keyed('RS256', [one, { ...two, announceAt: two.announceAt - 10 * DAY }])
    const world = realWorld(policy, [party(5 * DAY)], keys)
    const proof = run(world)
    if (proof.outcome === 'no outage') throw new Error('there should be a counterexample')
    replay(world, proof.counterexample)
    expect(proof.counterexample.publishedAt).toBeGreaterThan(keys[1]?.announceAt ?? 0)
  })
})

describe('keys that sign before they are known', () => {
  const policy = policyOf()

  it('a tenant’s first key: nobody has an older set', () => {
    expect(run(realWorld(policy, [party(10 * DAY)], keyed('RS256', [firstKey(policy, START)]))).outcome).toBe(
      'no outage',
    )
  })

  it('an imported key: whoever has a set of the issuer before has it too', () => {
    const keys = keyed(
      'RS256',
      extendSchedule(policy, [], START, (of, from) => importedKey(of, from, 30 * DAY)),
    )
    const added = keyed('ES256', extendSchedule(policy, [], START, announcedKey))
    const parties = [party(longestCache(policy))]
    expect(run(realWorld(policy, parties, [...keys, ...added])).outcome).toBe('no outage')
    const early = added.map((key) => ({ ...key, announceAt: key.announceAt + 1 }))
    expect(run(realWorld(policy, parties, [...keys, ...early]))).toMatchObject({
      outcome: 'outage',
      counterexample: { kid: 'ES256-000', cachedKids: ['RS256-000'] },
    })
  })

  it('a standby key is called upon at any time, and then everybody knows it', () => {
    const standby = keyed('RS256', [standbyTimes(policy, START)], 'standby').map((key) => ({
      ...key,
      standby: true as const,
    }))
    const keys = [...scheduleOf(policy, [START]), ...standby]
    expect(run(realWorld(policy, [party(longestCache(policy))], keys)).outcome).toBe('no outage')
    expect(run(realWorld(policy, [party(longestCache(policy) + 1)], standby))).toMatchObject({
      outcome: 'outage',
      counterexample: { kid: 'standby-000' },
    })
  })

  it('the first key of an algorithm that is added later: relying parties do have an older set', () => {
    const keys = [...scheduleOf(policy, [START]), ...keyed('ES256', [firstKey(policy, START + DAY)])]
    expect(run(realWorld(policy, [party(HOUR)], keys))).toMatchObject({
      outcome: 'outage',
      counterexample: { kid: 'ES256-000', cachedKids: ['RS256-000'] },
    })
  })

  it('a replacement in an emergency is no outage, but is named with the longest time and the relying party', () => {
    const [first, second] = extendSchedule(policy, [], START) as [KeyTimes, KeyTimes]
    const keys = keyed('RS256', [replacementTimes(policy, first, START + DAY, second.signFrom), second])
    const parties = [party(HOUR, false, 'shop'), party(3 * DAY, false, 'gateway'), party(30 * DAY, true, 'app')]
    expect(run(realWorld(policy, parties, keys))).toMatchObject({
      outcome: 'no outage',
      excepted: [{ kid: 'RS256-000', relyingParty: 'gateway', seconds: 3 * DAY + JWKS_MAX_AGE + 2 * SKEW - SKEW }],
    })
  })

  it('what was over before the time of asking is not looked at', () => {
    const short = policyOf({ propagationTime: HOUR })
    const keys = scheduleOf(short, [START])
    const end = (keys.at(-1)?.extendUntil ?? 0) + short.accessTokenLifetime + SKEW
    const asked = (from: number) => prove(short, keys, [party(DAY)], { from }).outcome
    expect([asked(0), asked(end - 1), asked(end)]).toEqual(['outage', 'outage', 'no outage'])
  })
})

describe('the line for the record', () => {
  const claim = (policy: Policy, relyingParties: RelyingParty[] = []) => ({
    tenant: 'acme',
    policy,
    keys: scheduleOf(policy, [START]),
    relyingParties,
  })

  it('says that there is no outage and how many states were explored; alike tenants are walked once', () => {
    const line = proveTenants([claim(policyOf())])
    expect(line).toMatch(/^No outage: \d,\d{3} states explored\.$/)
    expect(proveTenants([claim(policyOf()), { ...claim(policyOf()), tenant: 'globex' }])).toBe(line)
  })

  it('refuses with code policy-rejected, naming the tenant and why', () => {
    const bad = claim(policyOf({ propagationTime: 2 * DAY }), [party(3 * DAY)])
    expect(() => proveTenants([claim(policyOf()), { ...bad, tenant: 'globex' }])).toThrow(
      expect.objectContaining({
        code: 'policy-rejected',
        message: expect.stringMatching(
          /^Tenant globex: .* The key signs 2 days after it was first published, but gateway may then still use a key set that is 2 days, 1 second old\.$/,
        ),
      }),
    )
  })

  it('where nobody is registered, somebody with 12 hours stands for all', () => {
    expect(() => proveTenants([claim(policyOf({ propagationTime: 13 * HOUR }))])).toThrow(/12 hours/)
    expect(proveTenants([claim(policyOf({ propagationTime: 13 * HOUR + SKEW }))])).toMatch(/^No outage/)
  })
})

describe('what is claimed of a tenant', () => {
  const [one, two, three] = scheduleOf(policyOf(), [START]) as [ScheduledKey, ScheduledKey, ScheduledKey]
  const inVault = ({ kid, spec, ...times }: ScheduledKey, compromised: object | null = null) =>
    [kid, { kid, spec, times, compromised }] as unknown as [string, VaultKey]
  const tenant: Tenant = {
    tenant: 'acme',
    name: 'Acme',
    issuer: 'https://acme.example.com',
    policy: policyOf(),
    relyingParties: [party(HOUR)],
    reserved: false,
    offboarded: null,
    kids: [one.kid, two.kid, three.kid],
  }
  const state = (...keys: [string, VaultKey][]): VaultState => ({
    ...emptyState(''),
    tenants: new Map([['acme', tenant]]),
    keys: new Map(keys),
  })
  const kids = (claim: Claim) => claim.keys.map((key) => [key.kid, key.signFrom])

  it('every key that is not compromised, with those to be made and without those to be lost', () => {
    const vault = state(inVault(one), inVault(two, { at: START, reason: 'stolen' }), inVault(three))
    expect(claimOf(vault, tenant)).toMatchObject({ tenant: 'acme', relyingParties: [party(HOUR)] })
    expect(kids(claimOf(vault, tenant))).toEqual([one, three].map((key) => [key.kid, key.signFrom]))
    const planned = [{ ...two, kid: 'new' }]
    expect(kids(claimOf(vault, tenant, { planned, gone: new Set([three.kid]) }))).toEqual([
      [one.kid, one.signFrom],
      ['new', two.signFrom],
    ])
  })

  it('a standby key that is called upon has the times of its call, once', () => {
    const called = { ...one, signFrom: START + DAY }
    expect(kids(claimOf(state(inVault(one)), tenant, { planned: [called] }))).toEqual([[one.kid, START + DAY]])
  })
})

describe('the picture of a counterexample', () => {
  const drawn = (who: RelyingParty, policy: Policy) => {
    const keys = scheduleOf(policy, [START])
    const proof = prove(policy, keys, [who])
    if (proof.outcome === 'no outage') throw new Error('there should be a counterexample')
    return timelineOf(proof.counterexample, keys, (kid) => `label of ${kid}`, policy.accessTokenLifetime)
  }
  const timeline = drawn(party(20 * DAY, false, '<script>&"'), policyOf())

  it('has the moments in order, each with its number in text and drawing', () => {
    const times = timeline.moments.map(({ at }) => at)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    const text = proofText(timeline)
    const svg = renderProofSvg(timeline)
    timeline.moments.forEach((_, index) => {
      expect(text).toMatch(new RegExp(`^ +.*${index + 1}`, 'm'))
      expect(svg).toContain(`>${index + 1}</text>`)
    })
    expect(text).toContain('label of RS256-001 is first published')
    expect(
      Math.max(
        ...text
          .split('\n')
          .slice(0, 6)
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80)
  })

  it('takes names as text', () => {
    const svg = renderProofSvg(timeline)
    expect(svg).toContain('&lt;script&gt;&amp;&quot;')
    expect(svg).not.toMatch(/<script|NaN|undefined|Infinity/)
  })

  it('shows a key that is removed too early, too', () => {
    const { moments } = drawn(party(HOUR), policyOf({ retentionDuration: 7 * DAY }))
    expect(moments.map(({ text }) => text)).toContain('label of RS256-000 leaves the published set')
  })
})

/** Processor time, because other work on this machine is none of the prover's. */
describe('how long it takes', () => {
  const timed = (policy: Policy, parties: RelyingParty[]) => {
    const keys = scheduleOf(policy, [START])
    const begun = process.cpuUsage()
    expect(prove(policy, keys, parties).outcome).toBe('no outage')
    return process.cpuUsage(begun).user / 1000
  }

  it('well under 100 ms for the default policy, under 2 s for 4 algorithms, 12 keys ahead and 50 relying parties', () => {
    expect(timed(policyOf(), [party(12 * HOUR)])).toBeLessThan(100)
    const large = policyOf({ horizon: 12, signingAlgorithms: ['RS256', 'PS256', 'ES256', 'Ed25519'] })
    const parties = Array.from({ length: 50 }, (_, index) => party(index * HOUR, index % 2 === 1, `party ${index}`))
    expect(timed(large, parties)).toBeLessThan(2000)
  })
})
