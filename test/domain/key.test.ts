import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  byAlgorithm,
  isSpent,
  type KeyFacts,
  type KeyState,
  keyState,
  type Phase,
  phaseAt,
  readyAt,
  type ScheduledKey,
  scheduledPhase,
  signerAt,
} from '../../shared/domain/key.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { anyPolicy, around, changesOf, keyed, policyOf, START, scheduleOf } from './world.ts'

const policy = policyOf()
const keys = scheduleOf(policy, [START])
const [a, b, c] = keys as [ScheduledKey, ScheduledKey, ScheduledKey]
const PROPAGATION = policy.propagationTime

const facts =
  (change: Record<string, Partial<KeyFacts>> = {}) =>
  (kid: string): KeyFacts => ({ hasPrivate: true, tainted: false, firstPublishedAt: null, ...change[kid] })
const signer = (now: number, change: Record<string, Partial<KeyFacts>> = {}) =>
  signerAt(keys, facts(change), PROPAGATION, now)

describe('planned -> announced -> signing -> retired -> removed, each from its instant on', () => {
  it.each<[number, Phase]>([
    [0, 'planned'],
    [b.announceAt - 1, 'planned'],
    [b.announceAt, 'announced'],
    [b.signFrom - 1, 'announced'],
    [b.signFrom, 'signing'],
    [b.signUntil - 1, 'signing'],
    [b.signUntil, 'retired'],
    [b.removeAt - 1, 'retired'],
    [b.removeAt, 'removed'],
    [7_258_118_400, 'removed'],
  ])('at %i it is %s', (now, phase) => {
    expect(scheduledPhase(b, now)).toBe(phase)
    expect(phaseAt(b, signer(now), now)).toBe(phase)
  })

  it('a phase only ever moves forward, for every policy, by the schedule and as the runtime lives it', () => {
    const order: Phase[] = ['planned', 'announced', 'signing', 'retired', 'removed']
    fc.assert(
      fc.property(anyPolicy, (any) => {
        for (const group of byAlgorithm(scheduleOf(any, [START])).values())
          for (const key of group) {
            const lived = around(changesOf(group)).map((now) =>
              order.indexOf(phaseAt(key, signerAt(group, facts(), any.propagationTime, now), now)),
            )
            const planned = around(changesOf(group)).map((now) => order.indexOf(scheduledPhase(key, now)))
            expect(lived).toEqual([...lived].sort((x, y) => x - y))
            expect(planned).toEqual([...planned].sort((x, y) => x - y))
          }
      }),
      { numRuns: 60 },
    )
  })

  it('in the extension the key that goes on is signing, and its missing successor stays announced', () => {
    const now = a.signUntil + DAY
    const late = signer(now, { [b.kid]: { hasPrivate: false } })
    expect(late?.kid).toBe(a.kid)
    expect(phaseAt(a, late, now)).toBe('signing')
    expect(phaseAt(b, late, now)).toBe('announced')
    expect(scheduledPhase(a, now)).toBe('retired')
  })
})

