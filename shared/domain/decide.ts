import { asKeyriteError, KeyriteError, must } from '../errors.ts'
import { KEY_SPECS, type KeySpec } from './algorithms.ts'
import { lostHandoff, mustNotAwait } from './copies.ts'
import type { EventOf, VaultEvent } from './events.ts'
import { type KeyFacts, type KeyTimes, type ScheduledKey, signerAt } from './key.ts'
import { checkPolicy, type Policy, type RelyingParty, SKEW } from './policy.ts'
import {
  announcedKey,
  extendSchedule,
  firstKey,
  keyLabel,
  replacementTimes,
  standbyEndsSoon,
  standbyTimes,
} from './schedule.ts'
import { planTimes } from './slots.ts'
import { keysOf, type Runtime, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** What a plan means for the vault as it is: pure decisions, made before anything is done and again when it is done. */

/** One key to make. */
export type KeyJob = {
  tenant: string
  spec: KeySpec
  times: KeyTimes
  label: string
  replaces: string | null
  standby?: true
}

/** Its label tells a replacement from the key that started to sign in the same month. */
const replacing = (key: VaultKey, times: KeyTimes): KeyJob => {
  const made = job(key.tenant, key.spec, times, key.kid)
  return { ...made, label: `${made.label}b` }
}

export type NewTenant = {
  tenant: string
  name: string
  issuer: string
  policy: Policy
  relyingParties: RelyingParty[]
  reserved?: true
}

export const job = (tenant: string, spec: KeySpec, times: KeyTimes, replaces: string | null = null): KeyJob => ({
  tenant,
  spec,
  times,
  label: keyLabel(tenant, spec, times),
  replaces,
})

/** New tenants. Codes `ceremony-conflict` for a tenant or issuer that exists or once did, `policy-rejected`. */
export function decideTenants(state: VaultState, tenants: readonly NewTenant[]): VaultEvent[] {
  const issuers = new Set([...state.tenants.values()].map((tenant) => tenant.issuer))
  const ids = new Set(state.tenants.keys())
  for (const { tenant, issuer, policy, relyingParties } of tenants) {
    must(!ids.has(tenant), 'ceremony-conflict', `The vault has a tenant ${tenant} already.`)
    must(!issuers.has(issuer), 'ceremony-conflict', `The issuer ${issuer} belongs to another tenant.`)
    ids.add(tenant)
    issuers.add(issuer)
    checkPolicy(policy, relyingParties)
  }
  return tenants.map((tenant) => ({ type: 'tenant-added', ...tenant }))
}

/** New tenants and their first keys. Codes as `decideTenants`. */
export function decideOnboard(
  state: VaultState,
  tenants: readonly NewTenant[],
  now: number,
): { events: VaultEvent[]; jobs: KeyJob[] } {
  const events = decideTenants(state, tenants)
  const jobs = tenants.flatMap(({ tenant, policy }) => {
    const first = policy.signingAlgorithms.flatMap((spec) =>
      extendSchedule(policy, [], now).map((times) => job(tenant, spec, times)),
    )
    first.push(...standbyJob(tenant, policy, [], now))
    mustFit(tenant, planTimes(policy, first.map(planned), new Set(), now).finding)
    return first
  })
  return { events, jobs }
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

/**
 * The next keys of one tenant. Where relying parties hold a key set of it, the first key of one more algorithm is announced
 * before it signs. Code `policy-rejected`, naming it.
 */
function nextKeys(state: VaultState, tenant: Tenant, now: number): KeyJob[] {
  const first = keysOf(state, tenant.tenant, { usable: true }).length > 0 ? announcedKey : firstKey
  const jobs = tenant.policy.signingAlgorithms.flatMap((spec) => {
    const existing = keysFor(state, tenant, spec).map((key) => key.times)
    try {
      return extendSchedule(tenant.policy, existing, now, first).map((times) => job(tenant.tenant, spec, times))
    } catch (error) {
      const { code, message } = asKeyriteError(error)
      throw new KeyriteError(code, `Tenant ${tenant.tenant}, ${spec}: ${message}`, { cause: error })
    }
  })
  jobs.push(...standbyJob(tenant.tenant, tenant.policy, keysOf(state, tenant.tenant, { usable: true }), now))
  if (jobs.length > 0) mustFit(tenant.tenant, findingOf(state, tenant, jobs, [], now))
  return jobs
}

/** The standby key that a tenant's policy asks for, where none of its keys will stand by long enough. */
export function standbyJob(tenant: string, policy: Policy, usable: readonly VaultKey[], now: number): KeyJob[] {
  const [spec] = policy.signingAlgorithms
  if (policy.standby === 'none' || !spec || usable.some((key) => key.standby && !standbyEndsSoon(key.times, now)))
    return []
  const times = standbyTimes(policy, now)
  return [{ ...job(tenant, spec, times), label: `${keyLabel(tenant, spec, times)}-standby`, standby: true }]
}

/** A key to make as the schedule sees it. */
export const planned = ({ label, spec, times, standby }: KeyJob): ScheduledKey => ({
  kid: label,
  spec,
  standby,
  ...times,
})

/** What speaks against signing a tenant's slots, once these keys are made and those compromised; null where nothing does. */
export function findingOf(
  state: VaultState,
  tenant: Tenant,
  made: readonly (KeyJob | EventOf<'standby-activated'>)[],
  lost: readonly VaultKey[],
  now: number,
): string | null {
  const { named } = exportedKeys(state, tenant, now)
  const gone = [...lost, ...named.filter((key) => key.compromised)].map((key) => key.kid)
  const called = new Map(made.flatMap((one) => ('type' in one ? [[one.kid, one.times]] : [])))
  const jobs = made.flatMap((one) => ('type' in one ? [] : [one]))
  const asCalled = (key: VaultKey): ScheduledKey => {
    const times = called.get(key.kid)
    return times ? { kid: key.kid, spec: key.spec, ...times } : scheduled(key)
  }
  const keys = [...named.map(asCalled), ...jobs.map(planned)]
  return keys.length === 0 ? null : planTimes(tenant.policy, keys, new Set(gone), now).finding
}

const scheduled = ({ kid, spec, standby, times }: VaultKey): ScheduledKey => ({ kid, spec, standby, ...times })

export const mustFit = (tenant: string, finding: string | null): void =>
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
): { reached: VaultKey[] } & Replacements {
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
    made.jobs.push(...standbyJob(id, knownTenant(state, id).policy, left, now))
  }
  return made
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

/** When a runtime called upon a standby key by an emergency envelope, by its receipts. */
function calledAt(state: VaultState, kid: string): number | null {
  const said = [...state.runtimes.values()].flatMap(({ opened, receipts }) =>
    opened.includes(kid)
      ? receipts.statements.filter(({ stated }) => stated.type === 'envelope-opened' && stated['kid'] === kid)
      : [],
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

/**
 * What leaves for a runtime: for each tenant and algorithm the key that signs and `materialAhead` keys after it, unless
 * the runtime has them. A tenant whose keys are all compromised goes along without any, so that the runtime learns it;
 * one that has no key to name is left out where all are chosen. Codes `runtime-unknown`, `tenant-unknown`,
 * `ceremony-conflict` while the handoff before is not known to have arrived (its one-time transport key is spent) unless
 * the plan names it `lost`, while a restored vault awaits receipts, and for a tenant without a key that is chosen by name
 * or whose compromise the runtime does not know.
 */
export function decideHandoff(
  state: VaultState,
  runtimeId: string,
  chosen: 'all' | readonly string[],
  now: number,
  lost?: number,
): { tenants: Tenant[]; keys: VaultKey[]; removed: Tenant[] } {
  const runtime = knownRuntime(state, runtimeId)
  mustNotAwait(state)
  const last = runtime.handoffs.findLast((handoff) => handoff.exported)
  const arrived = !last || erasedTransport(runtime, last.transportKey)
  if (lost !== undefined) mustBeLost(runtime, lost)
  must(
    arrived || lost !== undefined,
    'ceremony-conflict',
    `Handoff ${last?.number} to ${runtimeId} is not known to have arrived.`,
    {
      hint: `Bring the runtime's receipts in first, with an intake ceremony. If its files are lost for good, say so in the plan: "lost": ${last?.number}.`,
    },
  )
  const removed = removedFor(state, runtime, chosen)
  const asked = tenantsOf(state, chosen === 'all' ? chosen : chosen.filter((id) => !state.tenants.get(id)?.offboarded))
  const tenants = asked.filter((tenant) => exportedKeys(state, tenant, now).named.length > 0)
  const empty = asked.filter((tenant) => !tenants.includes(tenant))
  const missed = chosen === 'all' ? empty.find((tenant) => untold(state, runtime, tenant, now)) : empty[0]
  must(!missed, 'ceremony-conflict', `Tenant ${missed?.tenant} has no key that a bundle can name.`, {
    hint: 'Make new keys for it first, with a rotation.',
  })
  must(tenants.length + removed.length > 0, 'ceremony-conflict', 'The vault has no tenant to hand over.')
  // What went with a handoff that never arrived has to go again.
  const has = new Set(
    runtime.handoffs.flatMap((one) => (one.exported && erasedTransport(runtime, one.transportKey) ? one.keys : [])),
  )
  const keys = tenants.flatMap((tenant) =>
    tenant.policy.signingAlgorithms.flatMap((spec) => dueKeys(state, tenant, spec, now)),
  )
  return { tenants, keys: keys.filter((key) => !has.has(key.kid)), removed }
}

/** Offboarded tenants that this runtime ever had: every later bundle says so, as it says which keys are destroyed. */
const removedFor = (state: VaultState, runtime: Runtime, chosen: 'all' | readonly string[]): Tenant[] =>
  [...state.tenants.values()].filter(
    ({ tenant, offboarded }) =>
      offboarded &&
      (chosen === 'all' || chosen.includes(tenant)) &&
      runtime.handoffs.some((handoff) => handoff.tenants.includes(tenant)),
  )

/** A handoff can be lost only while no receipt tells that it arrived. Code `ceremony-conflict`. */
function mustBeLost(runtime: Runtime, number: number): void {
  const lost = lostHandoff(runtime)
  must(
    lost?.number === number,
    'ceremony-conflict',
    `Handoff ${number} to ${runtime.runtimeId} is not the last one, or its receipts tell that it arrived.`,
  )
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
  const hot = tenant.policy.standby === 'hot' ? standbysOf(state, tenant.tenant, spec) : []
  return [...keys.filter((key) => key.kid === signer?.kid), ...ahead, ...hot]
}

/** The usable standby keys of a tenant's algorithm, the one that stands by longest last. */
export const standbysOf = (state: VaultState, tenant: string, spec: KeySpec): VaultKey[] =>
  keysOf(state, tenant, { usable: true }).filter((key) => key.standby && sameAlgorithm(key.spec, spec))

/** The public keys that a bundle names for a tenant, and the destroyed ones of which it names the tombstone. */
export function exportedKeys(
  state: VaultState,
  tenant: Tenant,
  now: number,
): { named: VaultKey[]; destroyed: VaultKey[] } {
  const all = keysOf(state, tenant.tenant)
  const destroyed = all.filter(
    (key) => state.elsewhere.has(key.kid) || (key.destroyed && !tokensMayLive(state, tenant, key, now)),
  )
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
  ...new Set([...runtime.handoffs.flatMap((handoff) => handoff.keys), ...runtime.opened]),
]

/** Keys whose material left for this runtime, except in a handoff that never happened. */
export const handedOver = (runtime: Runtime): string[] =>
  runtime.handoffs.flatMap((handoff) => (handoff.exported ? handoff.keys : []))

export const erasedTransport = (runtime: Runtime, transportKey: string): boolean =>
  runtime.receipts.statements.some(
    ({ stated }) => stated.type === 'transport-key-erased' && stated.key === transportKey,
  )

export const sameAlgorithm = (a: KeySpec, b: KeySpec): boolean => KEY_SPECS[a].alg === KEY_SPECS[b].alg

const keysFor = (state: VaultState, tenant: Tenant, spec: KeySpec): VaultKey[] =>
  keysOf(state, tenant.tenant, { usable: true }).filter((key) => !key.standby && sameAlgorithm(key.spec, spec))

export const tenantsOf = (state: VaultState, chosen: 'all' | readonly string[]): Tenant[] =>
  chosen === 'all'
    ? [...state.tenants.values()].filter((tenant) => !tenant.offboarded)
    : chosen.map((id) => livingTenant(state, id))

export function knownTenant(state: VaultState, id: string): Tenant {
  const tenant = state.tenants.get(id)
  must(tenant, 'tenant-unknown', `The vault has no tenant ${id}.`)
  return tenant
}

/** A tenant that was not offboarded. Codes `tenant-unknown`, `ceremony-conflict`. */
export function livingTenant(state: VaultState, id: string): Tenant {
  const tenant = knownTenant(state, id)
  must(!tenant.offboarded, 'ceremony-conflict', `Tenant ${id} was offboarded: none of its keys signs any more.`)
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
