import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gatheringAt } from '../../../electron/app/gathering.ts'
import { CloseWanted } from '../../../electron/app/hold.ts'
import { connect } from '../../../electron/app/wiring.ts'
import { resumeCeremony, runCeremony, runGenesis } from '../../../electron/ceremony/runner.ts'
import { clackPrompter } from '../../../electron/cli/terminal/clack.ts'
import { enrolling } from '../../../electron/cli/terminal/enroll.ts'
import { gather, openAtTerminal } from '../../../electron/cli/terminal/people.ts'
import { seat } from '../../../electron/cli/terminal/room.ts'
import type { Vault } from '../../../electron/vault/vault.ts'
import { openCeremony } from '../../../shared/domain/state.ts'
import { parsePlan } from '../../../shared/formats/plan.ts'
import {
  failure,
  GENESIS,
  type Genesis,
  makeGenesis,
  PASSPHRASES,
  type Room,
  tenantPlan,
} from '../../ceremony/fixtures.ts'
import { answerOf, keyrite } from '../run.ts'
import { FakeTerminal } from './fake.ts'

/** Whole ceremonies at a terminal: real vaults, real keys, and people at an injected keyboard and screen. */

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis(Math.floor(Date.now() / 1000) - 86_400)
})
afterAll(() => genesis.remove())

const ONBOARD = parsePlan(JSON.stringify({ kind: 'onboard', tenants: [tenantPlan('acme', { specs: ['Ed25519'] })] }))
const passphrase = (id: string): string => PASSPHRASES.get(id) ?? ''
const now = (): number => Math.floor(Date.now() / 1000)
const utc = (): string => new Date().toISOString().slice(0, 19)

/** The room of a vault with people at this terminal. */
function portsAt(room: Room, terminal: FakeTerminal, vault: Vault) {
  const who = { people: () => vault.roster.people, present: () => [...vault.present.keys()] }
  const reporter = { say: (text: string) => void terminal.output.write(`${text}\n`), progress: () => {} }
  const { media, records } = room
  return connect(seat({ media, records, now, reporter }, clackPrompter(terminal.streams), who))
}

/** Ada, Blaise and Emmy come to the keyboard; Blaise mistypes once. */
async function comeIn(terminal: FakeTerminal): Promise<void> {
  await terminal.on('0 of 2')
  await terminal.on('Who comes', 'enter')
  await terminal.on('Ada Lovelace: your passphrase', passphrase('ada'), 'enter')
  await terminal.on('1 of 2')
  await terminal.on('Who comes', 'enter')
  await terminal.on('Blaise Pascal: your passphrase', 'not this one', 'enter')
  await terminal.on('Nothing has')
  await terminal.on('Blaise Pascal: your passphrase', passphrase('blaise'), 'enter')
  await terminal.on('2 of 2')
  await terminal.on('Who comes', 'down', 'enter')
  await terminal.on('Emmy Noether: your passphrase', passphrase('emmy'), 'enter')
  await terminal.on('Who comes', 'up', 'enter')
}

async function tellTheTime(terminal: FakeTerminal): Promise<void> {
  for (const [name, key] of [
    ['Ada Lovelace', 'enter'],
    ['Blaise Pascal', 'enter'],
  ] as const) {
    await terminal.on('Who reads a watch?', key)
    await terminal.on(`${name}: date and time in UTC`, utc(), 'enter')
  }
}

async function step(terminal: FakeTerminal, initials: string, approvals = 0): Promise<void> {
  await terminal.on('When it has been read aloud', 'enter')
  for (const name of ['Ada', 'Blaise'].slice(0, approvals)) await terminal.on(`${name} `, 'y')
  await terminal.on('Is it as it should be?', 'enter')
  await terminal.on('Initials', initials, 'enter')
}

/** Three agree, one after another, and two approve the closing. */
async function signOff(terminal: FakeTerminal): Promise<void> {
  await terminal.on('When it has been read aloud', 'enter')
  for (const name of ['Ada', 'Blaise']) await terminal.on(`${name} `, 'enter')
  await terminal.on('Emmy ', 'n')
  await terminal.on('Why not?', 'I came late', 'enter')
  for (const name of ['Ada', 'Blaise']) await terminal.on(`${name} `, 'y')
}

