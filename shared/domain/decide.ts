import { asKeyriteError, KeyriteError, must } from '../errors.ts'
import type { VaultEvent } from './events.ts'
import { findingOf, job, type KeyJob, mustFit, planned, standbyJob } from './key-jobs.ts'
import { keysFor, tenantsOf } from './known.ts'
import { checkPolicy, type Policy, type RelyingParty } from './policy.ts'
import { announcedKey, extendSchedule, firstKey } from './schedule.ts'
import { planTimes } from './slots.ts'
import { keysOf, type Tenant, type VaultState } from './state.ts'

/** New tenants and the next keys: pure decisions, made before anything is done and again when it is done. */

export type NewTenant = {
  tenant: string
  name: string
  issuer: string
  policy: Policy
  relyingParties: RelyingParty[]
  reserved?: true
}

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
