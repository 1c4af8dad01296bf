import { existsSync } from 'node:fs'
import { isAlone } from '../../../shared/domain/script.ts'
import { openCeremony } from '../../../shared/domain/state.ts'
import { utcTime } from '../../../shared/domain/utc.ts'
import { KeyriteError } from '../../../shared/errors.ts'
import { fromUtf8 } from '../../../shared/formats/bytes.ts'
import { MB } from '../../../shared/formats/json.ts'
import { parsePlan, type ReadPlan } from '../../../shared/formats/plan.ts'
import { type Holding, hold } from '../../app/hold.ts'
import type { Reporter } from '../../app/reporter.ts'
import { connect, type Room } from '../../app/wiring.ts'
import { abortCeremony } from '../../ceremony/abort.ts'
import { custodiansOf } from '../../ceremony/context.ts'
import type { Ports } from '../../ceremony/ports.ts'
import { resumeCeremony, runCeremony, runGenesis } from '../../ceremony/runner.ts'
import { readFileGuarded } from '../../files/read.ts'
import { mustBeAtRest } from '../../vault/backup.ts'
import type { Quorum } from '../../vault/quorum.ts'
import type { Vault } from '../../vault/vault.ts'
import { openForCeremony, text, vaultFolder } from '../open-vault.ts'
import type { Answer } from '../output.ts'
import { readPassphrases } from '../passphrases.ts'
import { roomOf, shareFoldersOf } from '../room.ts'
import { enrolling } from '../terminal/enroll.ts'
import { paragraph } from '../terminal/layout.ts'
import { lookAtTerminal, openAtTerminal } from '../terminal/people.ts'
import { agreeOnPlan } from '../terminal/plan.ts'
import type { Prompter } from '../terminal/prompter.ts'
import { seat, terminalFor } from '../terminal/room.ts'
import { answerOf, closedAnswer, sayOnInterrupt, warnAutomated, wordsOf } from './told.ts'

/** `ceremony run`, `resume` and `abort`: with --passphrases the software answers, otherwise the people at the terminal. */

export type Options = Record<string, unknown>

/** An open vault, the ports of its ceremony, and the terminal where people are asked. */
type Table = { vault: Vault; ports: Ports<Quorum>; ask: Prompter | null }

export const readPlanFile = (path: string): ReadPlan => parsePlan(fromUtf8(readFileGuarded(path, 4 * MB)))

/** A copy that is to become the vault must not lie beside a journal: opening it would mix the two. Code `vault-damaged`. */
function planFor(path: string, options: Options): ReadPlan {
  const read = readPlanFile(path)
  if (read.plan.kind === 'restore') mustBeAtRest(vaultFolder(options['vault']))
  return read
}

const PASSPHRASES = 'the passphrases of a quorum, one after another'

export async function run([path = '']: string[], options: Options, reporter: Reporter): Promise<Answer> {
  if (!existsSync(text(options['vault']) ?? '')) return genesis(path, options, roomOf(options, reporter, path))
  const table = await sitDown(options, reporter, path, () => planFor(path, options), aloneIn(path))
  const { before, vault, ports, ask } = table
  return held({ vault: () => vault, ports, fresh: true }, reporter, async () => {
    if (ask) await agreeOnPlan(ask, before)
    const acceptTail = isAlone(before.plan.kind) ? false : await tailAccepted(table, options)
    return answerOf(await runCeremony(ports, vault, before, wordsOf(options), acceptTail))
  })
}

export async function resume(_: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const table = await sitDown(options, reporter, null, () => undefined, text(options['alone']) ?? null)
  const { vault, ports } = table
  let accepted = false
  const holding = { vault: () => vault, ports, fresh: false, accepted: () => accepted }
  return held(holding, reporter, async () => {
    accepted = text(options['alone']) ? false : await tailAccepted(table, options)
    const how = { confirm: wordsOf(options), acceptTail: accepted }
    return answerOf(await resumeCeremony(ports, vault, parsePlan, how))
  })
}

