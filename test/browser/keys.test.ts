import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import type { KeyRow } from '../../shared/contract/records.ts'
import { call } from '../app/table.ts'
import { choose, press, tabTo, type } from './keyboard.ts'
import { goTo, heading, lookAround, mustLookRight, openPractice } from './looking.ts'
import { mustBeCalm, type Room } from './table.ts'

/** desktop.md, "Records and inventory": the key inventory with NIST states, and the copy ledger. Keyboard alone. */

const words = text.keys

let room: Room
let keys: KeyRow[]
beforeAll(async () => {
  room = await openPractice()
  await lookAround(room)
  keys = (await call(room.app, 'keys', {})).keys
})
afterAll(() => room?.close())

/** The list draws only what is seen, so how many there are is read where everybody reads it. */
const counted = (shown: number) =>
  room.page
    .getByRole('status')
    .filter({ hasText: words.shown(shown, keys.length) })
    .waitFor()

async function open(key: KeyRow): Promise<void> {
  await goTo(room.page, 'keys', words.title)
  await type(room.page, words.find, key.kid)
  await tabTo(room.page, room.page.getByRole('row').filter({ hasText: key.label }))
  await room.page.keyboard.press('Enter')
  await heading(room.page, key.label).waitFor()
}

const one = (which: (key: KeyRow) => boolean): KeyRow => {
  const found = keys.find(which)
  if (!found) throw new Error('The practice vault has no such key.')
  return found
}

describe('the inventory', () => {
  it('lists every key with phase, NIST state and open copies', async () => {
    await goTo(room.page, 'keys', words.title)
    await counted(keys.length)
    const first = one(() => true)
    const row = room.page.getByRole('row').filter({ hasText: first.label }).first()
    expect(await row.innerText()).toContain(first.state)
    await mustLookRight(room, 'keys')
  })

  it.each([
    ['destroyed', (key: KeyRow) => key.destroyedAt !== null],
    ['copies', (key: KeyRow) => key.openCopies > 0],
    ['live', (key: KeyRow) => key.destroyedAt === null],
  ] as const)('shows only: %s', async (filter, passes) => {
    await choose(room.page, new RegExp(words.show), words.filters[filter])
    await counted(keys.filter(passes).length)
  })

  it('finds by name, tenant and id, and says when nothing matches', async () => {
    await choose(room.page, new RegExp(words.show), words.filters.all)
    await type(room.page, words.find, keys[0]?.kid ?? '')
    await counted(1)
    await type(room.page, words.find, 'no such key')
    await room.page.getByText(words.none).waitFor()
  })
})

describe('one key', () => {
  it('shows its life and every known copy', async () => {
    const key = one(({ destroyedAt, copies }) => destroyedAt === null && copies.length > 1)
    await open(key)
    await room.page.getByText(key.kid, { exact: true }).waitFor()
    const ledger = room.page.getByRole('region', { name: words.copies })
    expect(await ledger.getByRole('rowheader').count()).toBe(key.copies.length)
    await mustLookRight(room, 'key')
  })

  it('names the certificate of a destroyed key by what was proved', async () => {
    const key = one(({ certificate }) => certificate !== null)
    await open(key)
    const { grade, id } = key.certificate ?? { grade: 'deletion', id: '' }
    await room.page.getByText(words.certificate[grade](id)).waitFor()
    expect(await room.page.getByRole('button', { name: words.destroy }).count()).toBe(0)
  })

  it('opens its page for printing', async () => {
    const opened = room.page.context().waitForEvent('page')
    await press(room.page, words.print)
    const printed = await opened
    await printed.waitForLoadState()
    expect(await printed.locator('body').innerText()).toContain(one(({ certificate }) => certificate !== null).label)
    await printed.close()
  })

  it('leads to the plan of its destruction', async () => {
    await open(one(({ destroyedAt, phase }) => destroyedAt === null && phase === 'removed'))
    await press(room.page, words.destroy)
    await heading(room.page, text.plan.kinds.destroy.title).waitFor()
    mustBeCalm(room)
  })
})
