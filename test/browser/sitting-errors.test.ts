import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import type { CeremonyKind } from '../../shared/domain/events.ts'
import { call } from '../app/table.ts'
import { type Room as Fixture, type Genesis, makeGenesis, PASSPHRASES } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'
import { launchBrowser } from './browser.ts'
import { press, tabTo, type } from './keyboard.ts'
import { answerAll, begin, explain, mustBeCalm, openRoom, type Room, type RoomOptions, until } from './table.ts'

/** What goes wrong in a ceremony, and that the window says what happened, what is kept, and what is next. */

vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

const words = text.sitting
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

type Ready = { room: Fixture; plan: object; present: readonly string[] }

/** People around a window over this fixture's vault. */
async function around({ room }: Pick<Ready, 'room'>, over: RoomOptions = {}): Promise<Room> {
  mkdirSync(room.media, { recursive: true })
  const now = room.clock.now
  const { app, ...rest } = over
  const table = await openRoom({
    home: room.base,
    medium: room.media,
    browser,
    ...rest,
    app: { now, elapsed: now, ...app },
  })
  for (const [id, passphrase] of PASSPHRASES) table.people.set(id, passphrase)
  return table
}

const sit = ({ app }: Room, { room, plan }: Ready) =>
  call(app, 'sit', { doing: 'hold', folder: room.vault, plan: JSON.stringify(plan), overrides: [] })

/** A window over a vault that is ready for a ceremony of this kind; what it showed is told where `work` fails. */
async function at(kind: CeremonyKind, work: (table: Room, ready: Ready) => Promise<void>, over?: RoomOptions) {
  const ready = await story.ready(kind)
  const table = await around(ready, over)
  try {
    await sit(table, ready)
    await work(table, ready)
    mustBeCalm(table)
  } catch (error) {
    await explain(table, `errors-${kind}`, error)
  } finally {
    await table.close()
  }
}

const says = (table: Room, said: string | RegExp) => table.page.getByText(said).first().waitFor()
const isTitle = async (table: Room, title: string) => {
  const heading = table.page.getByRole('heading', { level: 1, name: title })
  await heading.waitFor()
  expect(await heading.evaluate((node) => node === document.activeElement)).toBe(true)
}
const WRONG = 'other words than those that were chosen'

describe('coming in', () => {
  it('says that a wrong passphrase changes nothing, and who is left out after three', () =>
    at('onboard', async (table) => {
      const { page } = table
      const [first] = (await call(table.app, 'sitting', {}))?.people.filter(({ role }) => role === 'custodian') ?? []
      const field = words.gathering.passphrase(first?.name ?? '')
      for (const time of [1, 2]) {
        await type(page, field, WRONG)
        await says(table, `That passphrase does not open what is sealed for ${first?.name}.`)
        await until(table.app, () => true)
        await tabTo(page, page.getByLabel(field, { exact: true }))
        expect(await page.getByLabel(field, { exact: true }).inputValue(), String(time)).toBe('')
      }
      await type(page, field, WRONG)
      await says(table, words.gathering.leftOut(first?.name ?? ''))
      expect(await page.getByText(WRONG).count()).toBe(0)
    }))

  it('says how many custodians are missing, and when too few can still come', () =>
    at('onboard', async (table, { present }) => {
      const { page, app } = table
      const { people, threshold } = await until(app, () => true)
      const custodians = people.filter(({ role }) => role === 'custodian')
      const waiting = page.getByRole('button', { name: words.gathering.begin, exact: true })
      await says(table, words.gathering.waitsFor(threshold))
      expect(await waiting.isDisabled()).toBe(true)
      expect(present.length).toBeGreaterThan(0)
      const kept = custodians.length - threshold + 1
      for (const { name } of custodians.slice(0, kept))
        for (let time = 0; time < 3; time++) await type(page, words.gathering.passphrase(name), WRONG)
      await says(table, words.gathering.cannotBegin(threshold, custodians.length - kept))
      await press(page, words.foot.leave)
      await page.waitForFunction(() => !document.body.innerText.includes('Who is here?'))
      expect(await call(app, 'sitting', {})).toBeNull()
    }))
})

