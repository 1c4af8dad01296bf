import type { VaultEvent } from '../../shared/domain/events.ts'
import { count } from '../../shared/domain/plural.ts'
import { SCRIPTS, SIGN_OFF, type Step } from '../../shared/domain/script.ts'
import { type Ceremony, openCeremony } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import type { Plan, PlanOf, ReadPlan } from '../../shared/formats/plan.ts'
import { closingObjects, recordDigest } from '../../shared/formats/record.ts'
import { signOff } from '../../shared/formats/sign-off.ts'
import { ACTS, LETTER, precheck } from './acts.ts'
import { act, type Context } from './context.ts'
import type { Ports, VaultPort } from './ports.ts'
import { recordBody, writtenOf } from './record.ts'

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

/** Creates a vault: the first ceremony of its life. Codes: those of creating and of the steps. */
export async function runGenesis(ports: Ports, read: ReadPlan): Promise<{ vault: VaultPort; result: CeremonyResult }> {
  must(read.plan.kind === 'genesis', 'plan-invalid', 'This plan does not create a vault.')
  const plan: PlanOf<'genesis'> = read.plan
  const tested = ports.selfTest()
  const at = ports.now()
  const ceremony = idFor('genesis', 1, at)
  const administrator = plan.people.find((person) => person.role === 'administrator')?.id ?? ''
  const present = plan.people.map((person) => person.id)
  const observed = `${plan.people.length} people enrolled, ${plan.threshold} custodians must act together. ${tested} ${ports.presence}`
  const first: VaultEvent[] = [
    { type: 'ceremony-started', ceremony, kind: 'genesis', planDigest: read.digest, plan: read.text, present },
    { type: 'step-done', ceremony, step: 'create-vault', observed },
  ]
  const vault = await ports.createVault(plan, first, administrator, at)
  return { vault, result: await proceed(ports, vault, read, []) }
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
): Promise<CeremonyResult> {
  const open = openCeremony(vault.state)
  must(!open, 'ceremony-open', `Ceremony ${open?.id} is not closed yet.`)
  must(!vault.tail, 'vault-tail', vault.describeTail())
  must(read.plan.kind !== 'genesis', 'ceremony-conflict', 'This vault exists already; a genesis plan makes a new one.')
  needQuorum(vault)
  const at = ports.now()
  const ceremony = idFor(read.plan.kind, vault.state.ceremonies.size + 1, at)
  const starter = { id: 'check-plan', who: 'administrator' } as const
  await precheck(contextOf(ports, vault, read, ceremony, starter, confirm))
  vault.tidy()
  const present = [...vault.present.keys()]
  const event: VaultEvent = {
    type: 'ceremony-started',
    ceremony,
    kind: read.plan.kind,
    planDigest: read.digest,
    plan: read.text,
    present,
  }
  vault.commit([event], at, actorFor(vault, 'administrator'))
  return proceed(ports, vault, read, confirm)
}

/**
 * Goes on with an interrupted ceremony; the record says so. Codes `ceremony-unknown` when none is open,
 * `passphrase-missing` unless everyone who began it is there, `vault-tail` unless it is accepted.
 */
export async function resumeCeremony(
  ports: Ports,
  vault: VaultPort,
  read: (text: string) => ReadPlan,
  options: { confirm: readonly string[]; acceptTail: boolean },
): Promise<CeremonyResult> {
  const open = openOrRefuse(vault)
  needQuorum(vault)
  needEveryone(vault, open)
  await tailAccepted(ports, vault, options.acceptTail)
  vault.tidy()
  const stopped: VaultEvent = {
    type: 'deviation',
    ceremony: open.id,
    expected: 'The ceremony runs from its first step to its record without a break.',
    happened: `It was interrupted ${lastStepOf(open)}.`,
    action: 'Opened again, its history accepted by a quorum, and continued at the next step.',
  }
  vault.commit([stopped], ports.now(), actorFor(vault, 'administrator'))
  return proceed(ports, vault, read(open.plan), options.confirm)
}

function lastStepOf({ kind, done }: Ceremony): string {
  const step = SCRIPTS[kind].find(({ id }) => id === done.at(-1)?.step)
  return step ? `after the step “${step.title}”` : 'before its first step'
}

/** Whoever took part signs the record, so nobody may be missing when a ceremony goes on. Others may join. */
function needEveryone(vault: VaultPort, { id, present }: Ceremony): void {
  const missing = present.filter((person) => !vault.present.has(person))
  must(
    missing.length === 0,
    'passphrase-missing',
    `${missing.join(', ')} took part in ${id} and must sign its record.`,
    {
      hint: 'Bring everyone who began it, or close it with "ceremony abort".',
    },
  )
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
    step: { id: 'abort', who: 'administrator' },
  } as Context
  await act(context, { abort: open.id }, async (quorum, approved) => {
    await vault.commitWithCheckpoint([approved, ...events], ports.now(), actorFor(vault, 'administrator'), quorum, {
      remove,
    })
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
  for (const step of script) {
    if (ceremony.done.some((done) => done.step === step.id)) continue
    await perform(contextOf(ports, vault, read, ceremony.id, step, confirm), step)
  }
  return close(contextOf(ports, vault, read, ceremony.id, SIGN_OFF, confirm), ceremony)
}

async function perform(context: Context, step: Step): Promise<void> {
  const { ports, vault, ceremony, actor } = context
  if (step.act === 'create-vault') throw new KeyriteError('internal', 'A vault is created before its steps are run.')
  const outcome = await ACTS[step.act](context)
  if (!outcome.committed) {
    const done: VaultEvent = { type: 'step-done', ceremony, step: step.id, observed: outcome.observed }
    const { put, remove } = outcome
    vault.commit([...(outcome.events ?? []), done], ports.now(), actor, {
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
  const covers = { seq: vault.state.seq, head: vault.state.head }
  const record = recordDigest(recordBody(vault, ceremony, covers, [...vault.present.keys()]))
  const signOffs: Record<string, string> = {}
  for (const [id, person] of vault.present)
    signOffs[id] = await signOff({ of: record, agrees: true, at: ports.now() }, practice, person.signer)
  await act(context, closingObjects(record), async (quorum, approved) => {
    const ended: VaultEvent = { type: 'ceremony-ended', ceremony: ceremony.id, record, signOffs, covers }
    await vault.commitWithCheckpoint([approved, ended], ports.now(), context.actor, quorum)
  })
  const recordFolder = await ports.writeRecord(writtenOf(vault, ceremony.id))
  ports.say(
    `  ✓ ${SIGN_OFF.title}: ${count(Object.keys(signOffs).length, 'person', 'people')} signed, and the root signed the vault's state.`,
  )
  const steps = ceremony.done.map(({ step, observed }) => ({ step, observed }))
  const certificates = vault.state.certificates
    .filter((one) => one.id.startsWith(`${ceremony.id}-`))
    .map((one) => one.id)
  return { ceremony: ceremony.id, kind: ceremony.kind, steps, recordFolder, certificates }
}

function contextOf(
  ports: Ports,
  vault: VaultPort,
  read: ReadPlan,
  ceremony: string,
  step: Pick<Step, 'id' | 'who'>,
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
  const id = inRole?.id ?? [...vault.present.keys()][0]
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

const idFor = (kind: Plan['kind'], number: number, at: number): string =>
  `${LETTER[kind]}-${new Date(at * 1000).getUTCFullYear()}-${String(number).padStart(3, '0')}`
