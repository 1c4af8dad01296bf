import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import type { Check } from '../../shared/contract/machine.ts'
import { call } from '../app/table.ts'
import { launchBrowser } from './browser.ts'
import { press, tabTo } from './keyboard.ts'
import { faultsOf } from './look.ts'
import { mustBeCalm, openRoom, type Room } from './table.ts'

/** desktop.md, "Readiness": each check passes or says why not and how to fix it; a reason goes into the record. */

const words = text.readiness
const INVENTORY = JSON.stringify({ kind: 'inventory' })
const GENESIS = JSON.stringify({
  kind: 'genesis',
  vault: 'Lakeside',
  practice: false,
  threshold: 2,
  people: [
    ...['Ada Lovelace', 'Blaise Pascal', 'Clara Immerwahr'].map((name, index) => ({
      id: `c${index}`,
      name,
      role: 'custodian',
    })),
    { id: 'emmy', name: 'Emmy Noether', role: 'compliance' },
    { id: 'grace', name: 'Grace Hopper', role: 'administrator' },
  ],
})

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

const heading = (page: Page, name: string | RegExp): Promise<void> =>
  page.getByRole('heading', { level: 1, name }).waitFor()
const actOf = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true })

/** From the plan file on the medium to its readiness. */
async function comeFrom(room: Room, plan: string): Promise<void> {
  const { page, app } = room
  const { chosen } = await call(app, 'media', {})
  writeFileSync(join(chosen ?? '', 'plan.json'), plan)
  await page.reload()
  await press(page, text.app.screens.transfer)
  await press(page, text.transfer.files.openNamed('plan.json'))
  await press(page, text.transfer.file.plan)
  await press(page, text.plan.review.start)
  await heading(page, /needs? a decision|ready/)
}

const openOf = async ({ app }: Room): Promise<Check[]> => {
  const { checks } = await call(app, 'readiness', {})
  return checks.filter(({ state }) => state !== 'pass')
}

describe('before a production ceremony', () => {
  let room: Room
  let up: string[] = ['wlan0']
  beforeAll(async () => {
    room = await openRoom({ browser, app: { networks: () => up } })
    await comeFrom(room, GENESIS)
  })
  afterAll(() => room?.close())

  it('says of every check what was found, and of each that does not pass why it matters and what to do', async () => {
    const { page, app } = room
    const { checks } = await call(app, 'readiness', {})
    const main = await page.getByRole('main').innerText()
    const withoutNumbers = (text: string) => text.replace(/\d+(?:[.,]\d+)*/g, '#')
    for (const { state, title, found, why, fix } of checks) {
      expect(main).toContain(title)
      // The fingerprint of the app stands in rows of its own; how much space is free changes from one look to the next.
      if (!found.includes('SHA-256')) expect(withoutNumbers(main)).toContain(withoutNumbers(found))
      for (const said of [why, fix]) if (said) expect(main.includes(said)).toBe(state !== 'pass')
    }
    expect(main).toContain('One network interface is up: wlan0.')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1')
  })

  it('waits for a reason for each of them, and a letter or two are none', async () => {
    const { page } = room
    const open = await openOf(room)
    expect(await actOf(page, words.go.hold).isDisabled()).toBe(true)
    await page.getByText(words.waits(open.length)).waitFor()
    expect(await faultsOf(page, 'readiness-open')).toEqual([])
    const fields = page.getByRole('main').getByRole('textbox')
    expect(await fields.count()).toBe(open.length)
    await tabTo(page, fields.first())
    await page.keyboard.type('no')
    await page.getByText(words.reason.short).waitFor()
    expect(await page.getByText(words.waits(open.length)).isVisible()).toBe(true)
    await page.keyboard.type('t now')
    await page.getByText(words.reason.given).waitFor()
    await page.getByText(words.waits(open.length - 1)).waitFor()
  })

  it('looks again when a network goes down, and keeps what was written', async () => {
    const { page } = room
    const before = await openOf(room)
    up = []
    await page.getByText('No network interface is up.').waitFor({ timeout: 15_000 })
    const open = await openOf(room)
    expect(before.length - open.length).toBe(1)
    await page.getByText(words.waits(open.length)).waitFor()
    await press(page, words.again)
    await page.getByText(words.waits(open.length)).waitFor()
  })

  it('goes on with every reason, word for word', async () => {
    const { page, app } = room
    const fields = page.getByRole('main').getByRole('textbox')
    const open = await openOf(room)
    for (const [index, { id }] of open.entries()) {
      await tabTo(page, fields.nth(index))
      await page.keyboard.type(`We looked at ${id} ourselves`)
    }
    expect(await faultsOf(page, 'readiness-decided')).toEqual([])
    await press(page, words.go.hold)
    await expect.poll(async () => (await call(app, 'sitting', {}))?.phase, { timeout: 20_000 }).toBe('gathering')
    const sitting = await call(app, 'sitting', {})
    expect(sitting).toMatchObject({ practice: false, kind: 'genesis', noted: open.length })
    mustBeCalm(room)
  })
})

describe('before a practice ceremony', () => {
  it('warns, and holds nobody up; back leads to the plan', async () => {
    const room = await openRoom({ browser, practice: true, app: { networks: () => ['eth0'] } })
    try {
      const { page, app } = room
      const { practice } = await call(app, 'hello', {})
      const [one] = practice?.people ?? []
      const folder = practice?.folder ?? ''
      await call(app, 'openVault', { folder, person: one?.id ?? '', passphrase: one?.passphrase ?? '' })
      await comeFrom(room, INVENTORY)
      await page.getByText(words.lead.practice).waitFor()
      expect(await faultsOf(page, 'readiness-practice')).toEqual([])
      await press(page, words.back)
      await press(page, text.plan.review.start)
      await heading(page, /needs? a decision/)
      await press(page, words.go.hold)
      await expect.poll(async () => (await call(app, 'sitting', {}))?.phase, { timeout: 20_000 }).toBe('gathering')
      mustBeCalm(room)
    } finally {
      await room.close()
    }
  })
})
