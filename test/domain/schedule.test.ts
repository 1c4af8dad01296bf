import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byAlgorithm, type KeyTimes, type ScheduledKey, scheduledPhase, signerAt } from '../../shared/domain/key.ts'
import {
  DAY,
  HOUR,
  JWKS_MAX_AGE,
  leastPropagation,
  MAX_PUBLISHED_KEYS,
  type Policy,
  SKEW,
} from '../../shared/domain/policy.ts'
import {
  checkSchedule,
  extendSchedule,
  firstKey,
  keyLabel,
  nextKey,
  replacementTimes,
  scheduleEnd,
} from '../../shared/domain/schedule.ts'
import { cutSlots, publishedAt } from '../../shared/domain/slots.ts'
import {
  accepted,
  anyPolicy,
  around,
  changesOf,
  deliveryAt,
  firstPublished,
  keyed,
  momentsOf,
  POLICIES,
  policyOf,
  publishedBy,
  type Rhythm,
  START,
  scheduleOf,
  signersOf,
  unverifiable,
  type World,
  worldOf,
} from './world.ts'

const NONE: ReadonlySet<string> = new Set()
const have = () => ({ hasPrivate: true, tainted: false, firstPublishedAt: null })

/** Ceremonies held in time: whenever the next announcement is not further away than one rotation. */
const onTime = (policy: Policy, rounds: number): number[] => {
  const ceremonies = [START]
  for (let round = 1; round < rounds; round++) {
    const last = extendOnce(policy, ceremonies).at(-1)
    ceremonies.push(Math.max(ceremonies.at(-1) ?? START, (last?.signUntil ?? START) - policy.propagationTime))
  }
  return ceremonies
}
const extendOnce = (policy: Policy, ceremonies: readonly number[]): KeyTimes[] => {
  const times: KeyTimes[] = []
  for (const at of ceremonies) times.push(...extendSchedule(policy, times, at))
  return times
}

describe('what must hold for every schedule', () => {
  const every = (check: (policy: Policy, keys: ScheduledKey[]) => void) =>
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 4 }), (policy, rounds) => {
        check(policy, scheduleOf(policy, onTime(policy, rounds)))
      }),
      { numRuns: 150 },
    )

  it('from the first signFrom to the horizon exactly one key per algorithm signs at every instant', () =>
    every((policy, keys) => {
      for (const group of byAlgorithm(keys).values()) {
        const end = scheduleEnd(group) ?? 0
        for (const now of around(changesOf(group)).filter((at) => at >= START && at < end)) {
          const signing = group.filter((key) => scheduledPhase(key, now) === 'signing')
          expect(signing).toHaveLength(1)
          expect(signerAt(group, have, policy.propagationTime, now)?.kid).toBe(signing[0]?.kid)
        }
      }
    }))

  it('each key is published for the propagation time before it signs, except the marked first', () =>
    every((policy, keys) => {
      for (const group of byAlgorithm(keys).values())
        group.forEach((key, index) => {
          expect(key.propagation).toBe(index === 0 ? 'none (first key)' : 'full')
          if (index > 0) expect(key.signFrom - key.announceAt).toBeGreaterThanOrEqual(policy.propagationTime)
        })
    }))

  it('removeAt is signUntil + retentionDuration, and late enough for the last token of the extension', () =>
    every((policy, keys) => {
      for (const key of keys) {
        expect(key.removeAt).toBe(key.signUntil + policy.retentionDuration)
        expect(key.removeAt).toBeGreaterThanOrEqual(key.extendUntil + policy.accessTokenLifetime + SKEW)
        expect(key.extendUntil).toBe(key.signUntil + policy.extension)
        expect(key.signUntil).toBe(key.signFrom + policy.rotationInterval)
      }
    }))

  it('at most 8 keys are published at any time', () =>
    every((_policy, keys) => {
      for (const now of around(changesOf(keys)))
        expect(publishedAt(keys, NONE, now).length).toBeLessThanOrEqual(MAX_PUBLISHED_KEYS)
    }))

  it('checkSchedule finds nothing', () =>
    every((policy, keys) => expect(checkSchedule(policy, keys, NONE)).toEqual([])))

  it('after a ceremony, `horizon` keys stand after the one that signs, and a second ceremony at once adds none', () =>
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const times = extendSchedule(policy, [], START)
        expect(times).toHaveLength(1 + policy.horizon)
        expect(times[0]?.signFrom).toBe(START)
        expect(extendSchedule(policy, times, START)).toEqual([])
      }),
    ))
})

