import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type App, type AppOptions, createApp } from '../../electron/app/app.ts'
import { WINDOW_FOLDER } from '../../electron/loopback/checkout.ts'
import { type Shell, serveApp } from '../../electron/loopback/server.ts'
import { text } from '../../renderer/text/index.ts'
import type { Question, Sitting } from '../../shared/contract/sitting.ts'
import { fromHexGroups } from '../app/hex.ts'
import { call } from '../app/table.ts'
import { launchBrowser, openPage, type Witness } from './browser.ts'
import { choose, press, type } from './keyboard.ts'
import { OUTPUT } from './look.ts'

/** People around a real window: they read what it asks and answer by keyboard alone. */

const words = text.sitting

export type Room = {
  app: App
  shell: Shell
  browser: Browser
  page: Page
  seen: Witness
  home: string
  medium: string
  /** Everybody's passphrase, as they would remember it; those made here are added. */
  people: Map<string, string>
  now: () => number
  /** The words that the other side of a comparison reads aloud. */
  heard: (question: Extract<Question, { ask: 'compare' }>) => string[]
  close: () => Promise<void>
}

export type RoomOptions = {
  practice?: boolean
  page?: BrowserContextOptions
  app?: Partial<AppOptions>
  /** A folder with vaults, and the folder that files are carried in; new ones unless told. */
  home?: string
  medium?: string
  /** The folder of a built window; the product's own, built anew where it is older than its sources, unless told. */
  files?: string
  /** A Chromium that is there already, and stays. */
  browser?: Browser
}

/** Starts the app behind its browser shell, and opens its window in a real Chromium. */
export async function openRoom(options: RoomOptions = {}): Promise<Room> {
  const { practice = false, page: look, app: over, files, browser: shared } = options
  const base = mkdtempSync(join(tmpdir(), 'keyrite-table-'))
  const now = over?.now ?? (() => Math.floor(Date.now() / 1000))
  const browser = shared ?? (await launchBrowser())
  const home = options.home ?? join(base, 'home')
  const app = await createApp({ home, practice, shell: 'browser', networks: () => [], idleAfter: 3600, ...over, now })
  const shell = await serveApp(app, { files: files ?? WINDOW_FOLDER, linger: 60_000 })
  const { context, page, seen } = await openPage(browser, shell.address, { reducedMotion: 'reduce', ...look })
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  const hello = await call(app, 'hello', {})
  const people = new Map(hello.practice?.people.map(({ id, passphrase }) => [id, passphrase]))
  const medium = options.medium ?? join(base, 'medium')
  mkdirSync(medium, { recursive: true })
  if (!practice) await call(app, 'chooseMedium', { folder: medium })
  const close = async () => {
    await context.close()
    if (!shared) await browser.close()
    await shell.close()
    rmSync(base, { recursive: true, force: true })
  }
  const heard: Room['heard'] = ({ hex }) => fromHexGroups(hex)
  return { app, shell, browser, page, seen, home, medium, people, now, close, heard }
}

/** What the window showed when a test failed: a picture, and its words as the error's cause. */
export async function explain({ page, seen }: Room, name: string, error: unknown): Promise<never> {
  mkdirSync(OUTPUT, { recursive: true })
  await page.screenshot({ path: join(OUTPUT, `failed-${name}.png`) })
  const shown = await page.locator('body').innerText()
  throw new Error(`${String(error)}\nThe window showed: ${shown.slice(0, 1500)}\n${JSON.stringify(seen.errors)}`, {
    cause: error,
  })
}

/** Everything that a page under this app must never do. */
export function mustBeCalm({ seen, shell }: Room): void {
  const home = new URL(shell.address).origin
  const foreign = seen.requests.filter((address) => !address.startsWith(home) && !address.startsWith('data:'))
  if (seen.violations.length + seen.errors.length + foreign.length > 0)
    throw new Error(
      `The page was not calm: ${JSON.stringify({ violations: seen.violations, errors: seen.errors, foreign })}`,
    )
}

/** Own answers instead of the usual ones: gives true where it answered, `stop` to leave everything as it is. */
export type Otherwise = (question: Question, sitting: Sitting) => Promise<boolean | 'stop'> | boolean | 'stop'

/** Everybody who is named (or whose passphrase is known) comes to the keyboard, one after another. */
export async function comeIn({ app, page, people }: Room, who: readonly string[] = [...people.keys()]): Promise<void> {
  for (const id of who) {
    const sitting = await sittingOf(app)
    const person = sitting.people.find((one) => one.id === id)
    if (!person || person.hereSince !== null || (sitting.alone !== null && sitting.alone !== id)) continue
    if (sitting.alone === null) await choose(page, new RegExp(escaped(words.gathering.chooser)), person.name)
    await type(page, words.gathering.passphrase(person.name), people.get(id) ?? '')
    await until(app, ({ people: seated }) => seated.some((one) => one.id === id && one.hereSince !== null))
  }
}

