import { must } from '../errors.ts'
import type { EventOf } from './events.ts'
import { mayHaveLeft } from './handoff.ts'
import type { KeyTimes } from './key.ts'
import { findingOf, job, type KeyJob, mustFit, standbyJob } from './key-jobs.ts'
import { keysFor, knownKey, knownRuntime, knownTenant, sameAlgorithm } from './known.ts'
import { replacementTimes } from './schedule.ts'
import { keysOf, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** A compromise: the keys that it reaches, and what signs instead. */

/** What is in wrong hands: one key, all of a tenant that left the vault, or all that a runtime has. */
export type Scope = { key: string } | { tenant: string } | { runtime: string }

/**
 * The keys that a compromise reaches: those in use, and those marked before whose replacement was never made because the
 * ceremony was aborted. Codes `key-unknown`, `tenant-unknown`, `runtime-unknown`, `ceremony-conflict`.
 */
export function decideCompromise(state: VaultState, scope: Scope, now: number): VaultKey[] {
  const reached = compromisedBy(state, scope).filter((key) =>
    key.compromised ? lacksReplacement(state, key, now) : key.times.removeAt > now,
  )
  must(reached.length > 0, 'ceremony-conflict', 'No key that is still in use is reached by this plan.')
  return reached
}

/** The keys that a scope reaches, in use or not. Codes `key-unknown`, `tenant-unknown`, `runtime-unknown`. */
export function compromisedBy(state: VaultState, scope: Scope): VaultKey[] {
  if ('key' in scope) return [knownKey(state, scope.key)]
  if ('runtime' in scope) return mayHaveLeft(knownRuntime(state, scope.runtime)).map((kid) => knownKey(state, kid))
  knownTenant(state, scope.tenant)
  const out = new Set([...state.runtimes.values()].flatMap(mayHaveLeft))
  return keysOf(state, scope.tenant).filter((key) => out.has(key.kid))
}

/**
 * What an emergency does: the keys it reaches and their replacements. Codes as `decideCompromise`, and `policy-rejected`
 * where the replacements would leave a tenant with a schedule that cannot be signed.
 */
export function decideEmergency(state: VaultState, scope: Scope, now: number): { reached: VaultKey[] } & Replacements {
  const reached = decideCompromise(state, scope, now)
  const { jobs, called } = decideReplacements(state, reached, now)
  for (const id of new Set(reached.map((key) => key.tenant))) {
    const tenant = knownTenant(state, id)
    const mine = [...jobs, ...called].filter((one) => one.tenant === id)
    const lost = reached.filter((key) => key.tenant === id)
    // Where its schedule is not in order already, that must not keep a compromise from being recorded.
    if (findingOf(state, tenant, [], [], now) === null) mustFit(id, findingOf(state, tenant, mine, lost, now))
  }
  return { reached, jobs, called }
}

/** The compromised keys that a plan names and that nothing replaces yet. */
export const awaitingReplacement = (state: VaultState, scope: Scope, now: number): VaultKey[] =>
  compromisedBy(state, scope).filter((key) => lacksReplacement(state, key, now))

/** A replacement that was destroyed without being compromised itself was half made: its ceremony was aborted. */
const lacksReplacement = (state: VaultState, key: VaultKey, now: number): boolean =>
  key.compromised !== null &&
  replacementFor(key, knownTenant(state, key.tenant), othersOf(state, key, [key]), now) !== null &&
  ![...state.keys.values()].some((other) => other.replaces === key.kid && (!other.destroyed || other.compromised))

/** Keys to make, and standby keys that take over without being made. */
export type Replacements = { jobs: KeyJob[]; called: EventOf<'standby-activated'>[] }

/**
 * A replacement for every compromised key that was still to sign, or goes on in its extension because nothing follows it.
 * The latest come first: a replacement is the successor of those before it. The key that signs now is replaced by the
 * tenant's standby key where one stands by; then another is made to stand by.
 */
export function decideReplacements(state: VaultState, compromised: readonly VaultKey[], now: number): Replacements {
  const made: Replacements = { jobs: [], called: [] }
  const lost = new Set(compromised.map((key) => key.kid))
  for (const key of [...compromised].sort((a, b) => b.times.signFrom - a.times.signFrom)) {
    const tenant = knownTenant(state, key.tenant)
    const beside = [...made.jobs, ...made.called].filter((one) => replacesLike(state, one, key))
    const others = [...othersOf(state, key, compromised), ...beside.map((one) => one.times)]
    const times = replacementFor(key, tenant, others, now)
    if (!times || key.standby) continue
    const standby = standbyFor(state, key, lost, now)
    if (!standby) made.jobs.unshift(replacing(key, times))
    else made.called.push(callUpon(state, tenant, standby, key, times))
  }
  const called = new Set(made.called.map((event) => event.kid))
  for (const id of new Set(compromised.map((key) => key.tenant))) {
    if (knownTenant(state, id).offboarded) continue
    const left = keysOf(state, id, { usable: true }).filter(({ kid }) => !called.has(kid) && !lost.has(kid))
    const taken = keysOf(state, id).map((key) => key.label)
    made.jobs.push(...standbyJob(id, knownTenant(state, id).policy, left, now, taken))
  }
  return made
}

/** Its label tells a replacement from the key that started to sign in the same month. */
const replacing = (key: VaultKey, times: KeyTimes): KeyJob => {
  const made = job(key.tenant, key.spec, times, key.kid)
  return { ...made, label: `${made.label}b` }
}

/** True for what was decided for the same tenant and algorithm. */
function replacesLike(state: VaultState, one: KeyJob | EventOf<'standby-activated'>, key: VaultKey): boolean {
  const spec = 'spec' in one ? one.spec : knownKey(state, one.kid).spec
  return one.tenant === key.tenant && sameAlgorithm(spec, key.spec)
}

/** The standby key that can take over from a compromised key that signs now. */
const standbyFor = (state: VaultState, key: VaultKey, lost: ReadonlySet<string>, now: number): VaultKey | undefined =>
  keysOf(state, key.tenant, { usable: true }).find(
    (one) =>
      one.standby &&
      !lost.has(one.kid) &&
      sameAlgorithm(one.spec, key.spec) &&
      key.times.signFrom <= now &&
      now < one.times.signUntil,
  )

/** Since when a runtime signs with a standby key, by its receipts: an emergency envelope or a revocation called upon it. */
function calledAt(state: VaultState, kid: string): number | null {
  const said = [...state.runtimes.values()].flatMap(({ receipts }) =>
    receipts.statements.filter(
      ({ stated }) => stated['kid'] === kid && (stated.type === 'envelope-opened' || stated['phase'] === 'signing'),
    ),
  )
  return said.length === 0 ? null : Math.min(...said.map(({ at }) => at))
}

/** It was announced long ago, and otherwise has the times of a replacement. */
function callUpon(
  state: VaultState,
  { tenant, policy }: Tenant,
  { kid, times: standby }: VaultKey,
  key: VaultKey,
  times: KeyTimes,
): EventOf<'standby-activated'> {
  const { announceAt } = standby
  const signFrom = calledAt(state, kid) ?? times.signFrom
  const propagation = signFrom - announceAt >= policy.propagationTime ? 'full' : 'none (emergency)'
  return {
    type: 'standby-activated',
    tenant,
    kid,
    times: { ...times, signFrom, announceAt, propagation },
    replaces: key.kid,
  }
}

/** The usable keys of a key's algorithm, without those that are about to be compromised. */
const othersOf = (state: VaultState, key: VaultKey, lost: readonly VaultKey[]): KeyTimes[] =>
  keysFor(state, knownTenant(state, key.tenant), key.spec)
    .filter((one) => !lost.some((gone) => gone.kid === one.kid))
    .map((one) => one.times)

/** The times of a key's replacement beside the usable keys of its algorithm; null where it is over or one of them signs then. */
function replacementFor(key: VaultKey, tenant: Tenant, others: readonly KeyTimes[], now: number): KeyTimes | null {
  const start = Math.max(now, key.times.signFrom)
  const covered = others.some((times) => times.signFrom <= start && start < times.signUntil)
  if (now >= key.times.extendUntil || covered || tenant.offboarded) return null
  const later = others.map((times) => times.signFrom).filter((at) => at > start)
  return replacementTimes(tenant.policy, key.times, now, later.length === 0 ? null : Math.min(...later))
}
