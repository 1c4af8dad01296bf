import { decideRestore, notInVault } from '../../shared/domain/copies.ts'
import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { knownRuntime } from '../../shared/domain/known.ts'
import { count } from '../../shared/domain/plural.ts'
import type { Elsewhere } from '../../shared/domain/state-copies.ts'
import { must } from '../../shared/errors.ts'
import { openCertificate, parseCertificateFile } from '../../shared/formats/certificate.ts'
import { MB } from '../../shared/formats/json.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { act, type Context, listed, type Outcome } from './context.ts'
import { mustBeOurs, type ReceiptsRead, readReceiptsOf, takenFrom } from './handoff.ts'
import type { ShownCard } from './ports.ts'
import { mustStand } from './time.ts'

/**
 * A restore, held in the copy itself: it is the vault from now on. What the lost vault did since the copy was made can
 * only be learned from runtimes (receipts) and from paper (certificates, the newest head card).
 */

type Restore = PlanOf<'restore'>
type Lost = { read: ReceiptsRead[]; elsewhere: ({ kid: string } & Elsewhere)[] }

/** Takes every decision once. Codes `plan-invalid`, `runtime-unknown`, of reading receipts and certificates, `file-from-future`. */
export async function checkRestore(context: Context): Promise<string> {
  const { read, elsewhere } = await learn(context)
  const silent = silentAfter(
    context,
    read.map((one) => one.runtime.runtimeId),
  )
  const waits = silent.length > 0 ? ` Nothing is exported before the receipts of ${silent.join(', ')} are in.` : ''
  return `${count(read.length, 'runtime')} told what they have; ${count(elsewhere.length, 'key')} came back although destroyed.${waits}`
}

/** The runtimes that have not told what they have, once these did. */
function silentAfter({ vault: { state }, plan }: Context, brought: readonly string[]): string[] {
  const { backup, dead } = plan as Restore
  const again = state.restores.some((one) => one.backup === backup)
  const asked = again ? [...state.awaited] : [...state.runtimes.keys()]
  return asked.filter((id) => !brought.includes(id) && !dead.includes(id))
}

/** Reads everything that the plan names; nothing is written. */
async function learn(context: Context): Promise<Lost> {
  const plan = context.plan as Restore
  const { state } = context.vault
  decideRestore(state, plan.backup)
  const ids = plan.receipts.map((one) => one.runtime)
  for (const id of plan.dead) knownRuntime(state, id)
  must(!plan.dead.some((id) => ids.includes(id)), 'plan-invalid', 'A runtime that is dead brings no receipts.')
  must(new Set(ids).size === ids.length, 'plan-invalid', 'The plan names two files of receipts for one runtime.')
  const read: ReceiptsRead[] = []
  for (const { runtime, file } of plan.receipts) {
    knownRuntime(state, runtime)
    const one = await readReceiptsOf(context, runtime, file)
    for (const receipt of one.read.receipts) mustBeOurs(receipt, one.runtime, context, { restored: true })
    read.push(one)
  }
  const elsewhere = new Map<string, { kid: string } & Elsewhere>()
  for (const name of plan.certificates)
    for (const one of await namedIn(context, name)) if (!elsewhere.has(one.kid)) elsewhere.set(one.kid, one)
  return { read, elsewhere: [...elsewhere.values()] }
}

/** The keys of this copy that a root-signed certificate says were destroyed. Codes of reading it, `vault-mismatch`. */
async function namedIn({ vault, ports }: Context, name: string): Promise<({ kid: string } & Elsewhere)[]> {
  const { anchor, state } = vault
  const file = parseCertificateFile(ports.copies.read(name, 16 * MB))
  const { vaultId, certificate, keys } = await openCertificate(file.certificate, anchor.key, anchor.practice)
  must(vaultId === anchor.vaultId, 'vault-mismatch', `The certificate in ${name} is of another vault.`)
  return keys.flatMap(({ kid, destroyedAt: at }) => {
    const key = state.keys.get(kid)
    return key && !key.destroyed ? [{ kid, certificate, at }] : []
  })
}

/** What the copy does not know, said before anything is declared. Codes as `checkRestore`; `vault-rolled-back` for a card of another history. */
export async function readLosses(context: Context): Promise<Outcome> {
  const { vault, ports } = context
  const { read, elsewhere } = await learn(context)
  const card = await ports.desk.headCard(null)
  if (card && card.seq <= vault.state.seq) mustStand(card, vault)
  const told = read.map(
    ({ runtime, read: { receipts } }) => `${runtime.runtimeId}: ${count(receipts.length, 'new receipt')}`,
  )
  return {
    observed: `${told.join('; ') || 'No receipts were brought'}. ${cardSaid(card, vault.state.seq)} ${count(elsewhere.length, 'key of this copy was', 'keys of this copy were')} destroyed by certificate.`,
  }
}

