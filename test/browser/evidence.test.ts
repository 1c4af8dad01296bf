import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import { call } from '../app/table.ts'
import { choose, press, tabTo } from './keyboard.ts'
import { goTo, lookAround, mustLookRight, openPractice } from './looking.ts'
import { mustBeCalm, type Room } from './table.ts'

/** desktop.md, "Evidence": the audit pack, the isolation matrix, the control mapping. A real vault, keyboard alone. */

const words = text.evidence

let room: Room
beforeAll(async () => {
  room = await openPractice()
  await lookAround(room)
  await goTo(room.page, 'evidence', words.title)
})
afterAll(() => room?.close())

/** Tabs are one stop: arrow keys move between them. */
async function tab(name: string): Promise<void> {
  await tabTo(room.page, room.page.getByRole('tab', { selected: true }))
  for (let moves = 0; moves < 3; moves++) {
    const now = room.page.getByRole('tab', { name, selected: true })
    if ((await now.count()) === 1) return
    await room.page.keyboard.press('ArrowRight')
  }
  throw new Error(`No tab ${name}.`)
}

describe('isolation', () => {
  it('says what no two tenants share, and what was compared', async () => {
    const { tenants, shared, checked } = await call(room.app, 'isolation', {})
    expect(shared).toEqual([])
    await room.page.getByText(words.isolation.apart(tenants.length)).first().waitFor()
    for (const sentence of checked) await room.page.getByText(sentence).waitFor()
    for (const { issuer } of tenants) await room.page.getByText(issuer, { exact: true }).waitFor()
    await mustLookRight(room, 'evidence-isolation')
  })
})

describe('controls', () => {
  it('says of each requirement how far this vault shows it', async () => {
    const { controls } = await call(room.app, 'controls', {})
    await tab(words.tabs.controls)
    await room.page.getByRole('rowheader').first().waitFor()
    expect(await room.page.getByRole('rowheader').count()).toBe(controls.length)
    const framework = controls[0]?.framework ?? ''
    await choose(room.page, new RegExp(words.controls.framework), framework)
    const expected = controls.filter((control) => control.framework === framework).length
    await expect.poll(() => room.page.getByRole('rowheader').count()).toBe(expected)
    await mustLookRight(room, 'evidence-controls')
  })
})

describe('the audit pack', () => {
  it('verifies the whole vault', async () => {
    await tab(words.tabs.pack)
    await press(room.page, words.pack.verify)
    await room.page.getByText(words.pack.whole).waitFor()
  })

  it('builds the pack, says what it does not hold, and verifies it', async () => {
    await press(room.page, words.pack.build)
    const notice = room.page.getByRole('status').filter({ hasText: 'The audit pack is built' })
    await notice.waitFor()
    await room.page.getByText(words.pack.missing, { exact: true }).waitFor()
    const folder = await notice.locator('code').innerText()
    expect(existsSync(join(folder, 'evidence.json'))).toBe(true)
    for (const { passphrase } of (await call(room.app, 'hello', {})).practice?.people ?? [])
      expect(readFileSync(join(folder, 'evidence.json'), 'utf8')).not.toContain(passphrase)
    await press(room.page, words.pack.verifyIt)
    await room.page.getByText(/checked, nothing fails$/).waitFor()
    await mustLookRight(room, 'evidence-pack')
    mustBeCalm(room)
  })
})
