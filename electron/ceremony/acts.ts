import { decideCompromise, decideEmergency, decideHandoff, decideRotate } from '../../shared/domain/decide.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { count } from '../../shared/domain/plural.ts'
import { DAY, HOUR, spellDuration } from '../../shared/domain/policy.ts'
import type { Act } from '../../shared/domain/script.ts'
import { keysOf } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import { planSlots } from '../../shared/formats/bundle-check.ts'
import { lineSchema } from '../../shared/formats/common.ts'
import { hexGroups, words } from '../../shared/formats/fingerprint.ts'
import type { Plan, PlanOf } from '../../shared/formats/plan.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import {
  checkDependencies,
  checkDestroy,
  confirmDestruction,
  destroyBytes,
  issueCertificate,
  newEpoch,
  newFile,
  proveAbsence,
} from './destroy.ts'
import {
  acceptRuntime,
  checkReceipts,
  compareEnrollment,
  compareFiles,
  exportFiles,
  takeReceipts,
  tenantExport,
} from './handoff.ts'
import { jobsOf, makeKeys } from './make-keys.ts'

/** The table from a step's act to what performs it, and what is checked before a ceremony may even start. */

export const ACTS: Record<Exclude<Act, 'create-vault'>, (context: Context) => Promise<Outcome>> = {
  'prove-shares': proveShares,
  'publish-anchor': publishAnchor,
  'check-machine': checkMachine,
  'check-plan': checkPlan,
  'make-keys': makeKeys,
  'compare-enrollment': compareEnrollment,
  'accept-runtime': acceptRuntime,
  'export-files': exportFiles,
  'compare-files': compareFiles,
  'check-receipts': checkReceipts,
  'take-receipts': takeReceipts,
  'record-compromise': recordCompromise,
  'check-dependencies': checkDependencies,
  'confirm-destruction': confirmDestruction,
  'destroy-bytes': destroyBytes,
  'new-epoch': newEpoch,
  'new-file': newFile,
  'prove-absence': proveAbsence,
  'issue-certificate': issueCertificate,
}

/**
 * Takes every decision of the plan once without doing anything, so that a plan that cannot be carried out leaves the
 * vault as it is. Gives in one line what the plan will do.
 */
export async function precheck(context: Context): Promise<string> {
  const { plan, vault, ports } = context
  const now = ports.now()
  checkClock(now, vault.state.lastAt)
  switch (plan.kind) {
    case 'genesis':
      return 'A new vault.'
    case 'onboard':
      return `${count(plan.tenants.length, 'new tenant')}, ${count(jobsOf(context, now).jobs.length, 'key')} to make.`
    case 'rotate': {
      const { jobs, leftOut } = decideRotate(vault.state, plan.tenants, plan.endingWithin ?? null, now)
      const names = listed(leftOut.map(({ tenant }) => ({ label: tenant })))
      const rest = leftOut[0] ? ` Left out: ${names}. ${leftOut[0].why.message}` : ''
      return `${count(jobs.length, 'key')} to make.${rest}`
    }
    case 'emergency':
      must(
        lineSchema.safeParse(plan.reason).success,
        'plan-invalid',
        'The reason of an emergency is one line of at most 200 characters: it stands in every later bundle.',
      )
      return `${count(decideEmergency(vault.state, plan.scope, now).reached.length, 'key is', 'keys are')} no longer trusted.`
    case 'handoff': {
      must(
        plan.validFor >= HOUR && plan.validFor <= 365 * DAY,
        'plan-invalid',
        `A bundle is valid for an hour at least and a year at most. This plan says ${spellDuration(plan.validFor)}.`,
      )
      const { tenants, keys } = decideHandoff(vault.state, plan.runtime, plan.tenants, now)
      for (const tenant of tenants)
        planSlots(tenantExport(vault.state, tenant, now), now, vault.anchor.practice, 'policy-rejected')
      const idle = tenants.filter(({ tenant }) => keysOf(vault.state, tenant, { usable: true }).length === 0)
      const names = listed(idle.map(({ tenant }) => ({ label: tenant })))
      const warned = idle.length > 0 ? ` Without a usable key, so that nobody signs for them: ${names}.` : ''
      return `${count(tenants.length, 'tenant')} and ${count(keys.length, 'private key')} for ${plan.runtime}.${warned}`
    }
    case 'enroll-runtime':
      return (await compareEnrollment(context)).observed
    case 'intake':
      return (await checkReceipts(context)).observed
    case 'destroy':
      return `${count(checkDestroy(context, plan, now).length, 'key')} to destroy.`
  }
}

/** The offline clock is never before the newest event. Code `clock-refused`. */
function checkClock(now: number, newest: number): void {
  must(now >= newest, 'clock-refused', 'The clock of this machine is behind the newest event of the vault.')
}

async function checkMachine({ ports, vault }: Context): Promise<Outcome> {
  checkClock(ports.now(), vault.state.lastAt)
  return { observed: `${ports.selfTest()} ${ports.presence}` }
}

async function checkPlan(context: Context): Promise<Outcome> {
  const fits = await precheck(context)
  return { observed: `Plan ${hexGroups(context.planDigest).slice(0, 2).join(' ')} …: ${fits}` }
}

async function proveShares({ vault }: Context): Promise<Outcome> {
  const events: VaultEvent[] = []
  for (const { person } of vault.roster.shares) {
    await vault.proveShare(person)
    events.push({ type: 'share-proved', person, epoch: vault.roster.epoch })
  }
  return { observed: `${events.length} of ${vault.roster.shares.length} shares proved.`, events }
}

async function publishAnchor({ vault, ports }: Context): Promise<Outcome> {
  const { name } = ports.media.writeAnchor(vault.anchor.jws, ports.now())
  const { kid } = vault.anchor.key
  return {
    observed: `${name}; root ${hexGroups(kid).slice(0, 4).join(' ')} …, words ${words(kid).slice(0, 4).join(' ')} …`,
  }
}

async function recordCompromise(context: Context): Promise<Outcome> {
  const plan = context.plan as PlanOf<'emergency'>
  const now = context.ports.now()
  const keys = decideCompromise(context.vault.state, plan.scope, now)
  const { approved } = await act(context, { compromised: keys.map((key) => key.kid) }, async () => undefined)
  const tenants = new Set(keys.map((key) => key.tenant)).size
  return {
    observed: `${listed(keys)} (${count(tenants, 'tenant')}).`,
    events: [
      approved,
      ...keys.flatMap(({ tenant, kid, compromised }): VaultEvent[] =>
        compromised ? [] : [{ type: 'key-compromised', tenant, kid, at: now, reason: plan.reason }],
      ),
    ],
  }
}

/** Ceremony ids start with this letter: `D-2026-009`. */
export const LETTER: Record<Plan['kind'], string> = {
  genesis: 'G',
  onboard: 'O',
  'enroll-runtime': 'N',
  handoff: 'H',
  rotate: 'R',
  emergency: 'E',
  intake: 'I',
  destroy: 'D',
}