describe('a late ceremony', () => {
  const policy = policyOf({ horizon: 1 })
  const first = firstKey(policy, START)

  it.each([
    ['long before', first.signUntil - 80 * DAY, first.signUntil - policy.propagationTime, first.signUntil],
    [
      'in the last second',
      first.signUntil - policy.propagationTime,
      first.signUntil - policy.propagationTime,
      first.signUntil,
    ],
    [
      'one second late',
      first.signUntil - policy.propagationTime + 1,
      first.signUntil - policy.propagationTime + 1,
      first.signUntil + 1,
    ],
    [
      'as late as can be',
      first.extendUntil - policy.propagationTime,
      first.extendUntil - policy.propagationTime,
      first.extendUntil,
    ],
  ])('%s: announced then, and switched then', (_when, from, announceAt, signFrom) => {
    const next = nextKey(policy, first, from)
    expect(next).toMatchObject({ announceAt, signFrom, propagation: 'full' })
    expect(checkSchedule(policy, keyed('RS256', [first, next]), NONE)).toEqual([])
  })

  it('policy-rejected: one second later nobody could sign in between; nothing is scheduled', () => {
    const from = first.extendUntil - policy.propagationTime + 1
    for (const attempt of [() => nextKey(policy, first, from), () => extendSchedule(policy, [first], from)])
      expect(attempt).toThrow(
        expect.objectContaining({ code: 'policy-rejected', message: expect.stringContaining('14 days') }),
      )
  })

  it('the key before goes on within its extension, and at every instant somebody signs', () => {
    for (let late = 1; late <= policy.extension; late += 6 * HOUR) {
      const keys = keyed('RS256', [first, nextKey(policy, first, first.signUntil - policy.propagationTime + late)])
      for (const now of around(changesOf(keys)).filter((at) => at >= START && at < (scheduleEnd(keys) ?? 0)))
        expect(signerAt(keys, have, policy.propagationTime, now), `${now}`).not.toBeNull()
    }
  })
})

