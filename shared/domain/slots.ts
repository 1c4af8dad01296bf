import type { ScheduledKey } from './key.ts'
import { DAY, MAX_PUBLISHED_KEYS, MAX_SLOTS, type Policy, SKEW } from './policy.ts'
import { checkSchedule } from './schedule.ts'

/** A span in which a tenant's published key set does not change: [from, to), the keys in it, and until when its signature counts. */
export type Slot = { from: number; to: number; expires: number; kids: string[] }

/** The key ids published at `now` by the schedule, in order of `signFrom`, without those withdrawn or compromised. */
export function publishedAt(keys: readonly ScheduledKey[], gone: ReadonlySet<string>, now: number): string[] {
  return keys
    .filter((key) => key.announceAt <= now && now < key.removeAt && !gone.has(key.kid))
    .sort((a, b) => a.signFrom - b.signFrom || (a.kid < b.kid ? -1 : 1))
    .map((key) => key.kid)
}

/**
 * Cuts the time from `from` to the end of the schedule at every change of the published set and at `slotLength`.
 * A slot's signature counts one day longer than the slot, the last one's until the last token signed in the extension
 * has expired (lifecycle.md, "Slots").
 */
export function cutSlots(
  policy: Policy,
  keys: readonly ScheduledKey[],
  gone: ReadonlySet<string>,
  from: number,
): Slot[] {
  const usable = keys.filter((key) => !gone.has(key.kid))
  const end = Math.max(from + 1, ...usable.filter((key) => !key.standby).map((key) => key.signUntil))
  const changes = usable.flatMap((key) => [key.announceAt, key.removeAt]).filter((at) => at > from && at < end)
  const cuts = [...new Set([from, ...changes, end])].sort((a, b) => a - b)
  const slots: Slot[] = []
  cuts.slice(0, -1).forEach((start, index) => {
    const stop = cuts[index + 1] ?? end
    for (let at = start; at < stop; at += policy.slotLength) {
      const to = Math.min(stop, at + policy.slotLength)
      slots.push({ from: at, to, expires: to + DAY, kids: publishedAt(keys, gone, at) })
    }
  })
  const last = slots.at(-1)
  if (last) last.expires = Math.max(last.expires, last.to + policy.extension + policy.accessTokenLifetime + SKEW)
  return slots
}

/** The slots of a schedule, or what speaks against signing them. */
export function planTimes(
  policy: Policy,
  keys: readonly ScheduledKey[],
  gone: ReadonlySet<string>,
  from: number,
): { slots: Slot[]; finding: string | null } {
  const [broken] = checkSchedule(policy, keys, gone, from)
  if (broken) return { slots: [], finding: `key ${broken.kid}: ${broken.message}` }
  const slots = cutSlots(policy, keys, gone, from)
  const most = Math.max(...slots.map((slot) => slot.kids.length))
  if (slots.length > MAX_SLOTS) return { slots, finding: `its schedule has more than ${MAX_SLOTS} slots` }
  if (most > MAX_PUBLISHED_KEYS) return { slots, finding: `${most} keys would be published at a time` }
  return { slots, finding: null }
}

/** The slot of `now`: after the last one ends, the last one goes on. Null before the first. */
export function slotAt<S extends { from: number; to: number }>(slots: readonly S[], now: number): S | null {
  let current: S | null = null
  for (const slot of slots) if (slot.from <= now) current = slot
  return current
}
