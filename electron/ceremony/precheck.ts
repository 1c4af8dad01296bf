import { decideRotate } from '../../shared/domain/decide.ts'
import { decideEmergency } from '../../shared/domain/emergency.ts'
import { decideEnvelopes } from '../../shared/domain/envelopes.ts'
import { decideHandoff } from '../../shared/domain/handoff.ts'
import { count } from '../../shared/domain/plural.ts'
import { DAY, HOUR, spellDuration } from '../../shared/domain/policy.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import { planSlots } from '../../shared/formats/bundle-check.ts'
import { lineSchema } from '../../shared/formats/common.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { checkAmend } from './amend.ts'
import { checkBackup } from './backup.ts'
import { type Context, listed } from './context.ts'
import { checkCustody, checkMedia } from './custody.ts'
import { checkDestroy } from './destroy.ts'
import { describeEnvelopes } from './envelope.ts'
import { checkExport } from './export-key.ts'
import { checkEnrollment, checkReceipts, tenantExport } from './handoff.ts'
import { checkImport } from './import-key.ts'
import { jobsOf } from './make-keys.ts'
import { mustBeAlone } from './passphrase.ts'
import type { VaultPort } from './ports.ts'
import { foreseeAmendment, foreseeEmergency, proveMore, proveNew } from './prove.ts'
import { checkRestore } from './restore.ts'
import { describePrepared } from './revocation.ts'
import { describeRotation } from './root.ts'
import { checkClock } from './time.ts'

/** What is checked before a ceremony may even start. */

/**
 * Takes every decision of the plan once without doing anything, so that a plan that cannot be carried out leaves the
 * vault as it is. Gives in one line what the plan will do.
 */
export async function precheck(context: Context): Promise<string> {
  const { plan, vault, ports } = context
  const now = ports.now()
  checkClock(now, vault.state)
  await checkMedia(context)
  switch (plan.kind) {
    case 'genesis':
      return 'A new vault.'
    case 'onboard': {
      const { jobs } = jobsOf(context, now)
      return `${count(plan.tenants.length, 'new tenant')}, ${count(jobs.length, 'key')} to make. ${proveNew(plan.tenants, jobs, now)}`
    }
    case 'rotate':
      return checkRotate(vault.state, plan, now)
    case 'emergency':
      return checkEmergency(vault.state, plan, now)
    case 'handoff':
      return checkHandoff(vault, plan, now)
    case 'envelope':
      return plan.revoke
        ? `${describePrepared(context, plan, now)}, prepared.`
        : describeEnvelopes(decideEnvelopes(vault.state, plan.runtime, plan.tenants, now), plan.runtime)
    case 'import-key':
      return checkImport(context, now)
    case 'export-key':
      return checkExport(context)
    case 'amend':
      return `${checkAmend(context, now)}${foreseeAmendment(vault.state, plan, now)}`
    case 'enroll-runtime':
      return checkEnrollment(context)
    case 'intake':
      return (await checkReceipts(context)).observed
    case 'custody':
      return checkCustody(context, plan)
    case 'passphrase':
      mustBeAlone(vault, plan)
      return `A new passphrase for ${plan.person}.`
    case 'root-rotate':
      return describeRotation(context, plan)
    case 'destroy':
      return `${count(checkDestroy(context, plan, now).kids.length, 'key')} to destroy.`
    case 'backup':
      return checkBackup(context, plan)
    case 'restore':
      return checkRestore(context)
    case 'inventory':
      return 'Nothing is changed; what is known of every key is compared and signed.'
  }
}

function checkRotate(state: VaultState, plan: PlanOf<'rotate'>, now: number): string {
  const { jobs, leftOut } = decideRotate(state, plan.tenants, plan.endingWithin ?? null, now)
  const rest = leftOut[0] ? ` Left out: ${named(leftOut)}. ${leftOut[0].why.message}` : ''
  return `${count(jobs.length, 'key')} to make. ${proveMore(state, jobs, now)}${rest}`
}

function checkEmergency(state: VaultState, plan: PlanOf<'emergency'>, now: number): string {
  must(
    lineSchema.safeParse(plan.reason).success,
    'plan-invalid',
    'The reason of an emergency is one line of at most 200 characters: it stands in every later bundle.',
  )
  const decided = decideEmergency(state, plan.scope, now)
  return `${count(decided.reached.length, 'key is', 'keys are')} no longer trusted. ${foreseeEmergency(state, decided, now)}`
}

function checkHandoff({ state, anchor }: VaultPort, plan: PlanOf<'handoff'>, now: number): string {
  must(
    plan.validFor >= HOUR && plan.validFor <= 365 * DAY,
    'plan-invalid',
    `A bundle is valid for an hour at least and a year at most. This plan says ${spellDuration(plan.validFor)}.`,
  )
  const { tenants, keys, removed } = decideHandoff(state, plan.runtime, plan.tenants, now, plan.lost)
  for (const tenant of tenants) planSlots(tenantExport(state, tenant, now), now, anchor.practice, 'policy-rejected')
  const idle = tenants.filter(({ tenant }) => keysOf(state, tenant, { usable: true }).length === 0)
  const warned = idle.length > 0 ? ` Without a usable key, so that nobody signs for them: ${named(idle)}.` : ''
  const given = removed.length > 0 ? ` To be given up: ${named(removed)}.` : ''
  return `${count(tenants.length, 'tenant')} and ${count(keys.length, 'private key')} for ${plan.runtime}.${warned}${given}`
}

const named = (tenants: readonly { tenant: string }[]): string =>
  listed(tenants.map(({ tenant }) => ({ label: tenant })))
