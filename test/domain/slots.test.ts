import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ScheduledKey } from '../../shared/domain/key.ts'
import { DAY, HOUR, type Policy, SKEW } from '../../shared/domain/policy.ts'
import { cutSlots, publishedAt, slotAt } from '../../shared/domain/slots.ts'
import { anyPolicy, around, changesOf, policyOf, START, scheduleOf } from './world.ts'

type Case = { policy: Policy; keys: ScheduledKey[]; gone: Set<string>; from: number; end: number }

/** Any policy, cut at any time of its schedule, with any keys withdrawn but not all. */
const anyCase: fc.Arbitrary<Case> = fc
  .record({
    policy: anyPolicy,
    when: fc.double({ min: 0, max: 0.99, noNaN: true }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ policy, when, seed }) => {
    const keys = scheduleOf(policy, [START])
    const gone = new Set(keys.filter((_, index) => index > 0 && (seed >> (index % 10)) & 1).map((key) => key.kid))
    const end = Math.max(...keys.filter((key) => !gone.has(key.kid)).map((key) => key.signUntil))
    const from = START + Math.floor((end - START) * when)
    return { policy, keys, gone, from, end }
  })

const every = (check: (one: Case, slots: ReturnType<typeof cutSlots>) => void) =>
  fc.assert(
    fc.property(anyCase, (one) => check(one, cutSlots(one.policy, one.keys, one.gone, one.from))),
    { numRuns: 150 },
  )

describe('slots (lifecycle.md, "Slots")', () => {
  it('are contiguous from the ceremony to the end of the schedule: each instant is in exactly one', () =>
    every(({ from, end }, slots) => {
      expect(slots[0]?.from).toBe(from)
      expect(slots.at(-1)?.to).toBe(end)
      slots.forEach((slot, index) => {
        expect(slot.to).toBeGreaterThan(slot.from)
        if (index > 0) expect(slot.from).toBe(slots[index - 1]?.to)
      })
    }))

  it('a key set is constant within its slot and is exactly what the schedule publishes', () =>
    every(({ keys, gone, from, end }, slots) => {
      for (const now of around([...changesOf(keys), ...slots.map((slot) => slot.from)])) {
        if (now < from || now >= end) continue
        expect(slotAt(slots, now)?.kids).toEqual(publishedAt(keys, gone, now))
      }
    }))

  it('no slot is longer than slotLength', () =>
    every(({ policy }, slots) => {
      for (const slot of slots) expect(slot.to - slot.from).toBeLessThanOrEqual(policy.slotLength)
    }))

  it('is cut at every transition and at slotLength, and nowhere else', () =>
    every(({ policy, keys, gone }, slots) => {
      const transitions = new Set(
        keys.filter((key) => !gone.has(key.kid)).flatMap((key) => [key.announceAt, key.removeAt]),
      )
      slots.slice(1).forEach((slot, index) => {
        const length = slot.from - (slots[index]?.from ?? 0)
        expect(transitions.has(slot.from) || length === policy.slotLength).toBe(true)
      })
    }))

  it('a signature counts one day longer than its slot; the last until the last token of the extension has expired', () =>
    every(({ policy }, slots) => {
      for (const slot of slots.slice(0, -1)) expect(slot.expires).toBe(slot.to + DAY)
      const last = slots.at(-1)
      const grace = Math.max(DAY, policy.extension + policy.accessTokenLifetime + SKEW)
      expect(last?.expires).toBe((last?.to ?? 0) + grace)
    }))

  it('the last slot still holds every key that may sign in the extension', () =>
    every(({ keys, gone, end }, slots) => {
      const mayExtend = keys.filter(
        (key) => !gone.has(key.kid) && key.signUntil <= end && key.extendUntil > end && key.signFrom < end,
      )
      for (const key of mayExtend) expect(slots.at(-1)?.kids).toContain(key.kid)
    }))

  it('a withdrawn or compromised key stands in none', () =>
    every(({ gone }, slots) => {
      for (const slot of slots) for (const kid of slot.kids) expect(gone.has(kid)).toBe(false)
    }))

  it('the default policy gives the slots that a person would draw', () => {
    const policy = policyOf({ horizon: 1 })
    const keys = scheduleOf(policy, [START])
    const day = (at: number) => (at - START) / DAY
    expect(
      cutSlots(policy, keys, new Set(), START).map((slot) => [day(slot.from), day(slot.to), slot.kids.length]),
    ).toEqual([
      [0, 30, 1],
      [30, 60, 1],
      [60, 76, 1],
      [76, 104, 2],
      [104, 134, 1],
      [134, 164, 1],
      [164, 180, 1],
    ])
  })

  it('without keys, or after the end of the schedule, there is one slot of an instant', () => {
    const policy = policyOf()
    expect(cutSlots(policy, [], new Set(), START)).toEqual([
      { from: START, to: START + 1, expires: START + 1 + 7 * DAY + HOUR + SKEW, kids: [] },
    ])
    const keys = scheduleOf(policy, [START])
    expect(cutSlots(policy, keys, new Set(), START + 1000 * DAY)).toHaveLength(1)
  })
})

describe('publishedAt', () => {
  const keys = scheduleOf(policyOf(), [START])
  const [, b] = keys
  if (!b) throw new Error('no keys')

  it.each([
    [b.announceAt - 1, false],
    [b.announceAt, true],
    [b.signFrom, true],
    [b.removeAt - 1, true],
    [b.removeAt, false],
  ])('a key is published from announceAt up to, but not at, removeAt (%i: %s)', (now, there) => {
    expect(publishedAt(keys, new Set(), now).includes(b.kid)).toBe(there)
  })

  it('is ordered by signFrom, and by kid where two begin together', () => {
    const twin = { ...b, kid: 'AAA' }
    expect(publishedAt([...keys, twin].reverse(), new Set(), b.signFrom)).toEqual([keys[0]?.kid, 'AAA', b.kid])
  })
})

describe('slotAt', () => {
  const slots = [
    { from: 10, to: 20 },
    { from: 20, to: 30 },
  ]
  it.each([
    [9, null],
    [10, 10],
    [19, 10],
    [20, 20],
    [30, 20],
    [10_000, 20],
  ])('at %i it is the one from %s: after the last one ends, it goes on', (now, from) => {
    expect(slotAt(slots, now)?.from ?? null).toBe(from)
  })
})