const cardSaid = (card: ShownCard | null, seq: number): string =>
  card
    ? `The newest head card shown is of event ${card.seq}; this copy ended with event ${seq}.`
    : 'No head card was shown, so nobody knows how many events are lost.'

/** From here on the copy is the vault. Receipts that tell of bundles of the lost vault are taken here and nowhere else. */
export async function restoreVault(context: Context): Promise<Outcome> {
  const plan = context.plan as Restore
  const { vault, ceremony } = context
  const { read, elsewhere } = await learn(context)
  const seq = (vault.state.ceremonies.get(ceremony)?.firstSeq ?? 1) - 1
  const restored = {
    backup: plan.backup,
    reason: plan.reason,
    seq,
    head: vault.headAt(seq) ?? '',
    seen: Math.max(seq, ...read.flatMap(({ read: { receipts } }) => receipts.map(eventSeqOf))),
    dead: [...plan.dead],
    elsewhere,
  }
  const { approved } = await act(context, restored, async () => undefined)
  const events: VaultEvent[] = [approved, { type: 'vault-restored', ...restored }]
  const taken: EventOf<'receipts-taken'>[] = []
  for (const one of read) {
    const receipts = takenFrom(one)
    const said = await act(context, receipts, async () => undefined)
    taken.push({ type: 'receipts-taken', ...receipts })
    events.push(said.approved, { type: 'receipts-taken', ...receipts })
  }
  if (elsewhere.length > 0) events.push(alarm(context, elsewhere))
  return { observed: describe(context, taken, elsewhere), events }
}

const eventSeqOf = ({ stated }: ReceiptsRead['read']['receipts'][number]): number =>
  stated.type === 'imported' ? stated.eventSeq : 0

const labelsOf = ({ vault }: Context, elsewhere: Lost['elsewhere']): string =>
  listed(elsewhere.map(({ kid }) => ({ label: vault.state.keys.get(kid)?.label ?? kid })))

/** Fault 23: the tombstone wins, and the record says so. */
const alarm = (context: Context, elsewhere: Lost['elsewhere']): VaultEvent => ({
  type: 'deviation',
  ceremony: context.ceremony,
  expected: 'A key that was destroyed does not come back.',
  happened: `Backup ${(context.plan as Restore).backup} brought back ${labelsOf(context, elsewhere)}, destroyed by certificate ${[...new Set(elsewhere.map((one) => one.certificate))].slice(0, 10).join(', ')}.`,
  action: 'Marked as destroyed elsewhere: never exported and never signed with. They need a new destruction.',
})

function describe(context: Context, taken: readonly EventOf<'receipts-taken'>[], elsewhere: Lost['elsewhere']): string {
  const { state } = context.vault
  const { backup, dead } = context.plan as Restore
  const silent = silentAfter(
    context,
    taken.map((one) => one.runtimeId),
  )
  const lost = unknownKids(context, taken)
  return [
    `Restored from backup ${backup}. The vault that was lost is dead: nothing that it signed after event ${(state.ceremonies.get(context.ceremony)?.firstSeq ?? 1) - 1} is known here, and head cards with a higher number are void.`,
    silent.length > 0 ? `Exports wait for the receipts of ${silent.join(', ')}.` : 'Exports wait for nobody.',
    dead.length > 0 ? `Lost too, so that nobody knows what they have: ${dead.join(', ')}; their copies stay open.` : '',
    lost > 0 ? `${count(lost, 'key')} that only runtimes know: not in vault.` : '',
    elsewhere.length > 0 ? `Destroyed elsewhere and brought back: ${labelsOf(context, elsewhere)}.` : '',
  ]
    .filter((line) => line !== '')
    .join(' ')
}

/** How many keys only runtimes know, counting what is being taken. */
function unknownKids({ vault }: Context, taken: readonly EventOf<'receipts-taken'>[]): number {
  const known = new Set(notInVault(vault.state).map(({ kid }) => kid))
  for (const { statements } of taken)
    for (const { stated } of statements)
      if (typeof stated.kid === 'string' && !vault.state.keys.has(stated.kid)) known.add(stated.kid)
  return known.size
}
