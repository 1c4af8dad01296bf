import type { VaultEvent } from '../../shared/domain/events.ts'
import { count } from '../../shared/domain/plural.ts'
import { isAlone, SCRIPTS, SIGN_OFF, type Step } from '../../shared/domain/script.ts'
import { type Ceremony, openCeremony } from '../../shared/domain/state.ts'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import type { Plan, ReadPlan } from '../../shared/formats/plan.ts'
import { certificatesOf, closingObjects, recordBody, recordDigest } from '../../shared/formats/record.ts'
import { collectSignOffs } from '../../shared/formats/sign-off.ts'
import { ACTS } from './acts.ts'
import { act, type Context, custodiansOf, type Outcome } from './context.ts'
import type { Deviation, Ports, VaultPort } from './ports.ts'
import { writtenOf } from './record.ts'

/** The steps of an open ceremony, one after the other, to its signed record. */

export type CeremonyResult = {
  ceremony: string
  kind: Plan['kind']
  steps: { step: string; observed: string }[]
  recordFolder: string
  certificates: string[]
}

/** Does every step that is not done yet, and closes the ceremony. */
export async function proceed(
  ports: Ports,
  vault: VaultPort,
  read: ReadPlan,
  confirm: readonly string[],
): Promise<CeremonyResult> {
  const ceremony = openOrRefuse(vault)
  const script = SCRIPTS[read.plan.kind]
  for (const [index, step] of script.entries()) {
    if (ceremony.done.some((done) => done.step === step.id)) continue
    await ports.desk.begin(step, { number: index + 1, of: script.length + 1 })
    await perform(contextOf(ports, vault, read, ceremony.id, step, confirm), step).catch((error: unknown) => {
      throw whileOpen(error, ceremony.id, step)
    })
  }
  await ports.desk.begin(SIGN_OFF, { number: script.length + 1, of: script.length + 1 })
  recordNoted(ports, vault, ceremony.id)
  return close(contextOf(ports, vault, read, ceremony.id, SIGN_OFF, confirm), ceremony)
}

/** An error in a step leaves the ceremony open, whatever else it says of loss. */
function whileOpen(error: unknown, ceremony: string, { title }: Step): unknown {
  if (!isKeyriteError(error) || error.lost !== new KeyriteError(error.code, '').lost) return error
  const { code, message, hint, cause } = error
  return new KeyriteError(code, message, {
    hint,
    cause,
    lost: `Nothing of the step “${title}” is kept, and ${ceremony} stays open: go on with "ceremony resume --accept-tail", or close it with "ceremony abort".`,
  })
}

async function perform(context: Context, step: Step): Promise<void> {
  const { ports, actor } = context
  if (step.act === 'create-vault') throw new KeyriteError('internal', 'A vault is created before its steps are run.')
  const outcome = await ACTS[step.act](context)
  const { initials, deviations } = await ports.desk.observed(step, outcome.observed)
  const by = initials ?? actor
  try {
    commitStep(context, { step, outcome, deviations, by })
  } catch (error) {
    ports.desk.takeBack?.(deviations)
    throw error
  }
  ports.say(`  ✓ ${step.title}: ${outcome.observed}`)
}

type Done = { step: Step; outcome: Outcome; deviations: readonly Deviation[]; by: string }

function commitStep({ ports, vault, ceremony }: Context, { step, outcome, deviations, by }: Done): void {
  const deviated = deviations.map((deviation): VaultEvent => ({ type: 'deviation', ceremony, ...deviation }))
  if (outcome.committed) {
    if (deviated.length > 0) vault.commit(deviated, ports.now(), by)
  } else {
    const done: VaultEvent = { type: 'step-done', ceremony, step: step.id, observed: outcome.observed }
    const { put, remove } = outcome
    vault.commit([...(outcome.events ?? []), ...deviated, done], ports.now(), by, {
      ...(put && { put }),
      ...(remove && { remove }),
    })
  }
}

