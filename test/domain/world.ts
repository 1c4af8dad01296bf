import fc from 'fast-check'
import type { KeySpec } from '../../shared/domain/algorithms.ts'
import {
  byAlgorithm,
  type KeyFacts,
  type KeyTimes,
  readyAt,
  type ScheduledKey,
  signerAt,
} from '../../shared/domain/key.ts'
import {
  checkPolicy,
  DAY,
  HOUR,
  JWKS_MAX_AGE,
  LATER_POLICY,
  MINUTE,
  type Policy,
  type RelyingParty,
  SKEW,
} from '../../shared/domain/policy.ts'
import { extendSchedule } from '../../shared/domain/schedule.ts'
import { cutSlots, type Slot, slotAt } from '../../shared/domain/slots.ts'

/**
 * A small world in virtual time: ceremonies that schedule keys, handoffs that arrive sooner or later, a runtime that
 * publishes and signs by the domain's rules, and relying parties that keep what they fetched.
 */

export const START = 1_700_000_000

export const policyOf = (change: Partial<Policy> = {}): Policy => ({
  rotationInterval: 90 * DAY,
  propagationTime: 14 * DAY,
  retentionDuration: 14 * DAY,
  extension: 7 * DAY,
  accessTokenLifetime: HOUR,
  destroyPrivateAtRetirement: true,
  destructionCoolingOff: 0,
  signingAlgorithms: ['RS256'],
  slotLength: 30 * DAY,
  horizon: 2,
  materialAhead: 1,
  standby: 'none',
  ...LATER_POLICY,
  ...change,
})

export const accepted = (policy: Policy, parties: readonly RelyingParty[] = []): boolean => {
  try {
    checkPolicy(policy, parties)
    return true
  } catch {
    return false
  }
}

/** Policies that tenants may mix: common ones and those at the edges of the rules. */
export const POLICIES: Record<string, Policy> = {
  'the default': policyOf(),
  monthly: policyOf({
    rotationInterval: 30 * DAY,
    propagationTime: 3 * DAY,
    retentionDuration: 3 * DAY,
    extension: DAY,
  }),
  'as short as can be': policyOf({
    rotationInterval: DAY,
    propagationTime: DAY,
    retentionDuration: 6 * HOUR + MINUTE + SKEW,
    extension: 6 * HOUR,
    accessTokenLifetime: MINUTE,
    slotLength: DAY,
    horizon: 1,
  }),
  'no extension': policyOf({ extension: 0, retentionDuration: HOUR + SKEW, horizon: 1 }),
  'an extension as long as the rotation': policyOf({
    rotationInterval: 20 * DAY,
    propagationTime: 5 * DAY,
    extension: 20 * DAY,
    retentionDuration: 21 * DAY + SKEW,
    accessTokenLifetime: DAY,
    horizon: 1,
  }),
  'announced for a whole rotation': policyOf({
    rotationInterval: 14 * DAY,
    retentionDuration: 28 * DAY,
    slotLength: 10 * DAY,
    horizon: 3,
  }),
  'several algorithms': policyOf({
    rotationInterval: 40 * DAY,
    signingAlgorithms: ['RS256', 'ES256', 'Ed25519'],
    accessTokenLifetime: DAY,
    materialAhead: 2,
  }),
}

/** Any policy that `checkPolicy` accepts. */
export const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    rotation: fc.integer({ min: DAY, max: 120 * DAY }),
    propagation: fc.double({ min: 0, max: 1, noNaN: true }),
    extension: fc.double({ min: 0, max: 1, noNaN: true }),
    more: fc.double({ min: 0, max: 2, noNaN: true }),
    accessTokenLifetime: fc.integer({ min: MINUTE, max: DAY }),
    signingAlgorithms: fc.subarray<KeySpec>(['RS256', 'PS256-4096', 'ES256', 'Ed25519'], { minLength: 1 }),
    slotLength: fc.integer({ min: DAY, max: 30 * DAY }),
    horizon: fc.integer({ min: 1, max: 4 }),
    ahead: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ rotation, propagation, extension, more, ahead, ...rest }) => {
    const extended = Math.floor(rotation * extension)
    return policyOf({
      ...rest,
      rotationInterval: rotation,
      propagationTime: Math.max(DAY, Math.floor(rotation * propagation)),
      extension: extended,
      retentionDuration: extended + rest.accessTokenLifetime + SKEW + Math.floor(rotation * more),
      materialAhead: Math.round(rest.horizon * ahead),
    })
  })
  .filter((policy) => accepted(policy))

