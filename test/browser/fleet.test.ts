import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import { call } from '../app/table.ts'
import { type Fleet, makeFleet, openFleet, schedules, scrolledFrames, TENANTS } from './fleet.ts'
import { choose, type } from './keyboard.ts'
import { heading, mustLookRight } from './looking.ts'
import type { Room } from './table.ts'

/** Home with a thousand tenants: only what is seen is drawn, everything is found, nothing waits. */

const words = text.home

let fleet: Fleet
let room: Room
beforeAll(async () => {
  fleet = await makeFleet()
  room = await openFleet(fleet)
}, 240_000)
afterAll(async () => {
  await room?.close()
  fleet?.remove()
})

const rows = () => schedules(room.page).getByRole('row').count()

describe('a thousand tenants', () => {
  it('are counted in the headline and in the list, those without a key for their policy first', async () => {
    const { tenants, attention } = await call(room.app, 'overview', {})
    expect(tenants.length).toBeGreaterThanOrEqual(TENANTS)
    // They were filled with ES256 keys, and their policy wants RS256: Home must not call that all right.
    const silent = attention.find(({ what }) => what === 'no-key')?.count ?? 0
    expect(silent).toBe(TENANTS)
    const said = words.headline.silent(silent, tenants.length)
    await heading(room.page, new RegExp(said.replaceAll('.', '\\.'))).waitFor()
    await room.page.getByText(words.shown(tenants.length, tenants.length)).waitFor()
  })

  it('are drawn only where they are seen', async () => {
    expect(await rows()).toBeLessThan(40)
    const frames = await scrolledFrames(room.page, 60, 400)
    expect(frames).toHaveLength(59)
    expect(await schedules(room.page).evaluate((list) => list.scrollTop)).toBeGreaterThan(20_000)
    await expect.poll(rows).toBeGreaterThan(3)
    expect(await rows()).toBeLessThan(40)
    await mustLookRight(room, 'home-fleet')
  })

  it('are reached by keyboard: the last one with End', async () => {
    const inside = () => schedules(room.page).evaluate((list) => list.contains(document.activeElement))
    await room.page.getByLabel(words.find, { exact: true }).focus()
    for (let tabs = 0; tabs < 4 && !(await inside()); tabs++) await room.page.keyboard.press('Tab')
    expect(await inside()).toBe(true)
    await room.page.keyboard.press('End')
    const last = schedules(room.page).getByRole('row').and(room.page.locator(':focus'))
    await expect.poll(() => last.count()).toBe(1)
    expect(await schedules(room.page).evaluate((list) => list.scrollTop)).toBeGreaterThan(60_000)
  })

  it('are found by name, and by what they need', async () => {
    await type(room.page, words.find, 'tenant-777')
    await expect.poll(rows).toBe(1)
    await type(room.page, words.find, 'no such tenant')
    await room.page.getByText(words.noneFound).first().waitFor()
    await type(room.page, words.find, ' ')
    await choose(room.page, new RegExp(words.show), words.filters.reserved)
    await room.page.getByText(words.noneFound).first().waitFor()
  })
})
