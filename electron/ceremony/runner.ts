import { waitingUntil } from '../../shared/domain/destruction.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { count } from '../../shared/domain/plural.ts'
import { isAlone, SCRIPTS, SIGN_OFF, type Step } from '../../shared/domain/script.ts'
import { type Ceremony, openCeremony } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import type { Plan, PlanOf, ReadPlan } from '../../shared/formats/plan.ts'
import { certificatesOf, closingObjects, recordBody, recordDigest } from '../../shared/formats/record.ts'
import { collectSignOffs } from '../../shared/formats/sign-off.ts'
import { ACTS, LETTER } from './acts.ts'
import { act, type Context } from './context.ts'
import { mustBeOver } from './destroy.ts'
import type { Ports, VaultPort } from './ports.ts'
import { precheck } from './precheck.ts'
import { writtenOf } from './record.ts'
import { compareCard, confirmTime, describeTime } from './time.ts'

/**
 * Runs a ceremony step by step. Every completed step is one committed transaction before the next begins, so that after
 * a crash, a power cut or an error the ceremony resumes where it stood.
 */

export type CeremonyResult = {
  ceremony: string
  kind: Plan['kind']
  steps: { step: string; observed: string }[]
  recordFolder: string
  certificates: string[]
}

/** What to do about events that nobody accepted, where no ceremony is open. */
const ACCEPT = {
  hint: 'See them with "ceremony list" and "ceremony show ID". Then run this ceremony with --accept-tail.',
}

/** Creates a vault: the first ceremony of its life. Codes: those of creating and of the steps. */
export async function runGenesis(ports: Ports, read: ReadPlan): Promise<{ vault: VaultPort; result: CeremonyResult }> {
  must(read.plan.kind === 'genesis', 'plan-invalid', 'This plan does not create a vault.')
  const plan: PlanOf<'genesis'> = read.plan
  const tested = ports.selfTest()
  const people = plan.people.map((person) => person.id)
  const { ports: timed, clock } = await confirmTime(ports, people)
  const at = timed.now()
  const ceremony = idFor('genesis', 1, at)
  const administrator = plan.people.find((person) => person.role === 'administrator')?.id ?? ''
  const observed = `${plan.people.length} people enrolled, ${plan.threshold} custodians must act together. ${tested} ${ports.desk.presence} ${describeTime(clock)}`
  const first: VaultEvent[] = [
    {
      type: 'ceremony-started',
      ceremony,
      kind: 'genesis',
      planDigest: read.digest,
      plan: read.text,
      present: people,
      clock,
      headCard: null,
    },
    { type: 'step-done', ceremony, step: 'create-vault', observed },
  ]
  const vault = await timed.createVault(plan, first, administrator, at)
  try {
    return { vault, result: await proceed(timed, vault, read, []) }
  } catch (error) {
    // Nobody else holds it yet, and it must be free to be opened again and resumed.
    vault.close()
    throw error
  }
}

/**
 * Starts the ceremony of a plan in an open vault and runs it to its end. Codes: `ceremony-open` while another is not
 * closed, `vault-tail`, and whatever the plan's own check says before anything is written.
 */
export async function runCeremony(
  ports: Ports,
  vault: VaultPort,
  read: ReadPlan,
  confirm: readonly string[],
  acceptTail = false,
): Promise<CeremonyResult> {
  const open = openCeremony(vault.state)
  const alone = isAlone(read.plan.kind)
  must(!open, 'ceremony-open', `Ceremony ${open?.id} is not closed yet.`)
  must(!vault.tail || acceptTail || alone, 'vault-tail', vault.describeTail(), ACCEPT)
  must(read.plan.kind !== 'genesis', 'ceremony-conflict', 'This vault exists already; a genesis plan makes a new one.')
  if (!alone) needQuorum(vault)
  const present = [...vault.present.keys()]
  const { ports: timed, clock } = await confirmTime(ports, present)
  // A copy is older than the newest head card: that is why it is restored, and a step of it asks for the card.
  const headCard = read.plan.kind === 'restore' ? null : await compareCard(timed, vault)
  const at = timed.now()
  const ceremony = idFor(read.plan.kind, nextNumber(vault), at)
  const starter = { id: 'check-plan', who: 'administrator', title: 'Read the plan' } as const
  await precheck(contextOf(timed, vault, read, ceremony, starter, confirm))
  if (!alone) await tailAccepted(timed, vault, acceptTail)
  vault.tidy()
  const event: VaultEvent = {
    type: 'ceremony-started',
    ceremony,
    kind: read.plan.kind,
    planDigest: read.digest,
    plan: read.text,
    present,
    clock,
    headCard,
  }
  vault.commit([event], at, actorFor(vault, 'administrator'))
  return proceed(timed, vault, read, confirm)
}

