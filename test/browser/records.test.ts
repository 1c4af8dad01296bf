import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import type { RecordRow } from '../../shared/contract/records.ts'
import { call } from '../app/table.ts'
import { choose, press, tabTo, type } from './keyboard.ts'
import { goTo, heading, lookAround, mustLookRight, openPractice } from './looking.ts'
import { mustBeCalm, type Room } from './table.ts'

/** desktop.md, "Records": search, playback of a ceremony, print, export, verify. A real vault, keyboard alone. */

const words = text.records

let room: Room
let rows: RecordRow[]
beforeAll(async () => {
  room = await openPractice()
  await lookAround(room)
  rows = (await call(room.app, 'records', {})).records
})
afterAll(() => room?.close())

const row = (ceremony: string) => room.page.getByRole('row').filter({ hasText: ceremony })
const titleOf = ({ kind, ceremony }: RecordRow): string => `${text.app.kinds[kind]} ${ceremony}`

/** The newest of the records with a folder on this machine. */
function newest(): RecordRow {
  const found = rows
    .filter(({ folder }) => folder !== null)
    .toSorted((one, other) => other.startedAt - one.startedAt)[0]
  if (!found) throw new Error('The practice vault has no record.')
  return found
}

async function open(wanted: RecordRow): Promise<void> {
  await goTo(room.page, 'records', words.title)
  await type(room.page, words.find, wanted.ceremony)
  await tabTo(room.page, row(wanted.ceremony))
  await room.page.keyboard.press('Enter')
  await heading(room.page, titleOf(wanted)).waitFor()
}

describe('the list', () => {
  it('shows every ceremony, newest first, and looks right', async () => {
    await goTo(room.page, 'records', words.title)
    const shown = await room.page.getByRole('row').allInnerTexts()
    const expected = rows.toSorted((one, other) => other.startedAt - one.startedAt).map(({ ceremony }) => ceremony)
    expect(shown.map((said) => said.split('\n')[0])).toEqual(expected)
    await mustLookRight(room, 'records')
  })

  it('finds by number, by person and by kind', async () => {
    const [one] = rows
    await type(room.page, words.find, one?.ceremony ?? '')
    await expect.poll(() => room.page.getByRole('row').count()).toBe(1)
    await type(room.page, words.find, 'nobody of that name')
    await room.page.getByText(words.none).waitFor()
    await type(room.page, words.find, ' ')
    const kind = text.app.kinds[one?.kind ?? 'genesis']
    await choose(room.page, new RegExp(words.kind), kind)
    const expected = rows.filter((known) => known.kind === one?.kind).length
    await expect.poll(() => room.page.getByRole('row').count()).toBe(expected)
  })
})

