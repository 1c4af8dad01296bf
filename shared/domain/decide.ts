import { asKeyriteError, KeyriteError, must } from '../errors.ts'
import { KEY_SPECS, type KeySpec } from './algorithms.ts'
import type { VaultEvent } from './events.ts'
import { type KeyFacts, type KeyTimes, type ScheduledKey, signerAt } from './key.ts'
import { checkPolicy, type Policy, type RelyingParty, SKEW } from './policy.ts'
import { extendSchedule, keyLabel, replacementTimes } from './schedule.ts'
import { planTimes } from './slots.ts'
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
  const jobs = tenants.flatMap(({ tenant, policy }) => {
    const first = policy.signingAlgorithms.flatMap((spec) =>
      extendSchedule(policy, [], now).map((times) => job(tenant, spec, times)),
    )
    mustFit(tenant, planTimes(policy, first.map(planned), new Set(), now).finding)
    return first
  })
  return { events: tenants.map((tenant) => ({ type: 'tenant-added', ...tenant })), jobs }
}

/** When the last scheduled key of a tenant's first-ending algorithm stops signing. */
export function endOf(state: VaultState, tenant: Tenant): number {
  const ends = tenant.policy.signingAlgorithms.map((spec) => keysFor(state, tenant, spec).at(-1)?.times.signUntil ?? 0)
  return Math.min(...ends)
}

/**
 * The next keys of the chosen tenants. Where all are chosen, a tenant that cannot get any is left out, and why is said.
 * Codes `tenant-unknown`, `policy-rejected`, `ceremony-conflict` when nothing is due.
 */
export function decideRotate(
  state: VaultState,
  chosen: 'all' | readonly string[],
  endingWithin: number | null,
  now: number,
): { jobs: KeyJob[]; leftOut: { tenant: string; why: KeyriteError }[] } {
  const due = tenantsOf(state, chosen).filter(
    (tenant) => endingWithin === null || endOf(state, tenant) < now + endingWithin,
  )
  const jobs: KeyJob[] = []
  const leftOut: { tenant: string; why: KeyriteError }[] = []
  for (const tenant of due) {
    try {
      jobs.push(...nextKeys(state, tenant, now))
    } catch (error) {
      if (chosen !== 'all') throw error
      leftOut.push({ tenant: tenant.tenant, why: asKeyriteError(error) })
    }
  }
  if (jobs.length === 0 && leftOut[0]) throw leftOut[0].why
  must(
    jobs.length > 0,
    'ceremony-conflict',
    'No tenant of the plan needs a new key: every schedule reaches its horizon.',
  )
  return { jobs, leftOut }
}

/** The next keys of one tenant. Code `policy-rejected`, naming it. */
function nextKeys(state: VaultState, tenant: Tenant, now: number): KeyJob[] {
  const jobs = tenant.policy.signingAlgorithms.flatMap((spec) => {
    const existing = keysFor(state, tenant, spec).map((key) => key.times)
    try {
      return extendSchedule(tenant.policy, existing, now).map((times) => job(tenant.tenant, spec, times))
    } catch (error) {
      const { code, message } = asKeyriteError(error)
      throw new KeyriteError(code, `Tenant ${tenant.tenant}, ${spec}: ${message}`, { cause: error })
    }
  })
  if (jobs.length > 0) mustFit(tenant.tenant, findingOf(state, tenant, jobs, [], now))
  return jobs
}

/** A key to make as the schedule sees it. */
const planned = ({ label, spec, times }: KeyJob): ScheduledKey => ({ kid: label, spec, ...times })

/** What speaks against signing a tenant's slots, once these keys are made and those compromised; null where nothing does. */
function findingOf(
  state: VaultState,
  tenant: Tenant,
  jobs: readonly KeyJob[],
  lost: readonly VaultKey[],
  now: number,
): string | null {
  const { named } = exportedKeys(state, tenant, now)
  const gone = [...lost, ...named.filter((key) => key.compromised)].map((key) => key.kid)
  const keys = [...named.map(scheduled), ...jobs.map(planned)]
  return keys.length === 0 ? null : planTimes(tenant.policy, keys, new Set(gone), now).finding
}

const scheduled = ({ kid, spec, times }: VaultKey): ScheduledKey => ({ kid, spec, ...times })

const mustFit = (tenant: string, finding: string | null): void =>
  must(finding === null, 'policy-rejected', `Tenant ${tenant}: ${finding}.`)

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
  if ('runtime' in scope) return mayHaveLeft(knownRuntime(state, scope.runtime)).map((kid) => knownKey(state, kid))
  knownTenant(state, scope.tenant)
  const out = new Set([...state.runtimes.values()].flatMap(mayHaveLeft))
  return keysOf(state, scope.tenant).filter((key) => out.has(key.kid))
}

/**
 * What an emergency does: the keys it reaches and their replacements. Codes as `decideCompromise`, and `policy-rejected`
 * where the replacements would leave a tenant with a schedule that cannot be signed.
 */
