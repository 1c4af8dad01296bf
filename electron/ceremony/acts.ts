import { decideCompromise, decideEmergency, decideHandoff, decideRotate } from '../../shared/domain/decide.ts'
import { decideEnvelopes } from '../../shared/domain/envelopes.ts'
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
import { checkAmend, makeChanges } from './amend.ts'
import { attestReplaced, checkBackup, openBackup, writeBackup } from './backup.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import { activateRoster, checkCustody, checkMedia, dealShares, proveNewShares } from './custody.ts'
import {
  checkDependencies,
  checkDestroy,
  confirmDestruction,
  coolOff,
  destroyBytes,
  newEpoch,
  newFile,
  proveAbsence,
  tryRestore,
} from './destroy.ts'
import { issueCertificate } from './destruction-certificate.ts'
import { compareEnvelopes, describeEnvelopes, sealEnvelopes } from './envelope.ts'
import { checkExport, compareRecipient, exportKeys } from './export-key.ts'
import {
  acceptRuntime,
  checkEnrollment,
  checkReceipts,
  compareEnrollment,
  compareFiles,
  exportFiles,
  takeReceipts,
  tenantExport,
} from './handoff.ts'
import { checkImport, readKeys, takeKeys } from './import-key.ts'
import { takeInventory } from './inventory.ts'
import { jobsOf, makeKeys } from './make-keys.ts'
import { changePassphrase, mustBeAlone } from './passphrase.ts'
import { foreseeAmendment, foreseeEmergency, proveMore, proveNew } from './prove.ts'
import { checkRestore, readLosses, restoreVault } from './restore.ts'
import { describeRotation, publishSuccession, rotateRoot } from './root.ts'
import { checkClock, describeCard, describeTime } from './time.ts'

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
  'seal-envelopes': sealEnvelopes,
  'compare-envelopes': compareEnvelopes,
  'check-dependencies': checkDependencies,
  'confirm-destruction': confirmDestruction,
  'destroy-bytes': destroyBytes,
  'new-epoch': newEpoch,
  'new-file': newFile,
  'prove-absence': proveAbsence,
  'issue-certificate': issueCertificate,
  'deal-shares': dealShares,
  'prove-new-shares': proveNewShares,
  'activate-roster': activateRoster,
  'change-passphrase': changePassphrase,
  'rotate-root': rotateRoot,
  'publish-succession': publishSuccession,
  'cool-off': coolOff,
  'try-restore': tryRestore,
  'write-backup': writeBackup,
  'open-backup': openBackup,
  'attest-replaced': attestReplaced,
  'read-losses': readLosses,
  'restore-vault': restoreVault,
  'sign-inventory': takeInventory,
  'read-keys': readKeys,
  'take-keys': takeKeys,
  'compare-recipient': compareRecipient,
  'export-keys': exportKeys,
  'make-changes': makeChanges,
}

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
    case 'rotate': {
      const { jobs, leftOut } = decideRotate(vault.state, plan.tenants, plan.endingWithin ?? null, now)
      const names = listed(leftOut.map(({ tenant }) => ({ label: tenant })))
      const rest = leftOut[0] ? ` Left out: ${names}. ${leftOut[0].why.message}` : ''
      return `${count(jobs.length, 'key')} to make. ${proveMore(vault.state, jobs, now)}${rest}`
    }
    case 'emergency': {
      must(
        lineSchema.safeParse(plan.reason).success,
        'plan-invalid',
        'The reason of an emergency is one line of at most 200 characters: it stands in every later bundle.',
      )
      const decided = decideEmergency(vault.state, plan.scope, now)
      return `${count(decided.reached.length, 'key is', 'keys are')} no longer trusted. ${foreseeEmergency(vault.state, decided, now)}`
    }
    case 'handoff': {
      must(
        plan.validFor >= HOUR && plan.validFor <= 365 * DAY,
        'plan-invalid',
        `A bundle is valid for an hour at least and a year at most. This plan says ${spellDuration(plan.validFor)}.`,
      )
      const { tenants, keys, removed } = decideHandoff(vault.state, plan.runtime, plan.tenants, now, plan.lost)
      for (const tenant of tenants)
        planSlots(tenantExport(vault.state, tenant, now), now, vault.anchor.practice, 'policy-rejected')
      const idle = tenants.filter(({ tenant }) => keysOf(vault.state, tenant, { usable: true }).length === 0)
      const names = listed(idle.map(({ tenant }) => ({ label: tenant })))
      const warned = idle.length > 0 ? ` Without a usable key, so that nobody signs for them: ${names}.` : ''
      return `${count(tenants.length, 'tenant')} and ${count(keys.length, 'private key')} for ${plan.runtime}.${warned}${removed.length > 0 ? ` To be given up: ${listed(removed.map(({ tenant }) => ({ label: tenant })))}.` : ''}`
    }
    case 'envelope':
      return describeEnvelopes(decideEnvelopes(vault.state, plan.runtime, plan.tenants, now), plan.runtime)
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

async function checkMachine({ ports, vault, ceremony }: Context): Promise<Outcome> {
  checkClock(ports.now(), vault.state)
  const started = vault.state.ceremonies.get(ceremony)
  const said = `${describeTime(started?.clock)} ${describeCard(started?.headCard)}`
  return { observed: `${ports.selfTest()} ${ports.desk.presence} ${said}` }
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
  const { name } = ports.media.writeAnchor(vault.anchor.jws, vault.anchor.iat)
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
  custody: 'C',
  passphrase: 'P',
  'root-rotate': 'T',
  backup: 'B',
  restore: 'S',
  inventory: 'V',
  'import-key': 'M',
  'export-key': 'X',
  amend: 'A',
  envelope: 'L',
}
