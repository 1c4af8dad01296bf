import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { text } from '../../renderer/text/index.ts'
import { CEREMONY_KINDS, type CeremonyKind } from '../../shared/domain/events.ts'
import { SCRIPTS } from '../../shared/domain/script.ts'
import { call } from '../app/table.ts'
import { filesOf, type Genesis, makeGenesis, PASSPHRASES } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'
import { launchBrowser } from './browser.ts'
import { answerAll, begin, explain, mustBeCalm, openRoom } from './table.ts'

/** desktop.md, "keyboard only": every kind of ceremony is held at the window, from who is here to a signed record that verifies. */

// Argon2id is met in sitting.test.ts; here it would only be waited for, some hundred times.
vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

let genesis: Genesis
let story: Story
let browser: Browser

beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  genesis?.remove()
})

/** What people are asked in these kinds, beyond what every ceremony asks. */
const ASKED: Partial<Record<CeremonyKind, string>> = {
  genesis: 'secret',
  passphrase: 'secret',
  'enroll-runtime': 'compare',
  'export-key': 'compare',
  'root-rotate': 'compare',
  destroy: 'confirm',
}

describe.each(CEREMONY_KINDS)('%s', (kind) => {
  it('is held by keyboard alone, to its signed record', async () => {
    const { room, plan, present } = await story.ready(kind)
    mkdirSync(room.media, { recursive: true })
    const now = room.clock.now
    const table = await openRoom({ home: room.base, medium: room.media, app: { now, elapsed: now }, browser })
    if (kind !== 'genesis') for (const [id, passphrase] of PASSPHRASES) table.people.set(id, passphrase)
    try {
      const folder = kind === 'genesis' ? null : room.vault
      await call(table.app, 'sit', { doing: 'hold', folder, plan: JSON.stringify(plan), overrides: [] })
      await begin(table, present)
      const asked = new Set<string>()
      const sitting = await answerAll(table, (question) => {
        asked.add(question.ask)
        if (question.ask === 'begin') room.clock.advance(60)
        return false
      })
      expect(sitting.problem).toBeNull()
      expect(sitting).toMatchObject({ phase: 'finished', kind })
      expect(sitting.steps.map(({ status }) => status)).toEqual([...SCRIPTS[kind], 'sign-off'].map(() => 'done'))
      expect(asked).toContain(ASKED[kind] ?? 'begin')
      // A new root is followed from the old one by the succession that both signed.
      const carried = filesOf(room.media).map((name) => join(room.media, name))
      const anchor = carried.find((path) => basename(path).startsWith('trust-anchor-')) ?? ''
      const successions = carried.filter((path) => basename(path).startsWith('succession-'))
      const { files } = await verifyFiles([sitting.result?.record ?? '', ...successions], anchor, room.clock.now())
      expect(files.length).toBeGreaterThan(5)
      expect(files.filter(({ standing }) => standing === 'failed')).toEqual([])
      const title = text.sitting.finished.title(sitting.result?.ceremony ?? '')
      const heading = table.page.getByRole('heading', { name: title })
      await heading.waitFor()
      expect(await heading.evaluate((node) => node === document.activeElement)).toBe(true)
      mustBeCalm(table)
    } catch (error) {
      await explain(table, `sitting-${kind}`, error)
    } finally {
      await table.close()
    }
  })
})