/**
 * Goes on with an interrupted ceremony; the record says so. Codes `ceremony-unknown` when none is open,
 * `quorum-missing` with fewer than M custodians, `vault-tail` unless it is accepted, `cooling-off` while a confirmed
 * destruction waits.
 */
export async function resumeCeremony(
  ports: Ports,
  vault: VaultPort,
  read: (text: string) => ReadPlan,
  options: { confirm: readonly string[]; acceptTail: boolean },
): Promise<CeremonyResult> {
  const open = openOrRefuse(vault)
  const alone = isAlone(open.kind)
  if (!alone) needQuorum(vault)
  const { ports: timed, clock } = await confirmTime(ports, [...vault.present.keys()])
  const until = waitingUntil(vault.state, open)
  if (until !== null) mustBeOver(until, timed.now())
  if (!alone) await tailAccepted(timed, vault, options.acceptTail)
  vault.tidy()
  const stopped: VaultEvent = {
    type: 'deviation',
    ceremony: open.id,
    expected: 'The ceremony runs from its first step to its record without a break.',
    happened: `It was interrupted ${lastStepOf(open)}.${othersSince(vault, open)}`,
    action: `Opened again, its history accepted by a quorum, and continued at the next step. ${describeTime(clock)}`,
  }
  // To wait is what the plan of a destruction may ask for; it is no deviation.
  const events = [...(until === null ? [stopped] : []), ...attendanceOf(vault, open)]
  if (events.length > 0) vault.commit(events, timed.now(), actorFor(vault, 'administrator'))
  return proceed(timed, vault, read(open.plan), options.confirm)
}

function lastStepOf({ kind, done }: Ceremony): string {
  const step = SCRIPTS[kind].find(({ id }) => id === done.at(-1)?.step)
  return step ? `after the step “${step.title}”` : 'before its first step'
}

/**
 * Others than before may go on with a ceremony, as long as they are a quorum: who was there from when on is an event, so
 * that the record names everybody who took part, and whoever is there at the end signs it.
 */
function attendanceOf(vault: VaultPort, { id, attendance }: Ceremony): VaultEvent[] {
  const before = attendance.at(-1)?.present ?? []
  const present = [...vault.present.keys()]
  const same = present.length === before.length && present.every((person) => before.includes(person))
  return same ? [] : [{ type: 'attendance', ceremony: id, present }]
}

function othersSince(vault: VaultPort, { attendance }: Ceremony): string {
  const before = attendance.at(-1)?.present ?? []
  const missing = before.filter((person) => !vault.present.has(person))
  const joined = [...vault.present.keys()].filter((person) => !before.includes(person))
  const said = (people: readonly string[], what: string) => (people.length > 0 ? ` ${people.join(', ')} ${what}.` : '')
  return `${said(missing, 'did not come back')}${said(joined, 'joined')}`
}

/**
 * Closes an interrupted ceremony with a reason. Keys it made that never left are erased; what happened stays recorded.
 * Codes as `resumeCeremony`, `usage-invalid` without a reason, `ceremony-conflict` for a destruction that has begun.
 */