export const keyed = (spec: KeySpec, times: readonly KeyTimes[], prefix = spec as string): ScheduledKey[] =>
  times.map((one, index) => ({ ...one, spec, kid: `${prefix}-${String(index).padStart(3, '0')}` }))

/** The keys after ceremonies at these times. */
export function scheduleOf(policy: Policy, ceremonies: readonly number[]): ScheduledKey[] {
  return policy.signingAlgorithms.flatMap((spec) => {
    const times: KeyTimes[] = []
    for (const at of ceremonies) times.push(...extendSchedule(policy, times, at))
    return keyed(spec, times)
  })
}

/** Every instant at which something can change, and the seconds around it. */
export const around = (instants: Iterable<number>): number[] =>
  [...new Set([...instants].flatMap((at) => [at - 1, at, at + 1]))].sort((a, b) => a - b)

export const changesOf = (keys: readonly KeyTimes[]): number[] =>
  keys.flatMap((key) => [key.announceAt, key.signFrom, key.signUntil, key.extendUntil, key.removeAt])

/** One bundle as it reached the runtime, with the keys whose material came with it or after it. */
export type Delivery = { keys: ScheduledKey[]; slots: Slot[]; importedAt: number }
export type World = {
  policy: Policy
  deliveries: Delivery[]
  materialAt: Map<string, number>
  compromisedAt: Map<string, number>
}

export type Rhythm = {
  /** How many ceremonies after the first. */
  rounds: number
  /** When each of them is held, after the day on which the announcement of the next key is due. */
  late: number
  /** How long a bundle travels, and how much longer its material. */
  bundleDelay: number
  materialDelay: number
}

/** A world in which one ceremony is held for every rotation, as early or late as `late` says; null where it cannot be held. */
export function worldOf(policy: Policy, { rounds, late, bundleDelay, materialDelay }: Rhythm): World | null {
  const deliveries: Delivery[] = []
  const materialAt = new Map<string, number>()
  const all = new Map<KeySpec, KeyTimes[]>(policy.signingAlgorithms.map((spec) => [spec, []]))
  let at = START
  for (let round = 0; round <= rounds; round++) {
    const keys: ScheduledKey[] = []
    try {
      for (const [spec, times] of all) {
        times.push(...extendSchedule(policy, times, at))
        keys.push(...keyed(spec, times))
      }
    } catch {
      return null
    }
    // A tenant begins when its first bundle is there; the delays are those of the later ones.
    const importedAt = round === 0 ? at : at + bundleDelay
    deliveries.push({ keys, slots: cutSlots(policy, keys, new Set(), at), importedAt })
    for (const group of byAlgorithm(keys).values()) {
      const signing = group.filter((key) => key.signFrom <= at).length
      for (const key of group.slice(0, signing + policy.materialAhead))
        if (!materialAt.has(key.kid)) materialAt.set(key.kid, importedAt + (round === 0 ? 0 : materialDelay))
    }
    const ends = [...all.values()].map((times) => {
      const reached = policy.horizon === 1 ? times.at(-1) : times[round + Math.min(policy.materialAhead, 1)]
      return (reached ?? times.at(-1))?.signUntil ?? at
    })
    at = Math.max(at + 1, Math.min(...ends) - policy.propagationTime + late)
  }
  return { policy, deliveries, materialAt, compromisedAt: new Map() }
}

export const deliveryAt = (world: World, now: number): Delivery | null =>
  world.deliveries.findLast((delivery) => delivery.importedAt <= now) ?? null

/** What the runtime publishes at `now`: the slot of its newest bundle. */
export function publishedBy(world: World, now: number): readonly string[] {
  const slots = deliveryAt(world, now)?.slots ?? []
  return slotAt(slots, now)?.kids ?? []
}