const escaped = (plain: string): string => plain.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Comes in and begins. */
export async function begin(room: Room, who?: readonly string[]): Promise<void> {
  await comeIn(room, who)
  await press(room.page, words.gathering.begin)
  await until(room.app, ({ phase }) => phase !== 'gathering')
}

/** Answers question after question until none is asked any more. Gives the sitting as it then is. */
export async function answerAll(room: Room, otherwise?: Otherwise): Promise<Sitting> {
  for (;;) {
    const sitting = await until(room.app, ({ question, phase }) => question !== null || phase !== 'running')
    const { question } = sitting
    if (!question) return sitting
    await shown(room)
    const own = (await otherwise?.(question, sitting)) ?? false
    if (own === 'stop') return sitting
    if (!own) await answer(room, question)
    await until(room.app, (now) => now.question?.id !== question.id)
  }
}

/** Waits until the page has heard what became of its last call and shows it: people answer what they see. */
async function shown({ page, seen }: Room): Promise<void> {
  for (let waited = 0; seen.calling.size > 0 && waited < 30_000; waited += 10) await page.waitForTimeout(10)
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
}

export async function sittingOf(app: App): Promise<Sitting> {
  const sitting = await call(app, 'sitting', {})
  if (!sitting) throw new Error('Nobody sits here.')
  return sitting
}

/** The sitting once this holds. */
export async function until(app: App, holds: (sitting: Sitting) => boolean): Promise<Sitting> {
  for (let waited = 0; waited < 60_000; waited += 10) {
    const sitting = await sittingOf(app)
    if (holds(sitting)) return sitting
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`A minute passed: ${JSON.stringify((await sittingOf(app)).question)?.slice(0, 400)}`)
}

export const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')

/** What careful people do at this question. */
export async function answer(room: Room, question: Question): Promise<void> {
  const { page, people } = room
  switch (question.ask) {
    case 'plan':
      return press(page, words.plan.same)
    case 'time': {
      const by = question.people.find(({ id }) => !question.read.some((one) => one.by === id))
      return type(page, words.time.field(by?.name ?? ''), utc(room.now()))
    }
    case 'head-card':
      return press(page, words.card.none)
    case 'begin':
      return press(page, words.step.begin)
    case 'initial':
      return type(page, /^Initials of/, question.initials[0]?.initials.toLowerCase() ?? '')
    case 'approve': {
      const next = question.custodians.find(({ id }) => !question.approved.some((one) => one.id === id))
      return type(page, words.approve.passphrase(next?.name ?? ''), people.get(next?.id ?? '') ?? 'any words')
    }
    case 'compare':
      return compare(room, question)
    case 'confirm':
      return confirm(page, question)
    case 'dice':
      return type(page, words.dice.field, '4 2 6 1 3 5 2 2 6 4')
    case 'secret':
      return secret(room, question)
    case 'agree':
      return press(page, words.agree.agrees(question.person.name))
  }
}

async function compare(room: Room, question: Extract<Question, { ask: 'compare' }>): Promise<void> {
  if (question.reader === null) return press(room.page, words.compare.ready)
  const place = question.covered.find((one) => !question.typed.includes(one))
  if (place === undefined) return press(room.page, words.compare.agrees)
  await type(room.page, words.compare.word(place + 1), room.heard(question)[place] ?? '')
}

async function confirm(page: Page, question: Extract<Question, { ask: 'confirm' }>): Promise<void> {
  const missing = question.people.filter(({ id }) => !question.typed.some((one) => one.id === id))
  await type(page, missing[0]?.name ?? '', question.words, false)
  if (missing.length === 1) await press(page, words.confirm.continue)
}

async function secret({ page, people }: Room, question: Extract<Question, { ask: 'secret' }>): Promise<void> {
  const { owner, stage, what, fresh } = question
  if (stage === 'choose') return press(page, words.secret.generated)
  if (stage === 'show') {
    // As its owner does: from the screen, onto paper.
    await page.getByRole('button', { name: words.secret.shown }).waitFor()
    const shown = await page.getByRole('main').locator('ol li').allInnerTexts()
    people.set(owner.id, shown.map((word) => word.trim()).join(' '))
    return press(page, words.secret.shown)
  }
  const label = fresh ? words.secret.type(owner.name) : words.secret.password(owner.name, what)
  await type(page, label, fresh ? (people.get(owner.id) ?? '') : 'the password of a file')
}
