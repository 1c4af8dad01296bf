import { decideBackup, nextBackup } from '../../shared/domain/copies.ts'
import { count } from '../../shared/domain/plural.ts'
import type { Backup } from '../../shared/domain/state-copies.ts'
import { must } from '../../shared/errors.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { mustBePresent } from './attest.ts'
import { act, actOn, type Context, type Outcome } from './context.ts'

/** A backup: numbered, held by somebody, opened once by a quorum before the ceremony closes. */

type BackupPlan = PlanOf<'backup'>

/** What the plan asks for, decided before anything is done. Code `plan-invalid`. */
export function checkBackup(context: Pick<Context, 'vault' | 'ceremony'>, plan: BackupPlan): string {
  const { vault, ceremony } = context
  const replaced = decideBackup(vault.state, plan)
  checkAttested(context, plan)
  const open = replaced.length - plan.attestations.length
  const old =
    replaced.length > 0 ? ` It replaces ${count(replaced.length, 'copy', 'copies')}, of which ${open} stay open.` : ''
  return `Backup ${nextBackup(vault.state, ceremony)} of the vault for ${plan.holder}, ${plan.place}.${old}`
}

/** The intent is committed first: from then on there may be a copy. What an interrupted try left is taken back and written anew. */
export async function writeBackup(context: Context): Promise<Outcome> {
  const plan = context.plan as BackupPlan
  const { vault, ports, ceremony } = context
  const number = nextBackup(vault.state, ceremony)
  const takenBack = ports.copies.takeBack(vault, number)
  const { holder, place, replaces } = plan
  const held = heldBy(context)
  const intent = { number, holder, place, replaces: [...replaces], ...held }
  vault.commit([{ type: 'backup-intended', ...intent }], ports.now(), context.actor)
  const { number: backup, ...rest } = intent
  const { result, approved } = await act(context, { backup, ...rest }, async () =>
    ports.copies.write(vault, { number, at: ports.now(), upTo: held.seq }),
  )
  const keys = vault.state.backups.get(number)?.kids.size ?? 0
  const again = takenBack.length > 0 ? ` An earlier try was interrupted; taken back: ${takenBack.join(', ')}.` : ''
  return {
    observed: `${result.folder}: the vault up to event ${held.seq}, ${count(keys, 'private key')}, held by ${holder} (${place}), compared row by row.${again}`,
    events: [approved, { type: 'backup-made', number, ...result }],
  }
}

/** A copy holds what the root has signed: the vault as the ceremony before this one left it. */
function heldBy({ vault, ceremony }: Context): { seq: number; head: string } {
  const seq = (vault.state.ceremonies.get(ceremony)?.firstSeq ?? 1) - 1
  const head = vault.headAt(seq)
  must(head !== null, 'internal', 'The vault has no event before this ceremony.')
  return { seq, head }
}

function madeIn({ vault, ceremony }: Context): Backup & { made: NonNullable<Backup['made']> } {
  const found = [...vault.state.backups.values()].find((one) => one.ceremony === ceremony && one.made)
  must(found?.made, 'ceremony-conflict', 'There is no copy to open.')
  return { ...found, made: found.made }
}

/** A quorum opens the copy from the medium, with its own shares, and unseals the root from it. Code `comparison-failed`. */
export async function openBackup(context: Context): Promise<Outcome> {
  const { vault, ports } = context
  const { number, seq, head, made } = madeIn(context)
  const objects = { open: number, seq, head }
  const { result, approved } = await act(context, objects, async () => {
    return ports.copies.open(vault, made.folder, actOn(context, objects))
  })
  const same = result.seq === seq && result.head === head && result.root === vault.anchor.key.kid
  must(same, 'comparison-failed', `The copy in ${made.folder} does not hold what was written to it.`)
  return {
    observed: `Backup ${number} opened with the shares of those present: event ${seq}, head ${hexGroups(head).slice(0, 2).join(' ')} …, and the root unsealed from it.`,
    events: [approved, { type: 'backup-opened', ...{ number, seq, head } }],
  }
}

export async function attestReplaced(context: Context): Promise<Outcome> {
  const plan = context.plan as BackupPlan
  checkAttested(context, plan)
  const attested = plan.attestations.map(({ backup, by }) => `backup ${backup} by ${by}`)
  const open = plan.replaces.filter((number) => !plan.attestations.some(({ backup }) => backup === number))
  const said = [
    ...(attested.length > 0 ? [`Attested as destroyed: ${attested.join(', ')}.`] : []),
    ...(open.length > 0 ? [`Still open copies: ${open.map((number) => `backup ${number}`).join(', ')}.`] : []),
  ]
  return {
    observed: said.join(' ') || 'No earlier copy is replaced.',
    events: plan.attestations.map(({ backup, by, statement }) => ({
      type: 'copy-attested',
      kids: [],
      copy: `backup:${backup}`,
      by,
      statement,
    })),
  }
}

function checkAttested({ vault }: Pick<Context, 'vault'>, plan: BackupPlan): void {
  for (const { by, backup } of plan.attestations) mustBePresent(vault, by, `the end of backup ${backup}`)
}
