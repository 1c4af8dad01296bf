import { KEY_SPECS, type KeySpec } from './algorithms.ts'

/**
 *   planned --announceAt--> announced --signFrom--> signing --signUntil--> retired --removeAt--> removed
 *                                                      +--extendUntil, only if no successor can take over
 *
 * A key's phase follows from its times, the facts about it and `now`; nothing here reads a clock.
 */

/**
 * Why a key may sign before it was announced for the full propagation time. An imported key signs at once because relying
 * parties have it already, from the issuer that used it before; the mark stays with it in every bundle.
 */
export const PROPAGATIONS = ['full', 'none (first key)', 'none (imported key)', 'none (emergency)'] as const
export type Propagation = (typeof PROPAGATIONS)[number]

/** Absolute times in seconds since 1970 UTC, decided offline, never recomputed online. */
export type KeyTimes = {
  announceAt: number
  signFrom: number
  signUntil: number
  extendUntil: number
  removeAt: number
  propagation: Propagation
}

/**
 * `standby`: announced all the time, and signs only once it is called upon; between `signFrom` and `signUntil` it may be.
 */
export type ScheduledKey = { kid: string; spec: KeySpec; standby?: true | undefined } & KeyTimes

export type Phase = 'planned' | 'announced' | 'signing' | 'retired' | 'removed'

/** What a runtime knows about one key beyond its schedule. */
export type KeyFacts = {
  /** The runtime holds the private half. */
  hasPrivate: boolean
  /** Locally tainted, or named compromised by the vault: never signs again. */
  tainted: boolean
  /** When this runtime first published the key; a late bundle delays the switch by this. */
  firstPublishedAt: number | null
}

export type FactsOf = (kid: string) => KeyFacts

/** The phase by the schedule alone, as a plan or a printed timeline shows it. */
export function scheduledPhase(times: KeyTimes, now: number): Phase {
  if (now < times.announceAt) return 'planned'
  if (now < times.signFrom) return 'announced'
  if (now < times.signUntil) return 'signing'
  if (now < times.removeAt) return 'retired'
  return 'removed'
}

/** The earliest instant at which a runtime may sign with the key: a late first publication moves it back. */
export function readyAt(times: KeyTimes, propagationTime: number, firstPublishedAt: number | null): number {
  if (times.propagation !== 'full' || firstPublishedAt === null) return times.signFrom
  return Math.max(times.signFrom, firstPublishedAt + propagationTime)
}

/**
 * The key that signs for one algorithm at `now`, or null when none may (then the token endpoint answers 503).
 * The newest usable key signs; an older one goes on until its `extendUntil` only while no newer one is usable.
 */
export function signerAt(
  keys: readonly ScheduledKey[],
  facts: FactsOf,
  propagationTime: number,
  now: number,
): ScheduledKey | null {
  let signer: ScheduledKey | null = null
  for (const key of keys) {
    const { hasPrivate, tainted, firstPublishedAt } = facts(key.kid)
    if (key.standby || !hasPrivate || tainted || now >= key.extendUntil) continue
    if (now < readyAt(key, propagationTime, firstPublishedAt)) continue
    if (!signer || key.signFrom > signer.signFrom) signer = key
  }
  return signer
}

/** The keys of each algorithm that sign by the schedule, in the order of the policy's list where it names them. */
export function byAlgorithm<K extends { spec: KeySpec; standby?: true | undefined }>(
  keys: readonly K[],
): Map<string, K[]> {
  const groups = new Map<string, K[]>()
  for (const key of keys) {
    if (key.standby) continue
    const { alg } = KEY_SPECS[key.spec]
    groups.set(alg, [...(groups.get(alg) ?? []), key])
  }
  return groups
}

/** The phase as a runtime lives it: `signing` is what `signerAt` chose, and nothing else. */
export function phaseAt(key: ScheduledKey, signer: ScheduledKey | null, now: number): Phase {
  if (signer?.kid === key.kid) return 'signing'
  if (now >= key.removeAt) return 'removed'
  if (now < key.announceAt) return 'planned'
  if (key.standby) return 'announced'
  if (signer ? key.signFrom > signer.signFrom : now < key.signFrom) return 'announced'
  return 'retired'
}

/** True once the private half can never sign again, so that a runtime erases it and the vault may destroy it. */
export function isSpent(key: ScheduledKey, signer: ScheduledKey | null, tainted: boolean, now: number): boolean {
  if (tainted || now >= key.extendUntil) return true
  if (key.standby) return false
  return now >= key.signUntil && signer !== null && signer.signFrom > key.signFrom
}

/** NIST SP 800-57 Part 1 Rev. 5 section 7 states, derived for auditors. */
export type KeyState = 'pre-activation' | 'active' | 'deactivated' | 'compromised' | 'destroyed'

export function keyState(
  times: KeyTimes,
  now: number,
  { compromised, destroyed }: { compromised: boolean; destroyed: boolean },
): KeyState {
  if (destroyed) return 'destroyed'
  if (compromised) return 'compromised'
  if (now < times.signFrom) return 'pre-activation'
  return now < times.signUntil ? 'active' : 'deactivated'
}