describe('no relying party that refreshes within its registered cache time meets a token it cannot verify', () => {
  const RHYTHMS: Rhythm[] = []
  // Shares of the tightest span that a delay may take; the last ones are beyond it.
  for (const late of [-1, -0.5, 0, 0.5, 1])
    for (const bundleDelay of [0, 0.25, 0.5, 1, 1.5])
      for (const materialDelay of [0, 0.5, 1.2]) RHYTHMS.push({ rounds: 4, late, bundleDelay, materialDelay })

  const scaled = (policy: Policy, rhythm: Rhythm): Rhythm => ({
    rounds: rhythm.rounds,
    late: Math.round(rhythm.late * (rhythm.late < 0 ? policy.rotationInterval / 3 : policy.extension)),
    bundleDelay: Math.round(rhythm.bundleDelay * policy.extension),
    materialDelay: Math.round(rhythm.materialDelay * (policy.extension + policy.propagationTime)),
  })
  const longestCache = (policy: Policy) => policy.propagationTime - JWKS_MAX_AGE - SKEW

  it.each(Object.keys(POLICIES))('%s: every rhythm of late ceremonies, bundles and material; zero failures', (name) => {
    const policy = POLICIES[name] ?? policyOf()
    const cache = longestCache(policy)
    expect(accepted(policy, [{ name: 'the slowest', cacheSeconds: cache, refreshesOnUnknownKid: false }])).toBe(true)
    let worlds = 0
    for (const rhythm of RHYTHMS) {
      const world = worldOf(policy, scaled(policy, rhythm))
      if (!world) continue
      worlds++
      expect(unverifiable(world, cache), JSON.stringify(rhythm)).toEqual([])
    }
    expect(worlds).toBeGreaterThan(20)
  })

  it('any policy, any rhythm: zero failures', () =>
    fc.assert(
      fc.property(
        anyPolicy,
        fc.record({
          rounds: fc.integer({ min: 1, max: 4 }),
          late: fc.double({ min: -1, max: 1, noNaN: true }),
          bundleDelay: fc.double({ min: 0, max: 3, noNaN: true }),
          materialDelay: fc.double({ min: 0, max: 3, noNaN: true }),
        }),
        (policy, rhythm) => {
          const world = worldOf(policy, scaled(policy, rhythm))
          if (world) expect(unverifiable(world, longestCache(policy))).toEqual([])
        },
      ),
      { numRuns: 150 },
    ))

  it('the simulation would notice: a cache longer than registered, or a key removed too early, fails', () => {
    const policy = policyOf({ horizon: 1 })
    const world = worldOf(policy, { rounds: 3, late: policy.extension, bundleDelay: 0, materialDelay: 0 })
    if (!world) throw new Error('no world')
    expect(unverifiable(world, longestCache(policy))).toEqual([])
    expect(unverifiable(world, longestCache(policy) + 2)).not.toEqual([])
    const early = world.deliveries.map((delivery) => {
      const keys = delivery.keys.map((key) => ({ ...key, removeAt: key.signUntil + 60 }))
      return { ...delivery, keys, slots: cutSlots(policy, keys, NONE, delivery.importedAt) }
    })
    expect(unverifiable({ ...world, deliveries: early }, 0)).not.toEqual([])
  })

  it('late key material is taken until extendUntil, a late bundle until extendUntil - propagationTime: then somebody signs at every instant', () => {
    let within = 0
    let beyond = 0
    for (const policy of Object.values(POLICIES)) {
      for (const rhythm of RHYTHMS) {
        const world = worldOf(policy, scaled(policy, rhythm))
        if (!world) continue
        const published = firstPublished(world)
        const armed = world.deliveries.at(-1)?.keys.filter((key) => world.materialAt.has(key.kid)) ?? []
        const inTime = [...byAlgorithm(armed).values()].every((group) =>
          group.every((key, index) => {
            const before = group[index - 1]
            if (!before) return true
            const first = published.get(key.kid) ?? Number.POSITIVE_INFINITY
            const material = world.materialAt.get(key.kid) ?? Number.POSITIVE_INFINITY
            return material <= before.extendUntil && first <= before.extendUntil - policy.propagationTime
          }),
        )
        const signers = signersOf(world)
        // Until the end of the last key whose material ever arrives.
        const end = scheduleEnd(armed) ?? 0
        const idle = momentsOf(world).filter(
          (now) => now >= START && now < end && [...signers(now).values()].some((key) => key === null),
        )
        if (inTime) within++
        else beyond++
        expect(idle.length === 0, JSON.stringify(rhythm)).toBe(inTime)
      }
    }
    expect(within).toBeGreaterThan(60)
    expect(beyond).toBeGreaterThan(60)
  })

  it('relying parties of many kinds over two years of mixed tenants: every token verifies at once and at its end', () => {
    const caches = [0, 10 * 60, 6 * HOUR, DAY - JWKS_MAX_AGE - SKEW]
    let checked = 0
    const lost: string[] = []
    for (const [name, policy] of Object.entries(POLICIES)) {
      const third = Math.floor(policy.extension / 3)
      const world = worldOf(policy, { rounds: 30, late: third, bundleDelay: third, materialDelay: 0 })
      if (!world) throw new Error(`${name} has no world`)
      const signers = signersOf(world)
      const armed = world.deliveries.at(-1)?.keys.filter((key) => world.materialAt.has(key.kid)) ?? []
      const end = Math.min(START + 730 * DAY, scheduleEnd(armed) ?? START)
      const looks: { at: number; kid: string }[] = []
      const step = Math.floor((end - START) / 3000)
      for (let now = START; now < end; now += step)
        for (const [alg, key] of signers(now)) {
          if (!key) throw new Error(`${name}: nobody signs ${alg} at ${now - START}`)
          for (const at of [now, now + policy.accessTokenLifetime]) looks.push({ at, kid: key.kid })
        }
      looks.sort((a, b) => a.at - b.at)
      for (const cache of caches) {
        let fetched = START
        let keys: ReadonlySet<string> = new Set(publishedBy(world, START))
        for (const { at, kid } of looks) {
          // It refreshes as late as it may, and then gets a response that waited in a shared cache for its whole max-age.
          if (at - fetched > cache) {
            fetched = at
            keys = new Set(publishedBy(world, Math.max(START, at - JWKS_MAX_AGE)))
          }
          checked++
          if (!keys.has(kid)) lost.push(`${name}: ${kid} at ${at - START}, cache ${cache}`)
        }
      }
    }
    expect(lost).toEqual([])
    expect(checked).toBeGreaterThan(100_000)
  })
})