export function firstPublished(world: World): Map<string, number> {
  const first = new Map<string, number>()
  world.deliveries.forEach(({ slots, importedAt }, index) => {
    const until = world.deliveries[index + 1]?.importedAt ?? Number.POSITIVE_INFINITY
    slots.forEach((slot, place) => {
      const from = Math.max(slot.from, importedAt)
      const to = Math.min(until, slots[place + 1]?.from ?? Number.POSITIVE_INFINITY)
      if (from >= to) return
      for (const kid of slot.kids) first.set(kid, Math.min(from, first.get(kid) ?? from))
    })
  })
  return first
}

/** The signers of a world: one of each algorithm at any instant, or null. */
export function signersOf(world: World): (now: number) => Map<string, ScheduledKey | null> {
  const published = firstPublished(world)
  return (now) => {
    const facts = (kid: string): KeyFacts => {
      const first = published.get(kid)
      return {
        hasPrivate: (world.materialAt.get(kid) ?? Number.POSITIVE_INFINITY) <= now,
        tainted: (world.compromisedAt.get(kid) ?? Number.POSITIVE_INFINITY) <= now,
        firstPublishedAt: first === undefined || first > now ? null : first,
      }
    }
    const groups = byAlgorithm(deliveryAt(world, now)?.keys ?? [])
    // As the issuer does: what is not yet published cannot sign.
    const usable = (keys: ScheduledKey[]) =>
      keys.filter((key) => (published.get(key.kid) ?? Number.POSITIVE_INFINITY) <= now)
    return new Map(
      [...groups].map(([alg, keys]) => [alg, signerAt(usable(keys), facts, world.policy.propagationTime, now)]),
    )
  }
}

/** Every instant at which a world changes. */
export function momentsOf(world: World): number[] {
  const first = firstPublished(world)
  const keys = world.deliveries.flatMap((delivery) => delivery.keys)
  const ready = keys.map((key) => readyAt(key, world.policy.propagationTime, first.get(key.kid) ?? null))
  return around([
    ...world.deliveries.flatMap(({ slots, importedAt }) => [importedAt, ...slots.map((slot) => slot.from)]),
    ...world.materialAt.values(),
    ...world.compromisedAt.values(),
    ...changesOf(keys),
    ...ready,
  ])
}

/** The instants at which what is published changes. */
export const publicationChanges = (world: World): number[] => [
  ...new Set(world.deliveries.flatMap(({ slots, importedAt }) => [importedAt, ...slots.map((slot) => slot.from)])),
]

/**
 * Every token that some relying party could not verify: signed at one instant, looked at until it has expired with a key
 * set fetched at the worst time that the cache allows. Exact, because everything is constant between two moments.
 */
export function unverifiable(
  world: World,
  cacheSeconds: number,
  { from = START, to = Number.POSITIVE_INFINITY } = {},
): string[] {
  const signers = signersOf(world)
  const changes = publicationChanges(world)
  const stale = cacheSeconds + JWKS_MAX_AGE + SKEW
  const begin = world.deliveries[0]?.importedAt ?? START
  const end = Math.max(...world.deliveries.flatMap((delivery) => delivery.keys.map((key) => key.extendUntil)))
  const lost: string[] = []
  const known = new Map<number, ReadonlySet<string>>()
  const setAt = (at: number) => {
    const set = known.get(at) ?? new Set(publishedBy(world, at))
    known.set(at, set)
    return set
  }
  for (const now of momentsOf(world)) {
    if (now < Math.max(begin, from) || now > Math.min(end, to)) continue
    for (const key of signers(now).values()) {
      if (!key) continue
      const first = Math.max(begin, now - stale)
      const last = now + world.policy.accessTokenLifetime + SKEW
      const looks = [first, last, ...changes.flatMap((at) => [at - 1, at])].filter((at) => at >= first && at <= last)
      for (const at of looks)
        if (!setAt(at).has(key.kid))
          lost.push(`${key.kid} signs at ${now - START} and is not published at ${at - START}`)
    }
  }
  return lost
}
