import { decideCompromise } from '../../shared/domain/emergency.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { count } from '../../shared/domain/plural.ts'
import type { Act } from '../../shared/domain/script.ts'
import { hexGroups, spoken } from '../../shared/formats/fingerprint.ts'
import type { Plan, PlanOf } from '../../shared/formats/plan.ts'
import { makeChanges } from './amend.ts'
import { attestReplaced, openBackup, writeBackup } from './backup.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import { activateRoster, dealShares, proveNewShares } from './custody.ts'
import {
  checkDependencies,
  confirmDestruction,
  coolOff,
  destroyBytes,
  newEpoch,
  newFile,
  proveAbsence,
  tryRestore,
} from './destroy.ts'
import { issueCertificate } from './destruction-certificate.ts'
import { compareEnvelopes, sealEnvelopes } from './envelope.ts'
import { compareRecipient, exportKeys } from './export-key.ts'
import { acceptRuntime, checkReceipts, compareEnrollment, compareFiles, exportFiles, takeReceipts } from './handoff.ts'
import { readKeys, takeKeys } from './import-key.ts'
import { takeInventory } from './inventory.ts'
import { makeKeys } from './make-keys.ts'
import { changePassphrase } from './passphrase.ts'
import { precheck } from './precheck.ts'
import { readLosses, restoreVault } from './restore.ts'
import { signRevocations } from './revocation.ts'
import { publishSuccession, rotateRoot } from './root.ts'
import { checkClock, describeCard, describeTime } from './time.ts'

/** The table from a step's act to what performs it. */

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
  'sign-revocations': signRevocations,
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

async function checkMachine({ ports, vault, ceremony }: Context): Promise<Outcome> {
  checkClock(ports.now(), vault.state)
  const started = vault.state.ceremonies.get(ceremony)
  const card = started?.kind === 'restore' ? 'A later step asks for the head card.' : describeCard(started?.headCard)
  const said = `${describeTime(started?.clock)} ${card}`
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
    observed: `${name}; root ${spoken(kid)}`,
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