export async function abortCeremony(
  ports: Ports,
  vault: VaultPort,
  options: { reason: string; acceptTail: boolean },
): Promise<{ ceremony: string; erased: number }> {
  const open = openOrRefuse(vault)
  const reason = options.reason.trim()
  must(
    reason !== '' && reason.length <= 1000,
    'usage-invalid',
    'A ceremony is closed with a reason of at most 1000 characters.',
  )
  const begun = SCRIPTS[open.kind].find((step) => step.noWayBack && open.done.some((done) => done.step === step.id))
  must(
    !begun || open.kind === 'emergency',
    'ceremony-conflict',
    `${open.id} cannot be closed any more: the step “${begun?.title}” is done, and what it began must be brought to its end.`,
    { hint: 'Finish it with "ceremony resume".' },
  )
  needQuorum(vault)
  await tailAccepted(ports, vault, options.acceptTail)
  vault.tidy()
  const { state } = vault
  const left = new Set(
    [...state.runtimes.values()].flatMap((runtime) => runtime.handoffs.flatMap((handoff) => handoff.keys)),
  )
  const halfMade = [...state.keys.values()]
    .filter((key) => key.bornIn === open.id && !key.destroyed && !left.has(key.kid))
    .map((key) => key.kid)
  const remove = halfMade.flatMap((kid) => [`key:${kid}`, `wrap:${kid}`])
  const events: VaultEvent[] = [{ type: 'ceremony-aborted', ceremony: open.id, reason }]
  if (halfMade.length > 0)
    events.unshift({
      type: 'keys-destroyed',
      kids: halfMade,
      reason: 'The ceremony that made it was aborted',
      marks: vault.marksOf(remove),
    })
  const context = {
    vault,
    ceremony: open.id,
    planDigest: open.planDigest,
    step: { id: 'abort', who: 'administrator', title: 'Close the ceremony without finishing it' },
    ports,
  } as Context
  await act(context, { abort: open.id }, async (quorum, approved) => {
    await vault.commitWithCheckpoint([approved, ...events], ports.now(), actorFor(vault, 'administrator'), quorum, {
      remove,
    })
    // What was dealt and never came into force is dropped.
    vault.tidy()
  })
  if (begun)
    ports.say(
      `  The keys that ${open.id} marked stay compromised: they never sign again, and a replacement made here is erased. Run another emergency ceremony with the same scope to make replacements, then hand over to every runtime.`,
    )
  return { ceremony: open.id, erased: halfMade.length }
}

async function proceed(
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
    await perform(contextOf(ports, vault, read, ceremony.id, step, confirm), step)
  }
  await ports.desk.begin(SIGN_OFF, { number: script.length + 1, of: script.length + 1 })
  return close(contextOf(ports, vault, read, ceremony.id, SIGN_OFF, confirm), ceremony)
}

async function perform(context: Context, step: Step): Promise<void> {
  const { ports, vault, ceremony, actor } = context
  if (step.act === 'create-vault') throw new KeyriteError('internal', 'A vault is created before its steps are run.')
  const outcome = await ACTS[step.act](context)
  const { initials, deviations } = await ports.desk.observed(step, outcome.observed)
  const by = initials ?? actor
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
  ports.say(`  ✓ ${step.title}: ${outcome.observed}`)
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

function contextOf(
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
function actorFor(vault: VaultPort, who: Step['who']): string {
  const role = who === 'everyone' ? 'administrator' : who
  const inRole = vault.roster.people.find((person) => person.role === role && vault.present.has(person.id))
  const id = inRole?.id ?? vault.roster.people.find((person) => vault.present.has(person.id))?.id
  must(id, 'passphrase-missing', 'Nobody is present.')
  return id
}

function needQuorum(vault: VaultPort): void {
  const present = vault.roster.people.filter(
    (person) => person.role === 'custodian' && vault.present.has(person.id),
  ).length
  const missing = vault.roster.threshold - present
  must(
    missing <= 0,
    'quorum-missing',
    missing === 1 ? 'One more custodian needs to approve.' : `${missing} more custodians need to approve.`,
  )
}

function openOrRefuse(vault: VaultPort): Ceremony {
  const open = openCeremony(vault.state)
  must(open, 'ceremony-unknown', 'No ceremony is open in this vault.')
  return open
}

async function tailAccepted(ports: Ports, vault: VaultPort, accept: boolean): Promise<void> {
  must(!vault.tail || accept, 'vault-tail', vault.describeTail())
  if (vault.tail) await vault.acceptTail(ports.now(), actorFor(vault, 'administrator'))
}

/** After a restore numbers go on in another thousand: the vault that was lost used some that nobody here knows. */
const nextNumber = ({ state }: VaultPort): number => state.ceremonies.size + 1 + 1000 * state.restores.length

const idFor = (kind: Plan['kind'], number: number, at: number): string =>
  `${LETTER[kind]}-${new Date(at * 1000).getUTCFullYear()}-${String(number).padStart(3, '0')}`