it('an onboarding by hand: everybody types, initials, approves and signs, and the record says who and how', async () => {
  const room = genesis.room()
  const terminal = new FakeTerminal()
  const opening = openAtTerminal(clackPrompter(terminal.streams), room.vault)
  await comeIn(terminal)
  const vault = await opening
  const running = runCeremony(portsAt(room, terminal, vault), vault, ONBOARD, [])
  await tellTheTime(terminal)
  await terminal.on('head card at hand?', 'enter')
  await step(terminal, 'al')
  await step(terminal, 'en')
  await step(terminal, 'bp', 2)
  // Noted before the signatures, it stands in what they sign.
  await terminal.on('When it has been read aloud', 'down', 'enter')
  await terminal.on('What should have happened?', 'A quiet room', 'enter')
  await terminal.on('What happened?', 'Drilling next door', 'enter')
  await terminal.on('What was done about it?', 'We spoke up', 'enter')
  await signOff(terminal)
  const { recordFolder } = await running
  vault.close()
  const record = readFileSync(join(recordFolder, 'record.json'), 'utf8')
  expect(record).toMatch(/typed their own passphrase at this machine/)
  expect(record).toMatch(/ada and blaise confirmed UTC from their own watches/)
  expect(record).toContain('Drilling next door')
  expect(JSON.parse(record).record.steps.map((one: { by: string }) => one.by)).toEqual(['ada', 'emmy', 'blaise'])
  // Nothing that anybody typed in secret stands anywhere on the screen.
  for (const id of ['ada', 'blaise', 'emmy']) expect(terminal.raw).not.toContain(passphrase(id))
  // No line of ours is longer than the screen is wide.
  const lines = terminal.plain.split(/[\r\n]+/)
  expect(lines.filter((line) => line.startsWith('  ') && line.length > 80)).toEqual([])
}, 120_000)

it('Ctrl-C in a step: nothing of it is kept, the steps before it are, and resuming goes on there', async () => {
  const room = genesis.room()
  const terminal = new FakeTerminal()
  const vault = await room.open(['ada', 'blaise', 'emmy'])
  const running = failure(runCeremony(portsAt(room, terminal, vault), vault, ONBOARD, []))
  await tellTheTime(terminal)
  await terminal.on('head card at hand?', 'enter')
  await step(terminal, 'al')
  await step(terminal, 'en')
  await terminal.on('When it has been read aloud', 'enter')
  await terminal.on('Ada ', 'y')
  await terminal.on('Blaise ', 'ctrl-c')
  const error = await running
  expect([error.code, error.exit]).toEqual(['ceremony-paused', 130])
  expect(openCeremony(vault.state)?.done.map((done) => done.step)).toEqual(['check-machine', 'check-plan'])
  expect(vault.state.keys.size).toBe(0)
  vault.close()

  const again = new FakeTerminal()
  const reopened = await room.open(['ada', 'blaise', 'emmy'])
  const options = { confirm: [], acceptTail: true }
  const resuming = resumeCeremony(portsAt(room, again, reopened), reopened, parsePlan, options)
  await tellTheTime(again)
  await step(again, 'bp', 2)
  await signOff(again)
  const { steps } = await resuming
  reopened.close()
  expect(steps.map((one) => one.step)).toEqual(['check-machine', 'check-plan', 'make-keys'])
}, 120_000)

it('closing with a reason says so to whoever holds the ceremony', async () => {
  const room = genesis.room()
  const terminal = new FakeTerminal()
  const vault = await room.open(['ada', 'blaise', 'emmy'])
  const running = failure(runCeremony(portsAt(room, terminal, vault), vault, ONBOARD, []))
  await tellTheTime(terminal)
  await terminal.on('head card at hand?', 'enter')
  await terminal.on('When it has been read aloud', 'escape')
  await terminal.on('What now?', 'up', 'enter')
  await terminal.on('Why is it closed', 'Fire alarm', 'enter')
  const error = await running
  vault.close()
  expect(error).toBeInstanceOf(CloseWanted)
  expect((error as CloseWanted).reason).toBe('Fire alarm')
}, 60_000)

