import { decideAmend } from '../../shared/domain/amend.ts'
import type { NewTenant } from '../../shared/domain/decide.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { type KeyJob, planned } from '../../shared/domain/key-jobs.ts'
import { knownTenant } from '../../shared/domain/known.ts'
import { type Claim, claimOf, proveTenants } from '../../shared/domain/prover.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import { asKeyriteError } from '../../shared/errors.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'

/** The rotation prover before anyone signs: one line for the record. */

/** New tenants with their first keys. Code `policy-rejected`, naming the tenant and why. */
export const proveNew = (tenants: readonly NewTenant[], jobs: readonly KeyJob[], now: number): string =>
  proveTenants(
    tenants.map(({ tenant, policy, relyingParties }): Claim => {
      const keys = jobs.filter((job) => job.tenant === tenant).map(planned)
      return { tenant, policy, relyingParties, keys }
    }),
    now,
  )

/** Tenants that get more keys. Code as `proveNew`. */
export const proveMore = (state: VaultState, jobs: readonly KeyJob[], now: number): string =>
  proveTenants(
    [...Map.groupBy(jobs, (job) => job.tenant)].map(([tenant, of]) =>
      claimOf(state, knownTenant(state, tenant), { planned: of.map(planned) }),
    ),
    now,
  )

/** An emergency is never held up: what relying parties will meet is said, not refused. */
export function foreseeEmergency(
  state: VaultState,
  {
    reached,
    jobs,
    called,
  }: { reached: readonly { kid: string; tenant: string }[]; jobs: readonly KeyJob[]; called: readonly VaultEvent[] },
  now: number,
): string {
  const gone = new Set(reached.map((key) => key.kid))
  const times = called.flatMap((event) => (event.type === 'standby-activated' ? [event] : []))
  const claims = [...new Set(reached.map((key) => key.tenant))].map((tenant) => {
    const made = jobs.filter((job) => job.tenant === tenant).map(planned)
    const upon = times.flatMap((event) => {
      const key = event.tenant === tenant && state.keys.get(event.kid)
      return key ? [{ kid: key.kid, spec: key.spec, ...event.times }] : []
    })
    return claimOf(state, knownTenant(state, tenant), { planned: [...made, ...upon], gone })
  })
  return said(() => proveTenants(claims, now))
}

/** What an amendment means for tenants whose policy or relying parties change: registering what is true is never refused. */
export function foreseeAmendment(state: VaultState, plan: PlanOf<'amend'>, now: number): string {
  const claims = decideAmend(state, plan.changes, plan.reason, now).flatMap(({ event }): Claim[] => {
    if (event.type !== 'tenant-amended') return []
    const { policy, relyingParties } = event
    return [{ ...claimOf(state, knownTenant(state, event.tenant)), policy, relyingParties }]
  })
  return claims.length === 0 ? '' : ` ${said(() => proveTenants(claims, now))}`
}

function said(prove: () => string): string {
  try {
    return prove()
  } catch (error) {
    return `To be expected: ${asKeyriteError(error).message}`
  }
}
