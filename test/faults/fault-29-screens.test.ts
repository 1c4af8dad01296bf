import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Notice } from '../../shared/contract/contract.ts'
import { call } from '../app/table.ts'
import { answerAll, begin, explain, mustBeCalm, openRoom, type Room } from '../browser/table.ts'
import { type Genesis, makeGenesis, PASSPHRASES } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'
import { memoryOf } from './harness/page-memory.ts'

/**
 * Fault 29 at the screens: passphrases are typed into a real window, for coming in, for approvals and as a new one. After
 * that they are searched for, as texts and as lists of words, in what the page keeps, in the whole memory of its scripts,
 * in everything the app told it, in files (the browser's own and temporary ones too) and in what the process printed.
 */

// Argon2id is met elsewhere; what is looked for here does not depend on its cost.
vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))

let genesis: Genesis
let room: Room
const told: Notice[] = []
const printed: string[] = []
/** The new passphrase that was shown at the screen. */
let made = ''
/** Whether the search of the page's memory found it at that time. */
let heldWhileShown = false
const secrets = new Set<string>()

/** Names of files below a folder that hold one of the secrets. */
const filesWith = (folder: string): string[] =>
  filesIn(folder).filter((name) => found(readFileSync(join(folder, name), 'latin1')).length > 0)

/** Every file but the browser's program. One that is gone by now is none. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const file = statSync(join(folder, name), { throwIfNoEntry: false })
    return file?.isFile() && file.size < 64 * 1024 * 1024
  })

/** The secrets whose words stand there in their order, whatever is between them: spaces, quotes and commas, tags. */
const found = (text: string): string[] => [...secrets].filter((secret) => pattern(secret).test(text))
const pattern = (secret: string): RegExp => new RegExp(secret.split(' ').join('(?:<[^>]{0,80}>|[^A-Za-z<]){0,24}'))

// Everything temporary goes to a folder of this test: nothing of other programs is searched, and nothing is missed.
const usual = process.env['TMPDIR']
const scratch = mkdtempSync(join(tmpdir(), 'keyrite-fault-29-'))
process.env['TMPDIR'] = scratch

beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    vi.spyOn(stream, 'write').mockImplementation((chunk: string | Uint8Array) => {
      printed.push(String(chunk))
      return write(chunk)
    })
  }
  genesis = await makeGenesis()
  const { room: prepared, plan, present } = await new Story(genesis).ready('inventory')
  const now = prepared.clock.now
  room = await openRoom({ home: prepared.base, medium: prepared.media, app: { now, elapsed: now } })
  for (const [id, passphrase] of PASSPHRASES) {
    room.people.set(id, passphrase)
    secrets.add(passphrase)
  }
  room.app.subscribe((notice) => told.push(notice))
  try {
    const sit = (what: object) =>
      call(room.app, 'sit', { doing: 'hold', folder: prepared.vault, plan: JSON.stringify(what), overrides: [] })
    await sit(plan)
    await begin(room, present)
    expect(await answerAll(room)).toMatchObject({ phase: 'finished' })
    await call(room.app, 'rise', {})
    // A new passphrase, made at the screen, shown there, and typed.
    await sit({ kind: 'passphrase', person: 'ada' })
    await begin(room)
    const looked = await answerAll(room, async (question) => {
      if (question.ask !== 'secret' || question.stage !== 'show') return false
      await room.page.getByRole('main').locator('ol li').first().waitFor()
      heldWhileShown = (await memoryOf(room.page)).holds(question.generated)
      return false
    })
    expect(looked).toMatchObject({ phase: 'finished' })
    await call(room.app, 'rise', {})
    made = room.people.get('ada') ?? ''
    secrets.add(made)
    // And a wrong one, that is refused.
    secrets.add('a wrong passphrase that nobody has 5520')
    await sit({ kind: 'inventory' })
    room.people.set('ada', 'a wrong passphrase that nobody has 5520')
    await room.page.getByRole('heading', { level: 1 }).waitFor()
    const field = room.page.locator('input[type=password]')
    await field.fill('a wrong passphrase that nobody has 5520')
    await field.press('Enter')
    await room.page.getByText('does not open what is sealed').first().waitFor()
    await call(room.app, 'pause', { why: 'asked' })
  } catch (error) {
    await explain(room, 'fault-29', error)
  }
})