export function decideEmergency(
  state: VaultState,
  scope: { key: string } | { tenant: string } | { runtime: string },
  now: number,
): { reached: VaultKey[]; jobs: KeyJob[] } {
  const reached = decideCompromise(state, scope, now)
  const jobs = decideReplacements(state, reached, now)
  for (const id of new Set(reached.map((key) => key.tenant))) {
    const tenant = knownTenant(state, id)
    const mine = jobs.filter((one) => one.tenant === id)
    const lost = reached.filter((key) => key.tenant === id)
    // Where its schedule is not in order already, that must not keep a compromise from being recorded.
    if (findingOf(state, tenant, [], [], now) === null) mustFit(id, findingOf(state, tenant, mine, lost, now))
  }
  return { reached, jobs }
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
  replacementFor(key, knownTenant(state, key.tenant), othersOf(state, key, [key]), now) !== null &&
  ![...state.keys.values()].some((other) => other.replaces === key.kid && (!other.destroyed || other.compromised))

/**
 * A replacement for every compromised key that was still to sign, or goes on in its extension because nothing follows it.
 * The latest come first: a replacement is the successor of those before it.
 */
export function decideReplacements(state: VaultState, compromised: readonly VaultKey[], now: number): KeyJob[] {
  const jobs: KeyJob[] = []
  for (const key of [...compromised].sort((a, b) => b.times.signFrom - a.times.signFrom)) {
    const made = jobs.filter((one) => one.tenant === key.tenant && sameAlgorithm(one.spec, key.spec))
    const others = [...othersOf(state, key, compromised), ...made.map((one) => one.times)]
    const times = replacementFor(key, knownTenant(state, key.tenant), others, now)
    if (times) jobs.unshift(replacing(key, times))
  }
  return jobs
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
  if (now >= key.times.extendUntil || covered) return null
  const later = others.map((times) => times.signFrom).filter((at) => at > start)
  return replacementTimes(tenant.policy, key.times, now, later.length === 0 ? null : Math.min(...later))
}

/**
 * What leaves for a runtime: for each tenant and algorithm the key that signs and `materialAhead` keys after it, unless
 * the runtime has them. A tenant whose keys are all compromised goes along without any, so that the runtime learns it;
 * one that has no key to name is left out where all are chosen. Codes `runtime-unknown`, `tenant-unknown`,
 * `ceremony-conflict` while the handoff before is not known to have arrived (its one-time transport key is spent), and
 * for a tenant without a key that is chosen by name or whose compromise the runtime does not know.
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
  const asked = tenantsOf(state, chosen)
  const tenants = asked.filter((tenant) => exportedKeys(state, tenant, now).named.length > 0)
  const empty = asked.filter((tenant) => !tenants.includes(tenant))
  const missed = chosen === 'all' ? empty.find((tenant) => untold(state, runtime, tenant, now)) : empty[0]
  must(!missed, 'ceremony-conflict', `Tenant ${missed?.tenant} has no key that a bundle can name.`, {
    hint: 'Make new keys for it first, with a rotation.',
  })
  must(tenants.length > 0, 'ceremony-conflict', 'The vault has no tenant to hand over.')
  const has = new Set(handedOver(runtime))
  const keys = tenants.flatMap((tenant) =>
    tenant.policy.signingAlgorithms.flatMap((spec) => dueKeys(state, tenant, spec, now)),
  )
  return { tenants, keys: keys.filter((key) => !has.has(key.kid)) }
}

/** True while this runtime may use a key that was compromised after the last bundle that named its tenant. */
const untold = (state: VaultState, runtime: Runtime, { tenant }: Tenant, now: number): boolean =>
  keysOf(state, tenant).some(
    ({ kid, times, compromised }) =>
      compromised !== null &&
      times.removeAt > now &&
      mayHaveLeft(runtime).includes(kid) &&
      !runtime.handoffs.some(
        (handoff) => handoff.exported && handoff.tenants.includes(tenant) && handoff.at >= compromised.at,
      ),
  )

/** Every runtime has the keys it should have: what the vault's schedule takes for granted. */
const READY: KeyFacts = { hasPrivate: true, tainted: false, firstPublishedAt: null }

/** The key that signs at `now` for one algorithm, and as many after it as the policy lets out ahead. */
function dueKeys(state: VaultState, tenant: Tenant, spec: KeySpec, now: number): VaultKey[] {
  const { propagationTime, materialAhead } = tenant.policy
  const keys = keysFor(state, tenant, spec)
  const signer = signerAt(keys.map(scheduled), () => READY, propagationTime, now)
  const ahead = keys.filter((key) => key.times.signFrom > now).slice(0, materialAhead)
  return [...keys.filter((key) => key.kid === signer?.kid), ...ahead]
}

/** The public keys that a bundle names for a tenant, and the destroyed ones of which it names the tombstone. */
export function exportedKeys(
  state: VaultState,
  tenant: Tenant,
  now: number,
): { named: VaultKey[]; destroyed: VaultKey[] } {
  const all = keysOf(state, tenant.tenant)
  const destroyed = all.filter((key) => key.destroyed && !tokensMayLive(state, tenant, key, now))
  return { named: all.filter((key) => key.times.removeAt > now && !destroyed.includes(key)), destroyed }
}

/**
 * True while a runtime that had this key may have signed a token that still lives. A destroyed key stays published for
 * so long; then its tombstone takes its place.
 */
function tokensMayLive(state: VaultState, { policy }: Tenant, key: VaultKey, now: number): boolean {
  if (key.compromised || now >= key.times.extendUntil + policy.accessTokenLifetime + SKEW) return false
  return [...state.runtimes.values()].some((runtime) => handedOver(runtime).includes(key.kid))
}

/** Keys whose material may have left for this runtime: a handoff that was not recorded to its end may have made its files. */
export const mayHaveLeft = (runtime: Runtime): string[] => [
  ...new Set(runtime.handoffs.flatMap((handoff) => handoff.keys)),
]

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