describe('no next key', () => {
  const policy = policyOf({ horizon: 1, materialAhead: 1 })

  it('the last key continues to its signed extendUntil, then nobody signs, while its public half stays', () => {
    const world = worldOf(policy, { rounds: 0, late: 0, bundleDelay: 0, materialDelay: 0 })
    const last = world?.deliveries[0]?.keys.at(-1)
    if (!world || !last) throw new Error('no world')
    const signer = (now: number) => signersOf(world)(now).get('RS256')?.kid ?? null
    expect(signer(last.signUntil - 1)).toBe(last.kid)
    expect(signer(last.signUntil)).toBe(last.kid)
    expect(signer(last.extendUntil - 1)).toBe(last.kid)
    expect(signer(last.extendUntil)).toBeNull()
    expect(signer(last.extendUntil + 1000 * DAY)).toBeNull()
    expect(publishedBy(world, last.extendUntil + policy.accessTokenLifetime + SKEW)).toContain(last.kid)
    expect(unverifiable(world, 0)).toEqual([])
  })

  it('material that never comes: the key before goes on to its own extendUntil and no further; nothing is revived', () => {
    const keys = scheduleOf(policyOf({ horizon: 2 }), [START])
    const [a, b, c] = keys
    if (!a || !b || !c) throw new Error('no keys')
    const facts = (kid: string) => ({ hasPrivate: kid === a.kid, tainted: false, firstPublishedAt: null })
    const at = (now: number) => signerAt(keys, facts, policy.propagationTime, now)?.kid ?? null
    expect(at(a.extendUntil - 1)).toBe(a.kid)
    for (const now of [a.extendUntil, b.signFrom + DAY * 30, c.signFrom, c.extendUntil + DAY])
      expect(at(now)).toBeNull()
  })
})