afterAll(async () => {
  vi.restoreAllMocks()
  await room?.close()
  genesis?.remove()
  if (usual === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = usual
  rmSync(scratch, { recursive: true, force: true })
})

describe('fault 29: a passphrase that was typed at the screen', () => {
  it('is not one that the test forgot to look for', () => {
    expect(secrets.size).toBe(PASSPHRASES.size + 2)
    expect(found([...secrets].join('\n'))).toHaveLength(secrets.size)
    expect(made).toMatch(/^(?:[a-z]+ ){5}[a-z]+$/)
    const words = [...secrets].map((secret) => secret.split(' '))
    for (const text of [
      JSON.stringify(words),
      JSON.stringify(JSON.stringify(words)),
      words.map((list) => list.join('')).join('\n'),
      words.map((list) => list.map((word) => `<li class="word">${word}</li>`).join('\n')).join(),
    ])
      expect(found(text)).toEqual([...secrets])
    expect(found(words.map((list) => list.toReversed().join(' ')).join('\n'))).toEqual([])
  })

  it('is in no storage of the page, no address and no cookie', async () => {
    const kept = await room.page.evaluate(async () =>
      JSON.stringify([
        { ...localStorage },
        { ...sessionStorage },
        await indexedDB.databases(),
        await caches.keys(),
        location.href,
        history.state,
        document.cookie,
      ]),
    )
    expect(found(kept)).toEqual([])
    expect(kept.length).toBeGreaterThan(20)
    expect(found(JSON.stringify(await room.page.context().cookies()))).toEqual([])
  })

  it('stands nowhere in the document: no field, no label, nothing that a screen reader says', async () => {
    const document = await room.page.evaluate(() =>
      [...globalThis.document.querySelectorAll('*')]
        .map(
          (node) =>
            `${node instanceof HTMLInputElement ? node.value : ''} ${[...node.attributes].map(({ value }) => value).join(' ')}`,
        )
        .concat(globalThis.document.body.textContent ?? '')
        .join('\n'),
    )
    expect(found(document)).toEqual([])
  })

  it('is not in the memory of the page’s scripts any more', async () => {
    // What is put there to be found is found: as a text, as a list, and as the elements of one.
    const control = ['zircon', 'umbra', 'yonder', 'quill', 'vortex', 'xylem']
    await room.page.evaluate((words) => {
      const elements = words.toReversed().map((children) => ({ type: 'li', props: { children } }))
      Object.assign(window, { keyriteControl: { text: words.join(), list: words.with(0, 'other'), elements } })
    }, control)
    expect(heldWhileShown).toBe(true)
    const memory = await memoryOf(room.page)
    expect(memory.strings.includes(control.join())).toBe(true)
    expect(memory.holds(control.with(0, 'other'))).toBe(true)
    expect(memory.holds(control.toReversed())).toBe(true)
    expect(memory.holds(control)).toBe(false)

    expect(found(memory.strings)).toEqual([])
    expect([...secrets].filter((secret) => memory.holds(secret.split(' ')))).toEqual([])
  })

  it('is in nothing that the app told the window, but for a new one while its owner looked at it', () => {
    const shown = told.filter((notice) => notice.tell === 'sitting' && notice.sitting?.question?.ask === 'secret')
    expect(shown.length).toBeGreaterThan(0)
    expect(found(JSON.stringify(told.filter((notice) => !shown.includes(notice))))).toEqual([])
    expect(found(JSON.stringify(shown))).toEqual([made])
  })

  it('is in no file of vault, medium and records, none of the browser and no temporary one, and was not printed', () => {
    expect(genesis.base.startsWith(scratch)).toBe(true)
    expect(filesIn(scratch).some((name) => name.includes('playwright'))).toBe(true)
    const planted = join(scratch, 'planted.json')
    writeFileSync(planted, JSON.stringify({ kept: made.split(' ') }))
    expect(filesWith(scratch)).toEqual(['planted.json'])
    rmSync(planted)
    expect(found(printed.join(''))).toEqual([])
  })

  it('and nothing on the way broke a rule of the page', () => mustBeCalm(room))
})
