import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Notice } from '../../shared/contract/contract.ts'
import { call } from '../app/table.ts'
import { answerAll, begin, explain, mustBeCalm, openRoom, type Room } from '../browser/table.ts'
import { type Genesis, makeGenesis, PASSPHRASES } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'

/**
 * Fault 29 at the screens: passphrases are typed into a real window, for coming in, for approvals and as a new one. After
 * that they are searched for in what the page keeps, in the whole memory of its scripts, in everything the app told it, in
 * its files and in what the process printed.
 */

// Argon2id is met elsewhere; what is looked for here does not depend on its cost.
vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))

let genesis: Genesis
let room: Room
const told: Notice[] = []
const printed: string[] = []
const secrets = new Set<string>()

/** Everything that a script of the page can still reach, and what was not collected yet. */
async function memoryOf(page: Page): Promise<string> {
  const session: CDPSession = await page.context().newCDPSession(page)
  const chunks: string[] = []
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk))
  await session.send('HeapProfiler.enable')
  await session.send('HeapProfiler.collectGarbage')
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
  await session.detach()
  return chunks.join('')
}

/** Names of files below a folder that hold one of the secrets. */
const filesWith = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name)
    return statSync(path).isFile() && found(readFileSync(path, 'latin1')).length > 0
  })

const found = (text: string): string[] => [...secrets].filter((secret) => text.includes(secret))

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
    expect(await answerAll(room)).toMatchObject({ phase: 'finished' })
    await call(room.app, 'rise', {})
    secrets.add(room.people.get('ada') ?? '')
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
})

describe('fault 29: a passphrase that was typed at the screen', () => {
  it('is not one that the test forgot to look for', () => {
    expect(secrets.size).toBe(PASSPHRASES.size + 2)
    expect(found([...secrets].join('\n'))).toHaveLength(secrets.size)
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
    const memory = await memoryOf(room.page)
    // The snapshot holds strings: one that must be there is.
    expect(memory).toContain('Keyrite')
    expect(found(memory)).toEqual([])
  })

  it('is in nothing that the app told the window, but for a new one while its owner looked at it', () => {
    const shown = told.filter((notice) => notice.tell === 'sitting' && notice.sitting?.question?.ask === 'secret')
    expect(shown.length).toBeGreaterThan(0)
    expect(found(JSON.stringify(told.filter((notice) => !shown.includes(notice))))).toEqual([])
    const made = new Set(found(JSON.stringify(shown)))
    expect([...made].every((secret) => secret === room.people.get('ada'))).toBe(true)
  })

  it('is in no file of vault, medium and records, and was not printed', () => {
    expect(filesWith(genesis.base)).toEqual([])
    expect(found(printed.join(''))).toEqual([])
  })

  it('and nothing on the way broke a rule of the page', () => mustBeCalm(room))
})