describe('one record', () => {
  it('plays the ceremony back, moment by moment', async () => {
    const wanted = newest()
    await open(wanted)
    const { moments } = await call(room.app, 'record', { ceremony: wanted.ceremony })
    const slider = room.page.getByRole('slider')
    await tabTo(room.page, slider)
    for (const [index, { title }] of moments.slice(0, 4).entries()) {
      await room.page
        .getByText(text.playback.step(index + 1, title))
        .first()
        .waitFor()
      await room.page.keyboard.press('ArrowRight')
    }
    await room.page.keyboard.press('End')
    await room.page
      .getByText(text.playback.step(moments.length, moments.at(-1)?.title ?? ''))
      .first()
      .waitFor()
    await mustLookRight(room, 'record')
  })

  it('says who signed, and whether they agree', async () => {
    const { signed } = await call(room.app, 'record', { ceremony: newest().ceremony })
    expect(signed.length).toBeGreaterThan(0)
    const table = room.page.getByRole('region', { name: words.signed })
    for (const { person } of signed) await table.getByRole('rowheader', { name: person.name }).waitFor()
    expect(await table.getByText(words.agrees, { exact: true }).count()).toBe(
      signed.filter(({ agrees }) => agrees).length,
    )
  })

  it('opens a page of the record for printing, in a tab without scripts', async () => {
    const { files } = await call(room.app, 'record', { ceremony: newest().ceremony })
    const page = files.find((file) => file.page)
    expect(page).toBeDefined()
    const opened = room.page.context().waitForEvent('page')
    await press(room.page, words.printOf(page?.title ?? ''))
    const printed = await opened
    await printed.waitForLoadState()
    expect(await printed.locator('body').innerText()).toContain(newest().ceremony)
    expect(await printed.locator('script').count()).toBe(0)
    await printed.close()
  })

  it('copies the record folder to the medium, and says so only then', async () => {
    await press(room.page, words.exportIt)
    await room.page.getByText(/^Copied and read back/).waitFor()
    const { folder } = await call(room.app, 'files', {})
    const made = readdirSync(folder).find((name) => name.includes(newest().ceremony))
    expect(made).toBeDefined()
    await press(room.page, words.exportIt)
    await room.page.getByRole('alert').filter({ hasText: 'file-exists' }).first().waitFor()
  })

  it('verifies it from the trust anchor', async () => {
    await press(room.page, words.verify)
    await room.page.getByText(/checked, nothing fails$/).waitFor()
    const { files } = await call(room.app, 'verify', { what: { ceremony: newest().ceremony }, anchor: null })
    expect(await room.page.getByRole('region', { name: words.verification.found }).getByRole('rowheader').count()).toBe(
      files.length,
    )
    await mustLookRight(room, 'record-verified')
  })
})

describe('a record whose folder is gone', () => {
  it('is written again from the vault, and verifies like before', async () => {
    const oldest = rows.toSorted((one, other) => one.startedAt - other.startedAt)[0] ?? newest()
    rmSync(oldest.folder ?? '', { recursive: true })
    await open(oldest)
    await room.page.getByText(words.noFolder).waitFor()
    await press(room.page, words.writeAgain)
    await room.page.getByRole('button', { name: words.verify }).waitFor()
    const { failed } = await call(room.app, 'verify', { what: { ceremony: oldest.ceremony }, anchor: null })
    expect(failed).toBe(0)
  })
})

describe('a record from elsewhere', () => {
  it('names the file that was changed by one byte', async () => {
    const { folder } = await call(room.app, 'files', {})
    const copy = readdirSync(folder).find((name) => name === `record-${newest().ceremony}`) ?? ''
    const file = readdirSync(join(folder, copy)).find((name) => name.endsWith('.html')) ?? ''
    const path = join(folder, copy, file)
    writeFileSync(path, readFileSync(path, 'utf8').replace(newest().ceremony, newest().ceremony.replace('-2', '-3')))
    await goTo(room.page, 'records', words.title)
    await press(room.page, words.verifyOther)
    await heading(room.page, words.verification.title).waitFor()
    await type(room.page, words.verification.path, join(folder, copy))
    await room.page
      .getByRole('alert')
      .filter({ hasText: /files fails?/ })
      .first()
      .waitFor()
    const wrong = room.page.getByRole('row').filter({ hasText: words.verification.standing.failed })
    expect(await wrong.first().innerText()).toContain(file)
    await mustLookRight(room, 'verify-failed')
  })

  it('asks for what is missing, and says what it cannot read', async () => {
    await type(room.page, words.verification.path, ' ')
    await room.page.getByText(words.verification.missing).waitFor()
    await type(room.page, words.verification.path, '/nowhere/at/all')
    await room.page.getByRole('alert').filter({ hasText: '/nowhere/at/all' }).first().waitFor()
    mustBeCalm(room)
  })

  it('works without a vault, with a trust anchor that somebody chooses', async () => {
    await press(room.page, text.app.viewing.close)
    await goTo(room.page, 'verify', words.verification.title)
    await type(room.page, words.verification.path, '/tmp')
    await room.page.getByText(words.verification.missing).waitFor()
    await mustLookRight(room, 'verify')
  })
})
