import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import { call } from '../app/table.ts'
import { choose, tabTo, type } from './keyboard.ts'
import { faultsOf, SIZES } from './look.ts'
import { mustBeCalm, openRoom, type Room, type RoomOptions } from './table.ts'

/** Somebody who opens a vault to look at it, by keyboard, and goes from screen to screen. */

/** A ready practice vault behind a window, not opened yet. Two pixels for one, as at a zoom of 200 %. */
export const openPractice = (options: RoomOptions = {}): Promise<Room> =>
  openRoom({ practice: true, page: { viewport: SIZES.wide, deviceScaleFactor: 2 }, ...options })

/** Opens the vault at hand with one person's passphrase. */
export async function openVault(room: Room, name: string, passphrase: string): Promise<void> {
  const { opening } = text.home
  await choose(room.page, new RegExp(opening.who), name)
  await type(room.page, opening.passphrase(name), passphrase)
  await room.page.getByText(text.app.viewing.title).first().waitFor({ state: 'attached' })
}

/** Opens the practice vault as its first person. Gives that person's name. */
export async function lookAround(room: Room): Promise<string> {
  const [person] = (await call(room.app, 'hello', {})).practice?.people ?? []
  if (!person) throw new Error('Nobody practises here.')
  await openVault(room, person.name, person.passphrase)
  return person.name
}

export const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name, exact: typeof name === 'string' })

/** Goes to a screen by the navigation; its heading has the focus then. */
export async function goTo(page: Page, screen: keyof typeof text.app.screens, title: string | RegExp): Promise<void> {
  const navigation = page.getByRole('navigation', { name: text.app.navigation })
  await tabTo(page, navigation.getByRole('button', { name: text.app.screens[screen], exact: true }))
  await page.keyboard.press('Enter')
  await heading(page, title).and(page.locator(':focus')).waitFor()
}

/** In both schemes and at both sizes: nothing axe finds, nothing cut off, a picture for people. */
export async function mustLookRight(room: Room, name: string): Promise<void> {
  expect(await faultsOf(room.page, name)).toEqual([])
  mustBeCalm(room)
}
