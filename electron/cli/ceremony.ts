import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { must } from '../../shared/errors.ts'
import { fromUtf8 } from '../../shared/formats/bytes.ts'
import { MB } from '../../shared/formats/json.ts'
import { parsePlan, type ReadPlan } from '../../shared/formats/plan.ts'
import { writtenOf } from '../ceremony/record.ts'
import { abortCeremony, type CeremonyResult, resumeCeremony, runCeremony, runGenesis } from '../ceremony/runner.ts'
import { readFileGuarded } from '../files/read.ts'
import { utcTime } from './format.ts'
import { openForCeremony, openToView, text, vaultFolder } from './open-vault.ts'
import { type Answer, answering, type Reporter } from './output.ts'
import { readPassphrases } from './passphrases.ts'
import { connect, type Room } from './wiring.ts'

type Options = Record<string, unknown>

const now = () => Math.floor(Date.now() / 1000)

export function ceremonyCommands(): Command {
  const ceremony = new Command('ceremony').description('run and close ceremonies')
  const withVault = (command: Command) =>
    command
      .requiredOption('--vault <folder>', 'the vault')
      .requiredOption('--passphrases <folder>', 'one file per person, named by the id')
  const withRoom = (command: Command) =>
    withVault(command)
      .option('--media <folder>', "the medium that files are carried on (default: the plan's folder)")
      .option('--records <folder>', 'where record folders go (default: "records" beside the vault)')
      .option('--confirm <words...>', 'the exact words that confirm a destruction')
  withRoom(ceremony.command('run <plan>').description('carry out a plan')).action(answering(run))
  withRoom(ceremony.command('resume').description('go on with an interrupted ceremony'))
    .option('--accept-tail', 'accept the events after the newest checkpoint')
    .action(answering(resume))
  withVault(ceremony.command('abort').description('close an interrupted ceremony'))
    .requiredOption('--reason <words>', 'why')
    .option('--accept-tail', 'accept the events after the newest checkpoint')
    .action(answering(abort))
  withVault(
    ceremony.command('show <id>').description('one ceremony; with --records its record folder is written again'),
  )
    .option('--records <folder>', 'where to write its record folder')
    .action(answering(show))
  withVault(ceremony.command('list').description('the ceremonies of a vault')).action(answering(list))
  return ceremony
}

export const readPlanFile = (path: string): ReadPlan => parsePlan(fromUtf8(readFileGuarded(path, 4 * MB)))

function roomOf(options: Options, reporter: Reporter, plan: string | null): Room {
  const beside = dirname(resolve(text(options['vault']) ?? '.'))
  return {
    media: text(options['media']) ?? (plan ? dirname(resolve(plan)) : beside),
    records: text(options['records']) ?? join(beside, 'records'),
    now,
    reporter,
  }
}

async function run([path = '']: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const room = roomOf(options, reporter, path)
  const confirm = wordsOf(options)
  const vaultPath = text(options['vault']) ?? ''
  if (!existsSync(vaultPath)) return genesis(path, vaultPath, options, room)
  const { vault, before: read } = await openForCeremony(vaultPath, options['passphrases'], () => readPlanFile(path))
  const done = sayOnInterrupt(reporter)
  try {
    warnAutomated(reporter, vault.anchor.practice)
    return answerOf(await runCeremony(connect(room), vault, read, confirm))
  } finally {
    done()
    vault.close()
  }
}

async function genesis(path: string, folder: string, options: Options, room: Room): Promise<Answer> {
  const read = readPlanFile(path)
  const passphrases = readPassphrases(text(options['passphrases']))
  if (read.plan.kind !== 'genesis') vaultFolder(folder)
  warnAutomated(room.reporter, read.plan.kind !== 'genesis' || read.plan.practice)
  const { vault, result } = await runGenesis(connect({ ...room, newVault: { folder, passphrases } }), read)
  vault.close()
  return answerOf(result)
}

async function resume(_: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const { vault } = await openForCeremony(options['vault'], options['passphrases'])
  const done = sayOnInterrupt(reporter)
  try {
    warnAutomated(reporter, vault.anchor.practice)
    const ports = connect(roomOf(options, reporter, null))
    const choices = { confirm: wordsOf(options), acceptTail: options['acceptTail'] === true }
    return answerOf(await resumeCeremony(ports, vault, parsePlan, choices))
  } finally {
    done()
    vault.close()
  }
}