describe('answers that are not taken', () => {
  it('a wrong passphrase approves nothing, and the field has the focus again', () =>
    at('onboard', async (table, { present }) => {
      await begin(table, present)
      await answerAll(table, ({ ask }) => (ask === 'approve' ? 'stop' : false))
      const { question } = await until(table.app, (now) => now.question?.ask === 'approve')
      const name = question?.ask === 'approve' ? (question.custodians[0]?.name ?? '') : ''
      const field = table.page.getByLabel(words.approve.passphrase(name), { exact: true })
      await type(table.page, words.approve.passphrase(name), WRONG)
      await says(table, `That passphrase does not open what is sealed for ${name}.`)
      await table.page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'password')
      expect(await field.inputValue()).toBe('')
      await says(
        table,
        text.quorum.approvals(0, 3).replace('3', String(question?.ask === 'approve' && question.needed)),
      )
      expect((await answerAll(table)).phase).toBe('finished')
    }))

  it('initials of nobody are not taken', () =>
    at('onboard', async (table, { present }) => {
      await begin(table, present)
      await answerAll(table, ({ ask }) => (ask === 'initial' ? 'stop' : false))
      await type(table.page, /^Initials of/, 'zz')
      await says(table, /^Initials of somebody present/)
      await table.page.waitForFunction(() => document.activeElement?.tagName === 'INPUT')
    }))

  it('a word that no fingerprint has is a slip; another word ends the comparison', () =>
    at('enroll-runtime', async (table, { present }) => {
      await begin(table, present)
      const stopped = await answerAll(table, (asked) =>
        asked.ask === 'compare' && asked.reader !== null ? 'stop' : false,
      )
      const { question } = stopped
      if (question?.ask !== 'compare') throw new Error('Nothing is compared.')
      const [place = 0] = question.covered
      await type(table.page, words.compare.word(place + 1), 'zzyzx')
      await says(table, 'No fingerprint has this word. Listen again, and type it again.')
      const other = wordlist.find((word) => word !== table.heard(question)[place]) ?? ''
      await type(table.page, words.compare.word(place + 1), other)
      await isTitle(table, words.over.differs)
      await says(table, /nothing was accepted/)
      const over = await until(table.app, ({ phase }) => phase === 'failed')
      expect(over.problem?.code).toBe('comparison-failed')
      await press(table.page, words.over.toHome)
      await nobodySits(table)
    }))
})

/** The window has left the sitting, and nobody sits any more. */
async function nobodySits({ app, page }: Room): Promise<void> {
  await page.getByRole('button', { name: words.over.toHome }).waitFor({ state: 'hidden' })
  expect(await call(app, 'sitting', {})).toBeNull()
}

describe('stopping', () => {
  it('a network that comes up pauses the ceremony, and the window says so', () => {
    const up: string[] = []
    return at(
      'onboard',
      async (table, { present }) => {
        await begin(table, present)
        await answerAll(table, (asked) => (asked.ask === 'begin' && asked.step === 'check-plan' ? 'stop' : false))
        up.push('eth0')
        await isTitle(table, words.over.paused)
        await says(table, 'A network came up. The ceremony is paused and recorded.')
        await says(table, text.frame.detected)
        expect((await until(table.app, ({ phase }) => phase === 'paused')).ceremony).not.toBeNull()
      },
      { app: { networks: () => [...up] } },
    )
  })

  it('a deviation is noted by whoever saw it, and a pause keeps what was done', () =>
    at('onboard', async (table, { present }) => {
      const { page } = table
      await begin(table, present)
      await answerAll(table, (asked) => (asked.ask === 'begin' && asked.step === 'check-plan' ? 'stop' : false))
      await press(page, words.foot.note)
      await press(page, words.deviation.note)
      await says(table, words.reasonShort)
      await type(page, words.deviation.expected, 'The door stays shut', false)
      await type(page, words.deviation.happened, 'Somebody knocked and came in', false)
      await type(page, words.deviation.action, 'They were asked to leave')
      await until(table.app, ({ noted }) => noted === 1)
      await press(page, words.foot.pause)
      await press(page, words.pause.yes)
      await isTitle(table, words.over.paused)
      await says(table, words.over.steps(1, 4))
    }))

  it('closing says what it erases, needs a reason and a quorum, and ends it for good', () =>
    at('onboard', async (table, { present }) => {
      const { page } = table
      await begin(table, present)
      await answerAll(table, (asked) => (asked.ask === 'begin' && asked.step === 'make-keys' ? 'stop' : false))
      await press(page, words.foot.close)
      await says(table, words.close.erases)
      await type(page, words.close.reason, 'The plan names the wrong tenant')
      await until(table.app, ({ question }) => question?.ask !== 'begin')
      const closed = await answerAll(table)
      expect(closed.phase).toBe('closed')
      await isTitle(table, words.over.closed(closed.ceremony ?? ''))
      await says(table, new RegExp(words.over.erased(0)))
    }))

  it('a clock that is set while the ceremony runs stops it', () =>
    at(
      'onboard',
      async (table, { room, present }) => {
        await begin(table, present)
        await answerAll(table, (asked) => (asked.ask === 'begin' && asked.step === 'check-plan' ? 'stop' : false))
        const before = room.clock.now()
        const over = await setBack(table, () => room.clock.to(before + 7200))
        expect(over.problem?.code).toBe('clock-refused')
        await says(table, /clock of this machine jumped/)
      },
      { app: { elapsed: () => Math.floor(performance.now() / 1000) } },
    ))
})

