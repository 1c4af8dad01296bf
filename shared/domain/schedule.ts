import { must } from '../errors.ts'
import type { KeySpec } from './algorithms.ts'
import { byAlgorithm, type KeyTimes, type ScheduledKey } from './key.ts'
import { DAY, type Policy, SKEW, spellDuration } from './policy.ts'

/** When each key is announced, signs, retires and is removed: absolute times, decided offline. */

/** The times of a key that signs from `signFrom` and is first published at `announceAt`. */
function timesFrom(
  policy: Policy,
  announceAt: number,
  signFrom: number,
  propagation: KeyTimes['propagation'],
  signUntil = signFrom + policy.rotationInterval,
): KeyTimes {
  return {
    announceAt,
    signFrom,
    signUntil,
    extendUntil: signUntil + policy.extension,
    removeAt: signUntil + policy.retentionDuration,
    propagation,
  }
}

/** A tenant's first key: signs at once, because nobody holds an older key set. */
export const firstKey = (policy: Policy, from: number): KeyTimes => timesFrom(policy, from, from, 'none (first key)')

/** A key that another issuer used before: signs at once for `signFor` seconds, because relying parties hold it already. */
export const importedKey = (policy: Policy, from: number, signFor: number): KeyTimes =>
  timesFrom(policy, from, from, 'none (imported key)', from + signFor)

/** The first key of one more algorithm: relying parties hold the tenant's key set, so it is announced in full. */
export const announcedKey = (policy: Policy, from: number): KeyTimes =>
  timesFrom(policy, from, from + policy.propagationTime, 'full')

/**
 * The key after `last`. Normally it signs when `last` ends; where the ceremony comes late it is announced at once and
 * signs a full propagation time later, while `last` goes on within its extension. Refuses (`policy-rejected`) when even
 * the extension would end before: then nobody could sign in between.
 */
export function nextKey(policy: Policy, last: KeyTimes, from: number): KeyTimes {
  const announceAt = Math.max(from, last.signUntil - policy.propagationTime)
  const signFrom = Math.max(last.signUntil, announceAt + policy.propagationTime)
  must(
    signFrom <= last.extendUntil,
    'policy-rejected',
    `A new key needs ${spellDuration(policy.propagationTime)} of announcement, but the last key may not sign that long any more. Use an emergency ceremony for this tenant.`,
  )
  return timesFrom(policy, announceAt, signFrom, 'full')
}

/**
 * Times for as many new keys of one algorithm as reach the policy's horizon: after the ceremony, `horizon` keys stand
 * after the one that signs at `from`. `existing` are that algorithm's usable keys in order; without any, the first new
 * key is the tenant's first, or begins as `first` says. A schedule that ran out starts anew: since nobody can sign any more, the new key signs at
 * once, and says so (`none (emergency)`).
 */
export function extendSchedule(
  policy: Policy,
  existing: readonly KeyTimes[],
  from: number,
  first: (policy: Policy, from: number) => KeyTimes = firstKey,
): KeyTimes[] {
  const living = existing.filter((times) => times.extendUntil > from)
  const future = living.filter((times) => times.signFrom > from).length
  const made: KeyTimes[] = []
  if (existing.length === 0) made.push(first(policy, from))
  else if (living.length === 0) made.push(timesFrom(policy, from, from, 'none (emergency)'))
  for (let count = future; count < policy.horizon; count++) {
    const last = made.at(-1) ?? living.at(-1)
    if (last) made.push(nextKey(policy, last, from))
  }
  return made
}

/**
 * The times of a replacement for a compromised key, with as much announcement as is still possible; where that is less
 * than the propagation time it says so (`none (emergency)`). It ends when `successor` begins, the next usable key of the
 * algorithm. Without one so near it ends as the compromised key would have; where that is over, or too near for another
 * key to be announced, it gets a whole span.
 */
export function replacementTimes(
  policy: Policy,
  compromised: KeyTimes,
  now: number,
  successor: number | null = null,
): KeyTimes {
  const announceAt = Math.max(now, compromised.announceAt)
  const signFrom = Math.max(now, compromised.signFrom)
  const propagation = signFrom - announceAt >= policy.propagationTime ? 'full' : 'none (emergency)'
  const late = now >= compromised.signUntil || now > compromised.extendUntil - policy.propagationTime
  const end = late ? signFrom + policy.rotationInterval : compromised.signUntil
  const signUntil = successor !== null && successor <= end + policy.extension ? successor : end
  return timesFrom(policy, announceAt, signFrom, propagation, signUntil)
}

