import { dirname } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { filledVault } from '../../bench/vault.ts'
import { text } from '../../renderer/text/index.ts'
import { call } from '../app/table.ts'
import { CREATED, PASSPHRASES } from '../vault/practice.ts'
import { choose, type } from './keyboard.ts'
import { openRoom, type Room } from './table.ts'

/** A real vault of a thousand tenants with four keys each, behind a real window. */

export const TENANTS = 1000
/** Events that `filledVault` makes so many tenants of. */
const EVENTS = TENANTS * 10
/** Forty days into the life of every key. */
const NOW = CREATED + 40 * 86_400

export type Fleet = { home: string; now: () => number; remove: () => void }

export async function makeFleet(): Promise<Fleet> {
  const { folder, remove } = await filledVault(EVENTS, () => {})
  return { home: dirname(folder), now: () => NOW, remove }
}

/** Opens the fleet's window and, by keyboard, its vault. */
export async function openFleet({ home, now }: Fleet, browser?: Browser): Promise<Room> {
  const room = await openRoom({
    home,
    app: { now },
    page: { viewport: { width: 1280, height: 720 } },
    ...(browser ? { browser } : {}),
  })
  const [vault] = (await call(room.app, 'vaults', { folder: null })).vaults
  const [person] = vault?.people ?? []
  await choose(room.page, new RegExp(text.home.opening.who), person?.name ?? '')
  await type(room.page, text.home.opening.passphrase(person?.name ?? ''), PASSPHRASES.get(person?.id ?? '') ?? '')
  await schedules(room.page).waitFor({ timeout: 60_000 })
  return room
}

/** The list of all tenants on Home. */
export const schedules = (page: Page) => page.getByRole('grid', { name: text.timelines.schedules })

/** Scrolls through the list by so many pixels a frame; gives how long each frame took, in milliseconds. */
export const scrolledFrames = (page: Page, frames: number, pixels: number): Promise<number[]> =>
  schedules(page).evaluate(
    (list, [count, step]) =>
      new Promise<number[]>((resolve) => {
        const times: number[] = []
        let before = performance.now()
        const next = () => {
          const now = performance.now()
          times.push(now - before)
          before = now
          list.scrollTop += step
          if (times.length < count) requestAnimationFrame(next)
          else resolve(times.slice(1))
        }
        requestAnimationFrame(next)
      }),
    [frames, pixels] as const,
  )
