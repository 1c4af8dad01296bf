import { waitingUntil } from '../../shared/domain/destruction.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { isAlone, SCRIPTS } from '../../shared/domain/script.ts'
import { type Ceremony, openCeremony } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import type { Plan, PlanOf, ReadPlan } from '../../shared/formats/plan.ts'
import { LETTER } from './acts.ts'
import { mustBeOver } from './destroy.ts'
import type { Ports, VaultPort } from './ports.ts'
import { precheck } from './precheck.ts'
import {
  actorFor,
  attendanceOf,
  type CeremonyResult,
  contextOf,
  needQuorum,
  openOrRefuse,
  proceed,
  tailAccepted,
} from './steps.ts'
import { compareCard, confirmTime, describeTime } from './time.ts'

/**
 * Runs a ceremony step by step. Every completed step is one committed transaction before the next begins, so that after
 * a crash, a power cut or an error the ceremony resumes where it stood.
 */

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

function othersSince(vault: VaultPort, { attendance }: Ceremony): string {
  const before = attendance.at(-1)?.present ?? []
  const missing = before.filter((person) => !vault.present.has(person))
  const joined = [...vault.present.keys()].filter((person) => !before.includes(person))
  const said = (people: readonly string[], what: string) => (people.length > 0 ? ` ${people.join(', ')} ${what}.` : '')
  return `${said(missing, 'did not come back')}${said(joined, 'joined')}`
}

/** After a restore numbers go on in another thousand: the vault that was lost used some that nobody here knows. */
const nextNumber = ({ state }: VaultPort): number => state.ceremonies.size + 1 + 1000 * state.restores.length

const idFor = (kind: Plan['kind'], number: number, at: number): string =>
  `${LETTER[kind]}-${new Date(at * 1000).getUTCFullYear()}-${String(number).padStart(3, '0')}`