/** How long a standby key stands by, and how long before its end the next one is announced. */
const STANDBY_LIFE = 365 * DAY
const STANDBY_RENEWAL = 90 * DAY

/** A standby key is announced at once, may be called upon after a full propagation time, and is renewed every year. */
export const standbyTimes = (policy: Policy, from: number): KeyTimes =>
  timesFrom(policy, from, from + policy.propagationTime, 'full', from + STANDBY_LIFE)

export const standbyEndsSoon = (times: KeyTimes, now: number): boolean => times.signUntil < now + STANDBY_RENEWAL

/** A rule of the schedule that does not hold, for import and for tests. */
export type ScheduleFinding = { kid: string | null; message: string }

/**
 * Checks what must hold for every schedule (lifecycle.md, "Schedule"): each key's times in order, the full announcement
 * or a marked reason, publication long enough for the last token, and per algorithm exactly one key signing at every
 * instant from the first `signFrom` to the last `signUntil`. Compromised keys may leave their span to their replacement,
 * or to nobody while there is none: a runtime must learn of a compromise in any case. A key that signs by `from` was
 * announced by the policy of its time: a later one asks for more only of the keys after it.
 */
export function checkSchedule(
  policy: Policy,
  keys: readonly ScheduledKey[],
  compromised: ReadonlySet<string>,
  from = Number.NEGATIVE_INFINITY,
): ScheduleFinding[] {
  const findings: ScheduleFinding[] = []
  for (const key of keys) {
    const ordered = key.announceAt <= key.signFrom && key.signFrom < key.signUntil && key.signUntil <= key.extendUntil
    if (!ordered) findings.push({ kid: key.kid, message: 'its times are not in order' })
    const announced = key.signFrom - key.announceAt
    if (key.propagation === 'full' && key.signFrom > from && announced < policy.propagationTime)
      findings.push({ kid: key.kid, message: 'it signs before it was announced long enough' })
    if (key.removeAt < key.extendUntil + policy.accessTokenLifetime + SKEW)
      findings.push({ kid: key.kid, message: 'it is removed while tokens it signed may still live' })
  }
  for (const group of byAlgorithm(keys).values()) findings.push(...gapsIn(group, compromised))
  return findings
}

function gapsIn(group: readonly ScheduledKey[], compromised: ReadonlySet<string>): ScheduleFinding[] {
  const findings: ScheduleFinding[] = []
  const lost = group.filter((key) => compromised.has(key.kid))
  const ordered = group.filter((key) => !compromised.has(key.kid)).sort((a, b) => a.signFrom - b.signFrom)
  ordered.forEach((key, index) => {
    const next = ordered[index + 1]
    if (!next) return
    if (next.signFrom < key.signUntil) findings.push({ kid: next.kid, message: 'it signs before its predecessor ends' })
    const left = lost.some((gone) => gone.signFrom <= key.extendUntil && gone.extendUntil >= next.signFrom)
    if (next.signFrom > key.extendUntil && next.propagation !== 'none (emergency)' && !left)
      findings.push({ kid: next.kid, message: 'nobody could sign before it' })
    if (next.propagation === 'none (first key)') findings.push({ kid: next.kid, message: 'it is not a first key' })
    if (next.propagation === 'none (imported key)')
      findings.push({ kid: next.kid, message: 'an imported key comes before all others' })
  })
  return findings
}

/** The end of a schedule: when the last scheduled key of the algorithm that ends first stops signing, or null without keys. */
export function scheduleEnd(keys: readonly ScheduledKey[]): number | null {
  const ends = [...byAlgorithm(keys).values()].map((group) => Math.max(...group.map((key) => key.signUntil)))
  return ends.length === 0 ? null : Math.min(...ends)
}

/** `acme-2026-06`: the friendly label of a key, from its tenant and the month in which it starts to sign. */
export function keyLabel(tenant: string, spec: KeySpec, times: KeyTimes): string {
  return `${tenant}-${spec.toLowerCase()}-${new Date(times.signFrom * 1000).toISOString().slice(0, 7)}`
}