describe('an emergency replacement', () => {
  const policy = policyOf({ horizon: 2, signingAlgorithms: ['RS256', 'ES256'] })
  const keys = scheduleOf(policy, [START])
  const rs = keys.filter((key) => key.spec === 'RS256')
  const [first, second] = rs
  if (!first || !second) throw new Error('no keys')
  const replaced = (victim: ScheduledKey, now: number) => {
    const times = replacementTimes(policy, victim, now)
    const replacement: ScheduledKey = { ...times, kid: 'RS256-replacement', spec: 'RS256' }
    return { replacement, all: [...keys, replacement], gone: new Set([victim.kid]) }
  }

  it.each([
    ['the key that signs', first, START + 30 * DAY, 'none (emergency)'],
    ['a key that is announced', second, second.signFrom - DAY, 'none (emergency)'],
    ['a key announced just long enough ago', second, second.signFrom - policy.propagationTime, 'full'],
    ['a key that is only planned', second, START + DAY, 'full'],
  ] as const)(
    'of %s: signs as soon as it may, keeps the end, and says how long it was announced',
    (_what, victim, now, propagation) => {
      const { replacement, all, gone } = replaced(victim, now)
      const { signUntil, extendUntil, removeAt } = victim
      expect(replacement).toMatchObject({ signUntil, extendUntil, removeAt, propagation })
      expect(replacement.signFrom).toBe(Math.max(now, victim.signFrom))
      expect(replacement.announceAt).toBe(Math.max(now, victim.announceAt))
      expect(checkSchedule(policy, all, gone)).toEqual([])
    },
  )

  it('the compromised key is published no more; everything else is published and signs exactly as before', () => {
    const now = START + 30 * DAY
    const { replacement, all, gone } = replaced(first, now)
    const facts = (kid: string) => ({ hasPrivate: true, tainted: gone.has(kid), firstPublishedAt: null })
    for (const at of around(changesOf(all)).filter((one) => one >= now && one < (scheduleEnd(rs) ?? 0))) {
      const before = publishedAt(keys, NONE, at).filter((kid) => kid !== first.kid)
      const after = publishedAt(all, gone, at)
      expect(after).not.toContain(first.kid)
      expect(after.filter((kid) => kid !== replacement.kid)).toEqual(before)
      for (const [alg, group] of byAlgorithm(all)) {
        const was = signerAt(byAlgorithm(keys).get(alg) ?? [], have, policy.propagationTime, at)
        const is = signerAt(group, facts, policy.propagationTime, at)
        expect(is?.kid).toBe(was?.kid === first.kid ? replacement.kid : was?.kid)
      }
    }
  })

  it('from then on no token is lost, once the relying parties have refreshed', () => {
    const now = START + 30 * DAY
    const { replacement, all, gone } = replaced(first, now)
    const materialAt = new Map(keys.map((key) => [key.kid, START]))
    materialAt.set(replacement.kid, now)
    const world: World = {
      policy,
      deliveries: [
        { keys, slots: cutSlots(policy, keys, NONE, START), importedAt: START },
        { keys: all, slots: cutSlots(policy, all, gone, now), importedAt: now },
      ],
      materialAt,
      compromisedAt: new Map([[first.kid, now]]),
    }
    expect(deliveryAt(world, now)?.keys).toBe(all)
    const cache = 6 * HOUR
    const settled = now + leastPropagation([{ name: 'x', cacheSeconds: cache, refreshesOnUnknownKid: false }])
    expect(unverifiable(world, cache, { from: settled })).toEqual([])
    expect(unverifiable(world, cache, { from: now, to: settled })).not.toEqual([])
    const es = unverifiable(world, cache, { from: now }).filter((one) => one.startsWith('ES256'))
    expect(es).toEqual([])
  })

  it('in the extension, where no successor signs, the replacement still has its times in order', () => {
    const last = rs.at(-1)
    if (!last) throw new Error('no keys')
    const now = last.signUntil + DAY
    const { replacement, all, gone } = replaced(last, now)
    expect(replacement).toMatchObject({ announceAt: now, signFrom: now, propagation: 'none (emergency)' })
    expect(checkSchedule(policy, all, gone)).toEqual([])
  })
})

describe('an emergency beside a schedule that came late', () => {
  const policy = policyOf({ horizon: 1 })
  const first = firstKey(policy, START)
  const late = nextKey(policy, first, first.signUntil - 10 * DAY)
  const now = first.signUntil + DAY

  it('the replacement of a key in its extension ends when the scheduled successor begins', () => {
    expect(late.signFrom).toBe(first.signUntil + 4 * DAY)
    const times = replacementTimes(policy, first, now, late.signFrom)
    expect(times).toMatchObject({
      signFrom: now,
      signUntil: late.signFrom,
      extendUntil: late.signFrom + policy.extension,
      removeAt: late.signFrom + policy.retentionDuration,
      propagation: 'none (emergency)',
    })
    const keys = keyed('RS256', [first, late, times])
    expect(checkSchedule(policy, keys, new Set([keys[0]?.kid ?? '']))).toEqual([])
  })

  it('without a successor, and too late to announce one, the replacement gets a whole span', () => {
    const day85 = first.signUntil - 5 * DAY
    expect(replacementTimes(policy, first, day85)).toMatchObject({
      signFrom: day85,
      signUntil: day85 + policy.rotationInterval,
    })
  })
})