describe('without a terminal, and without --passphrases', () => {
  it.each([['run', 'PLAN'], ['resume'], ['abort', '--reason', 'tired'], ['list'], ['show', 'O-2026-001']])(
    'ceremony %s fails with what would have been asked: exit 4, and the vault as it was',
    async (...command) => {
      const room = genesis.room()
      const before = room.content()
      const plan = join(room.base, 'plan.json')
      writeFileSync(plan, ONBOARD.text)
      const words = command.map((word) => (word === 'PLAN' ? plan : word))
      // That --no-input is the same without a terminal needs to be seen once.
      for (const more of command[0] === 'run' ? [[], ['--no-input']] : [['--no-input']]) {
        const ran = await keyrite(['ceremony', ...words, '--vault', room.vault, '--json', ...more])
        const { error } = answerOf(ran)
        expect([ran.status, error.code]).toEqual([4, 'passphrase-missing'])
        expect(error.message).toMatch(/asked here for the passphrase/)
      }
      expect(room.content()).toEqual(before)
    },
    60_000,
  )
})

describe('coming in', () => {
  it('a passphrase that is wrong three times leaves that person out, and without a quorum nothing is opened', async () => {
    const room = genesis.room()
    const before = room.content()
    const terminal = new FakeTerminal()
    const gathering = failure(gather(clackPrompter(terminal.streams), await gatheringAt(room.vault)))
    await terminal.on('Who comes', 'enter')
    for (const said of ['type it again', 'type it again', 'is left out']) {
      await terminal.on('Ada Lovelace: your passphrase', 'wrong', 'enter')
      await terminal.on(said)
    }
    await terminal.on('Who comes', 'up', 'enter')
    expect((await gathering).code).toBe('quorum-missing')
    expect(terminal.raw.slice(terminal.raw.lastIndexOf('Who comes'))).not.toContain('Ada')
    expect(room.content()).toEqual(before)
  }, 60_000)

  it('nobody at the keyboard for the set time: everything is forgotten', async () => {
    const room = genesis.room()
    const terminal = new FakeTerminal()
    const gathering = failure(gather(clackPrompter(terminal.streams, 0.3), await gatheringAt(room.vault)))
    await terminal.on('Who comes')
    const error = await gathering
    expect([error.code, error.message]).toEqual(['interrupted', expect.stringContaining('ten minutes')])
  })
})

it('a genesis by hand: six words each, shown on another screen that leaves nothing behind, and typed back', async () => {
  const folder = genesis.folder()
  const vault = join(folder, 'hand.vault')
  const terminal = new FakeTerminal()
  const reporter = { say: () => {}, progress: () => {} }
  const room = { media: join(folder, 'media'), records: join(folder, 'records'), now, reporter }
  const read = parsePlan(JSON.stringify(GENESIS))
  if (read.plan.kind !== 'genesis') throw new Error('not a genesis')
  const { ports } = enrolling(room, clackPrompter(terminal.streams), { folder: vault, plan: read.plan })
  const running = runGenesis(ports, read)
  await tellTheTime(terminal)
  await terminal.on('When it has been read aloud', 'enter')
  const chosen = new Set<string>()
  for (let person = 0; person < GENESIS.people.length; person++) {
    await terminal.on('six generated words', 'enter')
    await terminal.on('Press Enter to take this off')
    const shown = terminal.raw.slice(terminal.raw.lastIndexOf('\x1b[?1049h'))
    const words = [...shown.matchAll(/^ {4}\d {2}([a-z]+)\s*$/gm)].map(([, word]) => word).join(' ')
    chosen.add(words)
    await terminal.on('', 'enter')
    await terminal.on('\x1b[?1049l')
    await terminal.on('Now type the six words', words, 'enter')
  }
  await terminal.on('Is it as it should be?', 'enter')
  await terminal.on('Initials', 'bp', 'enter')
  await terminal.on('When it has been read aloud', 'enter')
  await terminal.on('Is it as it should be?', 'enter')
  await terminal.on('Initials', 'ci', 'enter')
  await step(terminal, 'en')
  await terminal.on('When it has been read aloud', 'enter')
  for (const name of ['Ada', 'Blaise', 'Clara', 'Emmy', 'Grace']) await terminal.on(`${name} `, 'enter')
  for (const name of ['Ada', 'Blaise']) await terminal.on(`${name} `, 'y')
  const made = await running
  const firstStep = [...made.vault.state.ceremonies.values()].flatMap(({ done }) => done)[0]
  made.vault.close()
  expect([firstStep?.step, firstStep?.by]).toEqual(['create-vault', 'blaise'])
  expect(chosen.size).toBe(GENESIS.people.length)
  const aWord = /^ {4}\d {2}[a-z]+\s*$/m
  expect([aWord.test(terminal.plain), aWord.test(terminal.lasting)]).toEqual([true, false])
}, 120_000)
