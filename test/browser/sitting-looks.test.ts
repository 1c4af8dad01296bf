import { mkdirSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import type { Question } from '../../shared/contract/sitting.ts'
import { call } from '../app/table.ts'
import { type Genesis, makeGenesis, PASSPHRASES } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'
import { launchBrowser } from './browser.ts'
import { press } from './keyboard.ts'
import { faultsOf } from './look.ts'
import { answerAll, begin, comeIn, explain, mustBeCalm, openRoom, sittingOf } from './table.ts'

/** Every view of a ceremony, in both schemes, wide and at 200 %: readable by everybody, and nothing cut off. */

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

/** What a question looks like: the same view again is not looked at twice. */
function viewOf(question: Question): string {
  if (question.ask === 'secret') return `secret-${question.stage}`
  if (question.ask === 'approve') return question.approved.length === 1 ? 'approve' : ''
  if (question.ask === 'compare')
    return question.reader === null ? 'compare' : question.typed.length === 1 ? 'heard' : ''
  if (question.ask === 'confirm') return question.typed.length === 1 ? 'confirm' : ''
  return question.ask
}

describe.each(['genesis', 'enroll-runtime', 'destroy'] as const)('%s', (kind) => {
  it('has no view that somebody cannot use', { timeout: 600_000 }, async () => {
    const { room, plan, present } = await story.ready(kind)
    mkdirSync(room.media, { recursive: true })
    const now = room.clock.now
    const table = await openRoom({ home: room.base, medium: room.media, app: { now, elapsed: now }, browser })
    if (kind !== 'genesis') for (const [id, passphrase] of PASSPHRASES) table.people.set(id, passphrase)
    const faults: string[] = []
    const looked = new Set<string>()
    const look = async (view: string) => {
      if (view === '' || looked.has(view)) return
      looked.add(view)
      await table.page.getByRole('heading', { level: 1 }).waitFor()
      faults.push(...(await faultsOf(table.page, `sitting-${kind}-${view}`)))
    }
    try {
      const folder = kind === 'genesis' ? null : room.vault
      await call(table.app, 'sit', { doing: 'hold', folder, plan: JSON.stringify(plan), overrides: [] })
      await comeIn(table, present.slice(0, 2))
      await look('gathering')
      await begin(table, present)
      await answerAll(table, async (question, { phase }) => {
        if (phase === 'running') await look(viewOf(question))
        return false
      })
      await table.page.getByRole('button', { name: text.sitting.over.toHome }).waitFor()
      await look('finished')
      expect((await sittingOf(table.app)).phase).toBe('finished')
      expect(faults).toEqual([])
      mustBeCalm(table)
    } catch (error) {
      await explain(table, `looks-${kind}`, error)
    } finally {
      await table.close()
    }
  })
})

it('has no dialog that somebody cannot use', async () => {
  const { room, plan, present } = await story.ready('onboard')
  const now = room.clock.now
  const table = await openRoom({ home: room.base, medium: room.media, app: { now, elapsed: now }, browser })
  for (const [id, passphrase] of PASSPHRASES) table.people.set(id, passphrase)
  const { page } = table
  try {
    await call(table.app, 'sit', { doing: 'hold', folder: room.vault, plan: JSON.stringify(plan), overrides: [] })
    await begin(table, present)
    const faults: string[] = []
    for (const way of ['note', 'pause', 'close'] as const) {
      await press(page, text.sitting.foot[way])
      await page.getByRole('dialog').waitFor()
      faults.push(...(await faultsOf(page, `sitting-${way}`)))
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
    }
    expect(faults).toEqual([])
    mustBeCalm(table)
  } catch (error) {
    await explain(table, 'looks-dialogs', error)
  } finally {
    await table.close()
  }
})