describe('signerAt: the newest usable key signs; an older one goes on until its extendUntil only while no newer one is usable', () => {
  it.each<[string, number, Record<string, Partial<KeyFacts>>, string | null]>([
    ['before the first', a.signFrom - 1, {}, null],
    ['the first', a.signFrom, {}, a.kid],
    ['the last second of the first', a.signUntil - 1, {}, a.kid],
    ['the switch', a.signUntil, {}, b.kid],
    ['no material of the next', a.signUntil, { [b.kid]: { hasPrivate: false } }, a.kid],
    ['no material, the last second of the extension', a.extendUntil - 1, { [b.kid]: { hasPrivate: false } }, a.kid],
    ['no material, after the extension: nobody', a.extendUntil, { [b.kid]: { hasPrivate: false } }, null],
    ['the next is tainted', a.signUntil, { [b.kid]: { tainted: true } }, a.kid],
    ['the signing one is tainted: nobody', a.signFrom + DAY, { [a.kid]: { tainted: true } }, null],
    ['the signing one is tainted, the next has not begun', b.signFrom - 1, { [a.kid]: { tainted: true } }, null],
    ['all tainted', b.signFrom, Object.fromEntries(keys.map((key) => [key.kid, { tainted: true }])), null],
    ['first published late', a.signUntil, { [b.kid]: { firstPublishedAt: b.announceAt + 5 } }, a.kid],
    [
      'first published late, one second before it is ready',
      a.signUntil + 4,
      { [b.kid]: { firstPublishedAt: b.announceAt + 5 } },
      a.kid,
    ],
    ['first published late, ready', a.signUntil + 5, { [b.kid]: { firstPublishedAt: b.announceAt + 5 } }, b.kid],
    ['one skipped altogether', c.signFrom, { [b.kid]: { hasPrivate: false } }, c.kid],
    ['the one before does not come back after its successor', c.signFrom, { [c.kid]: { tainted: true } }, b.kid],
    ['after the last', c.extendUntil, {}, null],
  ])('%s', (_what, now, change, kid) => {
    expect(signer(now, change)?.kid ?? null).toBe(kid)
  })

  it('never a key that is tainted, without its private half, before its signFrom, or from its extendUntil on', () => {
    const anyFacts = fc.record({
      hasPrivate: fc.boolean(),
      tainted: fc.boolean(),
      firstPublishedAt: fc.option(fc.integer({ min: START, max: c.extendUntil })),
    })
    fc.assert(
      fc.property(
        fc.tuple(anyFacts, anyFacts, anyFacts),
        fc.constantFrom(...around([...changesOf(keys), a.signUntil + 5 * DAY])),
        (each, now) => {
          const of = Object.fromEntries(keys.map((key, index) => [key.kid, each[index] ?? {}]))
          const chosen = signer(now, of)
          const usable = keys.filter((key) => {
            const { hasPrivate, tainted, firstPublishedAt } = facts(of)(key.kid)
            return hasPrivate && !tainted && now >= readyAt(key, PROPAGATION, firstPublishedAt) && now < key.extendUntil
          })
          expect(chosen?.kid).toBe(usable.at(-1)?.kid)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('readyAt: the later of signFrom and first publication + propagationTime, unless the key says none', () => {
  it.each([
    ['never published yet', b, null, b.signFrom],
    ['published in time', b, b.announceAt, b.signFrom],
    ['published early', b, b.announceAt - DAY, b.signFrom],
    ['published one second late', b, b.announceAt + 1, b.signFrom + 1],
    ['published very late', b, b.signFrom, b.signFrom + PROPAGATION],
    ['a first key waits for nobody', a, a.signFrom + DAY, a.signFrom],
    [
      'a replacement in an emergency waits for nobody',
      { ...b, propagation: 'none (emergency)' as const },
      b.signFrom,
      b.signFrom,
    ],
  ])('%s', (_what, times, published, ready) => {
    expect(readyAt(times, PROPAGATION, published)).toBe(ready)
  })
})

describe('isSpent: the private half can never sign again', () => {
  it.each<[string, ScheduledKey, string | null, boolean, number, boolean]>([
    ['it signs', a, a.kid, false, a.signFrom, false],
    ['its successor took over', a, b.kid, false, a.signUntil, true],
    ['it goes on in the extension', a, a.kid, false, a.signUntil + DAY, false],
    ['nobody signs, its extension lasts', a, null, false, a.signUntil + DAY, false],
    ['its extension is over', a, null, false, a.extendUntil, true],
    ['it is announced', b, a.kid, false, b.announceAt, false],
    ['it is tainted while it signs', a, null, true, a.signFrom, true],
    ['it is tainted before it was ever used', c, a.kid, true, a.signFrom, true],
    ['a newer one signs before its own end', a, b.kid, false, a.signUntil - 1, false],
  ])('%s', (_what, key, by, tainted, now, spent) => {
    expect(isSpent(key, keys.find((one) => one.kid === by) ?? null, tainted, now)).toBe(spent)
  })

  it('whatever happens, a key that is spent never signs at any later time', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), (any, present) => {
        for (const group of byAlgorithm(scheduleOf(any, [START])).values()) {
          const of = facts(
            Object.fromEntries(group.map((key, index) => [key.kid, { hasPrivate: present[index % 5] ?? true }])),
          )
          const spent = new Set<string>()
          for (const now of around(changesOf(group))) {
            const by = signerAt(group, of, any.propagationTime, now)
            expect(by !== null && spent.has(by.kid)).toBe(false)
            for (const key of group) if (isSpent(key, by, false, now)) spent.add(key.kid)
          }
          expect(spent.size).toBe(group.length)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('keyState: NIST SP 800-57 Part 1 section 7', () => {
  it.each<[number, boolean, boolean, KeyState]>([
    [b.signFrom - 1, false, false, 'pre-activation'],
    [b.signFrom, false, false, 'active'],
    [b.signUntil, false, false, 'deactivated'],
    [b.signFrom, true, false, 'compromised'],
    [b.signFrom, false, true, 'destroyed'],
    [b.signFrom, true, true, 'destroyed'],
    [b.signFrom - 1, true, false, 'compromised'],
  ])('at %i, compromised %s, destroyed %s: %s', (now, compromised, destroyed, state) => {
    expect(keyState(b, now, { compromised, destroyed })).toBe(state)
  })
})

describe('byAlgorithm', () => {
  it('one algorithm in two sizes is one group: they follow each other', () => {
    const mixed = [...keyed('RS256', [a]), ...keyed('ES256', [a]), ...keyed('RS256-4096', [b])]
    expect([...byAlgorithm(mixed)].map(([alg, group]) => [alg, group.length])).toEqual([
      ['RS256', 2],
      ['ES256', 1],
    ])
  })
})