export async function abort(_: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const table = await sitDown(options, reporter, null, () => undefined)
  const { vault, ports } = table
  return held({ vault: () => vault, ports, fresh: false }, reporter, async () => {
    const acceptTail = await tailAccepted(table, options)
    return closedAnswer(await abortCeremony(ports, vault, { reason: text(options['reason']) ?? '', acceptTail }))
  })
}

/** Opens the vault for those whose passphrases are in files, or who come to the keyboard. `before` runs before it is open. */
async function sitDown<T>(
  options: Options,
  reporter: Reporter,
  plan: string | null,
  before: () => T,
  alone: string | null = null,
): Promise<Table & { before: T }> {
  const room = roomOf(options, reporter, plan)
  const shares = shareFoldersOf(options)
  if (options['passphrases'] !== undefined) {
    const opened = await openForCeremony(options['vault'], options['passphrases'], before, alone)
    opened.vault.shareFolders = shares.length > 0 ? shares : [room.media]
    warnAutomated(reporter, opened.vault.anchor.practice)
    return { ...opened, ports: connect(room), ask: null }
  }
  const folder = vaultFolder(options['vault'])
  const ask = terminalFor(options, PASSPHRASES)
  const result = before()
  const vault = await (alone === null ? openAtTerminal(ask, folder) : lookAtTerminal(ask, folder, alone))
  vault.shareFolders = shares.length > 0 ? shares : [room.media]
  const who = { people: () => vault.roster.people, present: () => [...vault.present.keys()] }
  return { vault, ports: connect(seat(room, ask, who)), ask, before: result }
}

/** Whose plan it is where one person is alone; null for every other, and for one that cannot be read yet. */
function aloneIn(path: string): string | null {
  try {
    const { plan } = readPlanFile(path)
    return plan.kind === 'passphrase' ? plan.person : null
  } catch {
    return null
  }
}

/** At a terminal the tail is shown and each custodian asked; a script says so with --accept-tail. */
async function tailAccepted({ vault, ports, ask }: Table, options: Options): Promise<boolean> {
  if (!ask || !vault.tail) return options['acceptTail'] === true
  const open = openCeremony(vault.state)
  const done =
    open?.done.map(({ step, at, by, observed }) => paragraph(`${utcTime(at)} ${step} (${by}): ${observed}`)) ?? []
  ask.say(['', paragraph(vault.describeTail()), ...done, ''].join('\n'))
  const { threshold } = vault.roster
  return (
    (await ports.desk.approve('Accept these events as what happened', custodiansOf(vault), threshold)).length >=
    threshold
  )
}

async function genesis(path: string, options: Options, room: Room): Promise<Answer> {
  const folder = text(options['vault']) ?? ''
  const read = readPlanFile(path)
  if (options['passphrases'] !== undefined) {
    const passphrases = readPassphrases(text(options['passphrases']))
    if (read.plan.kind !== 'genesis') vaultFolder(folder)
    warnAutomated(room.reporter, read.plan.kind !== 'genesis' || read.plan.practice)
    const { vault, result } = await runGenesis(connect({ ...room, newVault: { folder, passphrases } }), read)
    vault.close()
    return answerOf(result)
  }
  const { plan } = read
  if (plan.kind !== 'genesis') throw missing(folder)
  const ask = terminalFor(options, 'a new passphrase of everybody on the plan')
  const { ports, made } = enrolling(room, ask, { folder, plan })
  return held({ vault: made, ports, fresh: true }, room.reporter, async () => {
    await agreeOnPlan(ask, read)
    return answerOf((await runGenesis(ports, read)).result)
  })
}

/** The error that says what is wrong with a vault that is not there. */
function missing(folder: string): Error {
  vaultFolder(folder)
  return new KeyriteError('vault-missing', `There is no vault at ${folder}.`)
}

/** Holds a ceremony and says what came of it; Ctrl-C while nothing is asked says what stands. */
async function held(holding: Holding, reporter: Reporter, work: () => Promise<Answer>): Promise<Answer> {
  const done = sayOnInterrupt(reporter)
  try {
    const ended = await hold(holding, work)
    return 'done' in ended ? ended.done : { ...closedAnswer(ended.closed), exit: 4 }
  } finally {
    done()
  }
}