/** What people noted outside a step that records it: before they sign off, or before they pause. */
export function recordNoted(ports: Ports, vault: VaultPort, ceremony: string): void {
  const noted = ports.desk.noted?.() ?? []
  const events = noted.map((deviation): VaultEvent => ({ type: 'deviation', ceremony, ...deviation }))
  if (events.length === 0) return
  try {
    vault.commit(events, ports.now(), actorFor(vault, 'administrator'))
  } catch (error) {
    ports.desk.takeBack?.(noted)
    throw error
  }
}

/** Everyone present signs the record, the root signs the vault as it then is, and the record folder is written. */
async function close(context: Context, ceremony: Ceremony): Promise<CeremonyResult> {
  const { ports, vault } = context
  const { practice } = vault.anchor
  const others = attendanceOf(vault, ceremony)
  if (others.length > 0) vault.commit(others, ports.now(), context.actor)
  const covers = { seq: vault.state.seq, head: vault.state.head }
  const record = recordDigest(recordBody(vault.state, ceremony, covers))
  const ask = (person: string) => ports.desk.agrees(person, record)
  const signOffs = await collectSignOffs(record, vault.present.values(), { practice, now: ports.now, ask })
  const ended: VaultEvent = { type: 'ceremony-ended', ceremony: ceremony.id, record, signOffs, covers }
  if (isAlone(ceremony.kind)) vault.commit([ended], ports.now(), context.actor)
  else
    await act(context, closingObjects(record), async (quorum, approved) => {
      await vault.commitWithCheckpoint([approved, ended], ports.now(), context.actor, quorum)
    })
  const recordFolder = await ports.writeRecord(writtenOf(vault, ceremony.id))
  ports.say(
    `  ✓ ${SIGN_OFF.title}: ${count(Object.keys(signOffs).length, 'person', 'people')} signed, and ${isAlone(ceremony.kind) ? 'the next quorum accepts what was done' : "the root signed the vault's state"}.`,
  )
  const steps = ceremony.done.map(({ step, observed }) => ({ step, observed }))
  const certificates = certificatesOf(vault.state, ceremony.id).map((one) => one.id)
  return { ceremony: ceremony.id, kind: ceremony.kind, steps, recordFolder, certificates }
}

export function contextOf(
  ports: Ports,
  vault: VaultPort,
  read: ReadPlan,
  ceremony: string,
  step: Pick<Step, 'id' | 'who' | 'title'>,
  confirm: readonly string[],
): Context {
  return {
    ports,
    vault,
    plan: read.plan,
    planDigest: read.digest,
    ceremony,
    step,
    actor: actorFor(vault, step.who),
    confirm,
  }
}

/** The person present with the step's role; otherwise whoever is present first. */
export function actorFor(vault: VaultPort, who: Step['who']): string {
  const role = who === 'everyone' ? 'administrator' : who
  const inRole = vault.roster.people.find((person) => person.role === role && vault.present.has(person.id))
  const id = inRole?.id ?? vault.roster.people.find((person) => vault.present.has(person.id))?.id
  must(id, 'passphrase-missing', 'Nobody is present.')
  return id
}

export function needQuorum(vault: VaultPort): void {
  const missing = vault.roster.threshold - custodiansOf(vault).length
  must(
    missing <= 0,
    'quorum-missing',
    missing === 1 ? 'One more custodian needs to approve.' : `${missing} more custodians need to approve.`,
  )
}

export function openOrRefuse(vault: VaultPort): Ceremony {
  const open = openCeremony(vault.state)
  must(open, 'ceremony-unknown', 'No ceremony is open in this vault.')
  return open
}

export async function tailAccepted(ports: Ports, vault: VaultPort, accept: boolean): Promise<void> {
  must(!vault.tail || accept, 'vault-tail', vault.describeTail())
  if (vault.tail) await vault.acceptTail(ports.now(), actorFor(vault, 'administrator'))
}

/**
 * Others than before may go on with a ceremony, as long as they are a quorum: who was there from when on is an event, so
 * that the record names everybody who took part, and whoever is there at the end signs it.
 */
export function attendanceOf(vault: VaultPort, { id, attendance }: Ceremony): VaultEvent[] {
  const before = attendance.at(-1)?.present ?? []
  const present = [...vault.present.keys()]
  const same = present.length === before.length && present.every((person) => before.includes(person))
  return same ? [] : [{ type: 'attendance', ceremony: id, present }]
}
