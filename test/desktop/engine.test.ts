import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startEngine } from '../../electron/desktop/engine-host.ts'
import { EXIT } from '../../electron/keys/checks.ts'
import type { Notice } from '../../shared/contract/contract.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { utilityProcesses, type World } from './utility-process.ts'

/** Key work runs in processes of its own: the engine, and one for each tenant whose keys are made. */

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const FILES = {
  engine: file('./engine-fixture.ts'),
  'generate-child': file('../../electron/keys/generate-child.ts'),
}

function open(home = '/home', files: Partial<typeof FILES> = {}, closeWithin?: number) {
  const world: World = utilityProcesses({ ...FILES, ...files })
  const notices: Notice[] = []
  const engine = startEngine(world, {
    home,
    practice: false,
    onNotice: (notice) => notices.push(notice),
    ...(closeWithin !== undefined && { closeWithin }),
  })
  onTestFinished(async () => {
    await engine.close()
    await allEnded(world.children)
  })
  return { world, engine, notices }
}

/** A program that runs instead of the one that makes keys. */
function script(program: string): string {
  const path = join(temporaryFolder(), 'child.mjs')
  writeFileSync(path, program)
  return path
}

const answering = (answer: string) =>
  `process.parentPort.once('message', ({ ports: [port] }) => {
    port.on('message', ({ data }) => (data === 'taken' ? process.exit(0) : port.postMessage(${answer})))
    port.start()
  })`

const ended = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null
const allEnded = (children: readonly ChildProcess[]) =>
  expect.poll(() => children.every(ended), { timeout: 30_000 }).toBe(true)

describe('the engine in a process of its own', () => {
  it('answers calls made while it starts, each with its own outcome, and passes notices on', async () => {
    const { engine, notices } = open()
    const outcomes = await Promise.all(['one', 'two'].map((method) => engine.call(method, { of: method })))
    expect(outcomes).toEqual(
      ['one', 'two'].map((method) => ({
        ok: true,
        value: { method, input: { of: method }, home: '/home', practice: false, shell: 'electron' },
      })),
    )
    await engine.call('tells', {})
    expect(notices).toEqual([{ tell: 'refused-call', why: 'as asked' }])
  })

  it('ends when it is closed, after everything in it was', async () => {
    const { engine, world } = open()
    await engine.call('one', {})
    await engine.close()
    expect(await engine.ended).toEqual({ how: 'closed' })
    expect(world.children.map(({ exitCode }) => exitCode)).toEqual([0])
    expect(await engine.call('one', {})).toMatchObject({ ok: false, error: { code: 'interrupted' } })
  })

  it('is ended by force when closing takes too long', async () => {
    const { engine, world } = open('/slow', {}, 200)
    await engine.call('one', {})
    await engine.close()
    expect(world.children[0]?.signalCode).toBe('SIGTERM')
  })

  it('that dies fails the calls it owes, saying what is kept, and says so to the window', async () => {
    const { engine } = open()
    const owed = engine.call('hangs', {})
    const last = engine.call('dies', {})
    expect(await engine.ended).toEqual({ how: 'died', status: 7 })
    for (const outcome of await Promise.all([owed, last]))
      expect(outcome).toMatchObject({ ok: false, error: { code: 'interrupted', lost: /finished step is kept/ } })
  })

  it('that cannot start says why, without the text of what is not ours', async () => {
    const { engine, world } = open('/fails')
    expect(await engine.ended).toMatchObject({ how: 'failed', error: { code: 'internal' } })
    expect(world.seen.join()).not.toContain('a secret')
  })

  it('that says something else than the messages it knows is ended', async () => {
    const { engine } = open()
    await engine.call('one', {})
    void engine.call('rambles', {})
    expect(await engine.ended).toMatchObject({ how: 'died' })
  })
})

describe('making keys: one utility process for each tenant', () => {
  const generate = (input: object) => ['generates', input] as const

  it('every tenant has a process of its own, and the main process sees no key', async () => {
    const { engine, world } = open()
    const tenants = ['acme', 'globex', 'initech']
    const outcome = await engine.call(...generate({ tenants }))
    expect(outcome).toMatchObject({ ok: true })
    const value = (outcome as unknown as { value: { tenant: string; keys: { jwk: object }[]; generator: object }[] })
      .value
    expect(value.map(({ tenant }) => tenant).sort()).toEqual(tenants)
    expect(new Set(value.flatMap(({ keys }) => keys.map(({ jwk }) => JSON.stringify(jwk)))).size).toBe(6)
    expect(value[0]?.generator).toEqual({
      node: process.versions.node,
      openssl: process.versions.openssl,
      process: 'fresh',
    })
    const [, ...generators] = world.children
    expect(new Set(generators.map(({ pid }) => pid)).size).toBe(3)
    expect(generators.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    for (const { spawnargs } of generators) expect(spawnargs.join()).not.toMatch(/acme|globex|initech/)
    expect(world.seen.join()).toContain('start-generator')
    expect(world.seen.join()).not.toMatch(/pkcs8|specs/)
  })

  it.each<[string, string, RegExp, number?]>([
    ['ends at once', 'process.exit(9)', /status 9/],
    ['finds its random generator failing', `process.exit(${EXIT.outputCheck})`, /output sanity check/],
    ['ends well without an answer', 'process.exit(0)', /unreadable answer/],
    ['answers something else than bytes', answering("'text'"), /unreadable answer/],
    ['answers too much', answering('new Uint8Array(1 << 20)'), /more than its keys/],
    ['hangs', 'setInterval(() => {}, 1e3)', /did not finish within 2000 ms/, 2000],
  ])(
    'a process that %s fails the whole call and leaves nothing running',
    async (_, program, message, timeoutMs = 60_000) => {
      const { engine, world } = open('/home', { 'generate-child': script(program) })
      const outcome = await engine.call(...generate({ tenants: ['acme', 'globex'], timeoutMs }))
      expect(outcome).toMatchObject({
        ok: false,
        error: { code: 'generator-failed', message: expect.stringMatching(message) },
      })
      await allEnded(world.children.slice(1))
      expect(world.children[0]?.exitCode).toBe(null)
    },
  )

  it('when the engine dies, processes that make keys for it end too', async () => {
    const { engine, world } = open('/home', { 'generate-child': script('setInterval(() => {}, 1e3)') })
    void engine.call(...generate({ tenants: ['acme'] }))
    await expect.poll(() => world.children.length, { timeout: 30_000 }).toBe(2)
    void engine.call('dies', {})
    await engine.ended
    await allEnded(world.children)
  })
})