/** The clock is set, and people go on. */
async function setBack(table: Room, set: () => void) {
  set()
  return answerAll(table)
}

describe('what is not as it should be around the vault', () => {
  it('another program has the vault open: nothing begins', async () => {
    const ready = await story.ready('onboard')
    const [table, other] = [await around(ready), await around(ready)]
    try {
      await call(other.app, 'openVault', {
        folder: ready.room.vault,
        person: ready.present[0] ?? '',
        passphrase: PASSPHRASES.get(ready.present[0] ?? '') ?? '',
      })
      await sit(table, ready)
      await begin(table, ready.present)
      const over = await until(table.app, ({ phase }) => phase === 'failed')
      expect(over.problem?.code).toBe('vault-in-use')
      await isTitle(table, words.over.failedBefore)
      await says(table, over.problem?.message ?? '')
    } catch (error) {
      await explain(table, 'errors-in-use', error)
    } finally {
      await Promise.all([table.close(), other.close()])
    }
  })

  it('the wrong medium: the file of the plan is not on it, and nothing begins', async () => {
    const ready = await story.ready('enroll-runtime')
    const empty = mkdtempSync(join(tmpdir(), 'keyrite-empty-'))
    const table = await around(ready, { medium: empty })
    try {
      await sit(table, ready)
      await begin(table, ready.present)
      const over = await answerAll(table)
      expect(over).toMatchObject({ phase: 'failed', ceremony: null, problem: { code: 'file-missing' } })
      await isTitle(table, words.over.failedBefore)
    } catch (error) {
      await explain(table, 'errors-medium', error)
    } finally {
      await table.close()
      rmSync(empty, { recursive: true, force: true })
    }
  })

  it('a full medium: no success is shown, the ceremony stays open, and goes on with another medium', async (context) => {
    const ready = await story.ready('handoff')
    const full = mkdtempSync(join(tmpdir(), 'keyrite-full-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', full], { stdio: 'ignore' })
    } catch {
      rmSync(full, { recursive: true, force: true })
      return context.skip('a medium that is really full needs a mount, which this user may not make')
    }
    const table = await around(ready, { medium: full })
    try {
      await sit(table, ready)
      await begin(table, ready.present)
      const over = await answerAll(table)
      expect(over).toMatchObject({ phase: 'failed', problem: { code: 'medium-full' } })
      await isTitle(table, words.over.failed)
      await press(table.page, words.over.toHome)
      await nobodySits(table)
      await call(table.app, 'chooseMedium', { folder: ready.room.media })
      await goOn(table, ready)
    } catch (error) {
      await explain(table, 'errors-full', error)
    } finally {
      await table.close()
      execFileSync('umount', [full])
      rmSync(full, { recursive: true, force: true })
    }
  })
})

/** Somebody looks at the vault, and a quorum goes on with its open ceremony to the end. */
async function goOn(table: Room, { room, present }: Ready): Promise<void> {
  const person = present[0] ?? ''
  await call(table.app, 'openVault', { folder: room.vault, person, passphrase: PASSPHRASES.get(person) ?? '' })
  await call(table.app, 'sit', { doing: 'resume', folder: room.vault, overrides: [] })
  await begin(table, present)
  const asked = new Set<string>()
  const over = await answerAll(table, (question) => {
    if (question.ask === 'approve' && question.events.length > 0) asked.add('tail')
    return false
  })
  expect(over).toMatchObject({ phase: 'finished', problem: null })
  expect(asked).toContain('tail')
}

describe('a crash', () => {
  it('in the middle of a ceremony: a new window goes on where it stood', async () => {
    const ready = await story.ready('onboard')
    const table = await around(ready)
    const crashed = join(mkdtempSync(join(tmpdir(), 'keyrite-crash-')), basename(ready.room.vault))
    try {
      await sit(table, ready)
      await begin(table, ready.present)
      await answerAll(table, (asked) => (asked.ask === 'begin' && asked.step === 'make-keys' ? 'stop' : false))
      // What a power cut leaves: the files as they are at this moment, with nobody to close them.
      cpSync(ready.room.vault, crashed, { recursive: true })
    } finally {
      await table.close()
    }
    rmSync(ready.room.vault, { recursive: true })
    cpSync(crashed, ready.room.vault, { recursive: true })
    const next = await around(ready)
    try {
      await goOn(next, ready)
      mustBeCalm(next)
    } catch (error) {
      await explain(next, 'errors-crash', error)
    } finally {
      await next.close()
    }
  })
})
