import { KeyriteError, must } from '../errors.ts'
import { KEY_SPECS, type KeySpec } from './algorithms.ts'
import type { VaultEvent } from './events.ts'
import type { KeyTimes } from './key.ts'
import { checkPolicy, type Policy, type RelyingParty } from './policy.ts'
import { extendSchedule, keyLabel, replacementTimes } from './schedule.ts'
import { keysOf, type Runtime, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** What a plan means for the vault as it is: pure decisions, made before anything is done and again when it is done. */

/** One key to make. */
export type KeyJob = { tenant: string; spec: KeySpec; times: KeyTimes; label: string; replaces: string | null }

/** Its label tells a replacement from the key that started to sign in the same month. */
const replacing = (key: VaultKey, times: KeyTimes): KeyJob => {
  const made = job(key.tenant, key.spec, times, key.kid)
  return { ...made, label: `${made.label}b` }
}

export type NewTenant = { tenant: string; name: string; issuer: string; policy: Policy; relyingParties: RelyingParty[] }

const job = (tenant: string, spec: KeySpec, times: KeyTimes, replaces: string | null = null): KeyJob => ({
  tenant,
  spec,
  times,
  label: keyLabel(tenant, spec, times),
  replaces,
})

/** New tenants and their first keys. Codes `ceremony-conflict` for a tenant or issuer that exists, `policy-rejected`. */
export function decideOnboard(
  state: VaultState,
  tenants: readonly NewTenant[],
  now: number,
): { events: VaultEvent[]; jobs: KeyJob[] } {
  const issuers = new Set([...state.tenants.values()].map((tenant) => tenant.issuer))
  const ids = new Set(state.tenants.keys())
  for (const { tenant, issuer, policy, relyingParties } of tenants) {
    must(!ids.has(tenant), 'ceremony-conflict', `The vault has a tenant ${tenant} already.`)
    must(!issuers.has(issuer), 'ceremony-conflict', `The issuer ${issuer} belongs to another tenant.`)
    ids.add(tenant)
    issuers.add(issuer)
    checkPolicy(policy, relyingParties)
  }
  const jobs = tenants.flatMap(({ tenant, policy }) =>
    policy.signingAlgorithms.flatMap((spec) =>
      extendSchedule(policy, [], now).map((times) => job(tenant, spec, times)),
    ),
  )
  return { events: tenants.map((tenant) => ({ type: 'tenant-added', ...tenant })), jobs }
}

/** When the last scheduled key of a tenant's first-ending algorithm stops signing. */
export function endOf(state: VaultState, tenant: Tenant): number {
  const ends = tenant.policy.signingAlgorithms.map((spec) => keysFor(state, tenant, spec).at(-1)?.times.signUntil ?? 0)
  return Math.min(...ends)
}

/** The next keys of the chosen tenants. Codes `tenant-unknown`, `policy-rejected`, `ceremony-conflict` when nothing is due. */
export function decideRotate(
  state: VaultState,
  chosen: 'all' | readonly string[],
  endingWithin: number | null,
  now: number,
): KeyJob[] {
  const due = tenantsOf(state, chosen).filter(
    (tenant) => endingWithin === null || endOf(state, tenant) < now + endingWithin,
  )
  const jobs = due.flatMap((tenant) =>
    tenant.policy.signingAlgorithms.flatMap((spec) => {
      const existing = keysFor(state, tenant, spec).map((key) => key.times)
      return extendSchedule(tenant.policy, existing, now).map((times) => job(tenant.tenant, spec, times))
    }),
  )
  must(
    jobs.length > 0,
    'ceremony-conflict',
    'No tenant of the plan needs a new key: every schedule reaches its horizon.',
  )
  return jobs
}

/**
 * The keys that a compromise reaches: those in use, and those marked before whose replacement was never made because the
 * ceremony was aborted. Codes `key-unknown`, `tenant-unknown`, `runtime-unknown`, `ceremony-conflict`.
 */
export function decideCompromise(
  state: VaultState,
  scope: { key: string } | { tenant: string } | { runtime: string },
  now: number,
): VaultKey[] {
  const reached = compromisedBy(state, scope).filter((key) =>
    key.compromised ? lacksReplacement(state, key, now) : key.times.removeAt > now,
  )
  must(reached.length > 0, 'ceremony-conflict', 'No key that is still in use is reached by this plan.')
  return reached
}

function compromisedBy(
  state: VaultState,
  scope: { key: string } | { tenant: string } | { runtime: string },
): VaultKey[] {
  if ('key' in scope) return [knownKey(state, scope.key)]
  if ('runtime' in scope) return handedOver(knownRuntime(state, scope.runtime)).map((kid) => knownKey(state, kid))
  knownTenant(state, scope.tenant)
  const out = new Set([...state.runtimes.values()].flatMap(handedOver))
  return keysOf(state, scope.tenant).filter((key) => out.has(key.kid))
}

/** The compromised keys that a plan names and that nothing replaces yet. */
export const awaitingReplacement = (
  state: VaultState,
  scope: { key: string } | { tenant: string } | { runtime: string },
  now: number,
): VaultKey[] => compromisedBy(state, scope).filter((key) => lacksReplacement(state, key, now))

/** A replacement that was destroyed without being compromised itself was half made: its ceremony was aborted. */
const lacksReplacement = (state: VaultState, key: VaultKey, now: number): boolean =>
  key.compromised !== null &&
  needsReplacement(state, key, now) &&
  ![...state.keys.values()].some((other) => other.replaces === key.kid && (!other.destroyed || other.compromised))

/** A replacement for every compromised key that was still to sign, or goes on in its extension because nothing follows it. */
export function decideReplacements(state: VaultState, compromised: readonly VaultKey[], now: number): KeyJob[] {
  return compromised
    .filter((key) => needsReplacement(state, key, now))
    .map((key) => replacing(key, replacementTimes(knownTenant(state, key.tenant).policy, key.times, now)))
}

const needsReplacement = (state: VaultState, key: VaultKey, now: number): boolean =>
  key.times.signUntil > now || (key.times.extendUntil > now && !followed(state, key, now))

/** True when a usable key after this one of the same algorithm has begun to sign. */
function followed(state: VaultState, key: VaultKey, now: number): boolean {
  const later = keysFor(state, knownTenant(state, key.tenant), key.spec)
  return later.some(({ times }) => times.signFrom > key.times.signFrom && times.signFrom <= now)
}

/**
 * What leaves for a runtime: for each tenant and algorithm the key that signs and `materialAhead` keys after it, unless
 * the runtime has them. Codes `runtime-unknown`, `tenant-unknown`, `ceremony-conflict` while the handoff before is not
 * known to have arrived (its one-time transport key is spent).
 */
export function decideHandoff(
  state: VaultState,
  runtimeId: string,
  chosen: 'all' | readonly string[],
  now: number,
): { tenants: Tenant[]; keys: VaultKey[] } {
  const runtime = knownRuntime(state, runtimeId)
  const last = runtime.handoffs.at(-1)
  const arrived = !last?.exported || erasedTransport(runtime, last.transportKey)
  must(arrived, 'ceremony-conflict', `Handoff ${last?.number} to ${runtimeId} is not known to have arrived.`, {
    hint: "Bring the runtime's receipts in first, with an intake ceremony.",
  })
  const tenants = tenantsOf(state, chosen).filter((tenant) => keysOf(state, tenant.tenant, { usable: true }).length > 0)
  must(tenants.length > 0, 'ceremony-conflict', 'The vault has no tenant to hand over.')
  const has = new Set(handedOver(runtime))
  const keys = tenants.flatMap((tenant) =>
    tenant.policy.signingAlgorithms.flatMap((spec) => dueKeys(state, tenant, spec, now)),
  )
  return { tenants, keys: keys.filter((key) => !has.has(key.kid)) }
}

/** The key that signs at `now` for one algorithm, and as many after it as the policy lets out ahead. */
function dueKeys(state: VaultState, tenant: Tenant, spec: KeySpec, now: number): VaultKey[] {
  const current = keysFor(state, tenant, spec).filter((key) => key.times.signUntil > now)
  return current.slice(0, 1 + tenant.policy.materialAhead)
}

/** Keys whose material left for this runtime, except in a handoff that never happened. */
export const handedOver = (runtime: Runtime): string[] =>
  runtime.handoffs.flatMap((handoff) => (handoff.exported ? handoff.keys : []))

export const erasedTransport = (runtime: Runtime, transportKey: string): boolean =>
  runtime.receipts.statements.some(
    ({ stated }) => stated.type === 'transport-key-erased' && stated.key === transportKey,
  )

/** Refuses, naming the blocker, while a key signs, may be extended or is to sign. Codes `key-unknown`, `destruction-blocked`. */
export function decideDestroy(state: VaultState, kids: readonly string[], now: number): VaultKey[] {
  must(new Set(kids).size === kids.length, 'plan-invalid', 'A key stands twice in the plan.')
  return kids.map((kid) => {
    const key = knownKey(state, kid)
    must(!key.destroyed, 'ceremony-conflict', `${key.label} is destroyed already.`)
    if (key.compromised) return key
    const { signFrom, signUntil, extendUntil } = key.times
    const blocked = (why: string) =>
      new KeyriteError('destruction-blocked', `${key.label} cannot be destroyed: ${why}.`)
    if (now < signFrom) throw blocked(`it is to sign from ${utcDate(signFrom)}`)
    if (now < signUntil) throw blocked(`it is to sign until ${utcDate(signUntil)}`)
    if (now < extendUntil)
      throw blocked(`it may still have to sign until ${utcDate(extendUntil)}, if its successor is late`)
    return key
  })
}

const utcDate = (at: number): string => new Date(at * 1000).toISOString().slice(0, 10)

const sameAlgorithm = (a: KeySpec, b: KeySpec): boolean => KEY_SPECS[a].alg === KEY_SPECS[b].alg

const keysFor = (state: VaultState, tenant: Tenant, spec: KeySpec): VaultKey[] =>
  keysOf(state, tenant.tenant, { usable: true }).filter((key) => sameAlgorithm(key.spec, spec))

const tenantsOf = (state: VaultState, chosen: 'all' | readonly string[]): Tenant[] =>
  chosen === 'all' ? [...state.tenants.values()] : chosen.map((id) => knownTenant(state, id))

export function knownTenant(state: VaultState, id: string): Tenant {
  const tenant = state.tenants.get(id)
  must(tenant, 'tenant-unknown', `The vault has no tenant ${id}.`)
  return tenant
}

export function knownKey(state: VaultState, kid: string): VaultKey {
  const key = state.keys.get(kid)
  must(key, 'key-unknown', `The vault has no key ${kid}.`)
  return key
}

export function knownRuntime(state: VaultState, id: string): Runtime {
  const runtime = state.runtimes.get(id)
  must(runtime, 'runtime-unknown', `The vault knows no runtime ${id}.`)
  return runtime
}