describe('a schedule that ran out', () => {
  const policy = policyOf({ horizon: 1 })
  const first = firstKey(policy, START)

  it.each([0, DAY, 400 * DAY])('starts anew, %i seconds after nobody could sign any more', (after) => {
    const from = first.extendUntil + after
    const made = extendSchedule(policy, [first], from)
    expect(made).toHaveLength(2)
    expect(made[0]).toMatchObject({ announceAt: from, signFrom: from, propagation: 'none (emergency)' })
    expect(made[1]).toMatchObject({ signFrom: made[0]?.signUntil, propagation: 'full' })
    expect(checkSchedule(policy, keyed('RS256', [first, ...made]), NONE)).toEqual([])
  })
})

describe('checkSchedule names what does not hold', () => {
  const policy = policyOf({ horizon: 2 })
  const keys = scheduleOf(policy, [START])
  const change = (index: number, part: Partial<ScheduledKey>) =>
    keys.map((key, at) => (at === index ? { ...key, ...part } : key))
  const [a, b] = keys
  if (!a || !b) throw new Error('no keys')

  it.each<[string, ScheduledKey[], string, string]>([
    ['signs before it is announced', change(1, { announceAt: b.signFrom + 1 }), b.kid, 'times are not in order'],
    [
      'ends before it begins',
      change(2, { signUntil: keys[2]?.signFrom ?? 0 }),
      keys[2]?.kid ?? '',
      'times are not in order',
    ],
    ['extends before it ends', change(1, { extendUntil: b.signUntil - 1 }), b.kid, 'times are not in order'],
    ['is announced one second too short', change(1, { announceAt: b.announceAt + 1 }), b.kid, 'announced long enough'],
    [
      'is removed one second too early',
      change(1, { removeAt: b.extendUntil + HOUR + SKEW - 1 }),
      b.kid,
      'tokens it signed may still live',
    ],
    [
      'signs beside its predecessor',
      change(1, { announceAt: b.announceAt - 1, signFrom: b.signFrom - 1 }),
      b.kid,
      'before its predecessor ends',
    ],
    [
      'leaves a gap',
      change(1, { signFrom: a.extendUntil + 1, propagation: 'full' }),
      b.kid,
      'nobody could sign before it',
    ],
    ['calls itself a first key', change(1, { propagation: 'none (first key)' }), b.kid, 'not a first key'],
  ])('a key that %s', (_what, changed, kid, message) => {
    const findings = checkSchedule(policy, changed, NONE)
    expect(findings).toContainEqual({ kid, message: expect.stringContaining(message) })
  })

  it('a compromised key leaves its span to its replacement, or to nobody; a gap that no compromise explains is named', () => {
    expect(checkSchedule(policy, keys, new Set([a.kid]))).toEqual([])
    expect(checkSchedule(policy, keys, new Set([b.kid]))).toEqual([])
    const without = keys.filter((key) => key.kid !== b.kid)
    expect(checkSchedule(policy, without, NONE).map((finding) => finding.kid)).toEqual([keys[2]?.kid])
  })
})

describe('scheduleEnd and keyLabel', () => {
  it('the end is that of the algorithm that ends first; without keys there is none', () => {
    const policy = policyOf()
    const long = keyed('RS256', extendSchedule(policy, [], START))
    const short = keyed('ES256', [firstKey(policy, START)])
    expect(scheduleEnd([])).toBeNull()
    expect(scheduleEnd(long)).toBe(long.at(-1)?.signUntil)
    expect(scheduleEnd([...long, ...short])).toBe(short[0]?.signUntil)
  })

  it('a label names tenant, algorithm and the month in which the key starts to sign (UTC)', () => {
    const times = firstKey(policyOf(), Date.UTC(2026, 5, 30, 23, 59, 59) / 1000)
    expect(keyLabel('acme', 'RS256-3072', times)).toBe('acme-rs256-3072-2026-06')
    expect(keyLabel('acme', 'ES256', { ...times, signFrom: times.signFrom + 1 })).toBe('acme-es256-2026-07')
  })
})