async function abort(_: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const { vault } = await openForCeremony(options['vault'], options['passphrases'])
  try {
    const ports = connect(roomOf(options, reporter, null))
    const choices = { reason: text(options['reason']) ?? '', acceptTail: options['acceptTail'] === true }
    const closed = await abortCeremony(ports, vault, choices)
    return {
      data: closed,
      text: `${closed.ceremony} is closed. ${closed.erased} half-made keys were erased; what happened stays recorded.`,
    }
  } finally {
    vault.close()
  }
}

async function show([id = '']: string[], options: Options, reporter: Reporter): Promise<Answer> {
  const vault = await openToView(options['vault'], options['passphrases'])
  try {
    const known = vault.state.ceremonies.get(id)
    must(known, 'ceremony-unknown', `The vault has no ceremony ${id}.`)
    const folder = text(options['records'])
    const recordFolder = folder
      ? await connect(roomOf(options, reporter, null)).writeRecord(writtenOf(vault, id))
      : null
    const { kind, startedAt, present, done, deviations, ended } = known
    const data = { ceremony: id, kind, startedAt, present, steps: done, deviations, ended, recordFolder }
    const steps = done.map((step) => `  ${utcTime(step.at)}  ${step.step}: ${step.observed}`)
    const state = ended
      ? `${ended.how} ${utcTime(ended.at)}${ended.reason ? `: ${ended.reason}` : ''}`
      : 'not closed yet'
    const lines = [
      `${id}, ${kind}, ${state}`,
      `Present: ${present.join(', ')}`,
      ...steps,
      ...(recordFolder ? [`Record: ${recordFolder}`] : []),
    ]
    return { data, text: lines.join('\n') }
  } finally {
    vault.close()
  }
}

async function list(_: string[], options: Options): Promise<Answer> {
  const vault = await openToView(options['vault'], options['passphrases'])
  try {
    const ceremonies = [...vault.state.ceremonies.values()].map(({ id, kind, startedAt, ended, present, done }) => ({
      ceremony: id,
      kind,
      startedAt,
      endedAt: ended?.at ?? null,
      outcome: ended?.how ?? 'open',
      record: ended?.record ?? null,
      present,
      steps: done.length,
    }))
    const lines = ceremonies.map(
      (one) => `${one.ceremony.padEnd(12)} ${one.kind.padEnd(15)} ${utcTime(one.startedAt)}  ${one.outcome}`,
    )
    return { data: { ceremonies }, text: lines.join('\n') }
  } finally {
    vault.close()
  }
}

function wordsOf(options: Options): string[] {
  const given = options['confirm']
  return Array.isArray(given) ? given.map(String) : []
}

function answerOf(result: CeremonyResult): Answer {
  const pages = ['record.html', 'head-card.html'].map((name) => join(result.recordFolder, name))
  const certificates = result.certificates.map((id) => `Certificate ${id} is in the same folder.`)
  const lines = [
    `${result.ceremony} is complete. Read, print and keep:`,
    ...pages.map((page) => `  ${page}`),
    ...certificates,
  ]
  return { data: result, text: lines.join('\n') }
}

/** Ctrl-C while a ceremony runs: what stands, and how to go on. Exit status 130. */
function sayOnInterrupt(reporter: Reporter): () => void {
  const stop = () => {
    reporter.say('\nStopped. The steps marked above are recorded; of the step that was under way nothing is kept.')
    reporter.say(
      'Go on with "ceremony resume --accept-tail", or close it with "ceremony abort --accept-tail --reason WHY".',
    )
    process.exit(130)
  }
  process.once('SIGINT', stop)
  return () => process.off('SIGINT', stop)
}

/** Without a quorum of people at the machine, production ceremonies deserve a word. */
function warnAutomated(reporter: Reporter, practice: boolean): void {
  if (!practice)
    reporter.say(
      'This is a production vault: the software approves for everybody whose passphrase file it was given, and the record says so.',
    )
}
