import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import { CEREMONY_KINDS, type CeremonyKind } from '../../shared/domain/events.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { parsePlan } from '../../shared/formats/plan.ts'
import { call } from '../app/table.ts'
import { press, tabTo, type } from './keyboard.ts'
import { faultsOf } from './look.ts'
import { openRoom, type Room } from './table.ts'

/** desktop.md, "Plan and people": a plan is built by keyboard alone, reviewed, and kept. A real vault, a real Chromium. */

const words = text.plan
const WIDE = { width: 1280, height: 720 }

let room: Room
let page: Page
let home: string
beforeAll(async () => {
  room = await openRoom({ practice: true, page: { viewport: WIDE, reducedMotion: 'reduce' } })
  page = room.page
  const hello = await call(room.app, 'hello', {})
  home = hello.home
  const [one] = hello.practice?.people ?? []
  const folder = hello.practice?.folder ?? ''
  await call(room.app, 'openVault', { folder, person: one?.id ?? '', passphrase: one?.passphrase ?? '' })
})
afterAll(() => room?.close())

/** From Home, as everybody comes here. */
beforeEach(async () => {
  await page.setViewportSize(WIDE)
  await page.reload()
  await press(page, text.home.start)
  await heading(words.choose.title)
})

const heading = (name: string): Promise<void> => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
const main = (): Locator => page.getByRole('main')
const aside = (): Locator => page.getByRole('complementary')
const entry = (name: string, number: number): Locator =>
  page.getByRole('listitem', { name: `${name} ${number}`, exact: true })
const field = (label: string, within: Locator | Page = page): Locator => within.getByLabel(label, { exact: true })

async function fill(element: Locator, typed: string): Promise<void> {
  await tabTo(page, element)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(typed)
}

async function begin(kind: CeremonyKind): Promise<void> {
  await press(page, words.kinds[kind].title)
  await heading(words.kinds[kind].title)
}

async function review(kind: CeremonyKind): Promise<void> {
  await press(page, words.form.review)
  await heading(words.review.title(words.kinds[kind].title))
}

/** The plan as it was reviewed: kept, and read from where it was kept. */
async function kept(name: string) {
  await press(page, words.review.save)
  await type(page, words.review.saveLabel, name)
  await page.getByText(words.review.savedAs(`${name}.json`)).waitFor()
  const read = parsePlan(readFileSync(join(home, 'plans', `${name}.json`), 'utf8'))
  await expect.poll(() => aside().innerText()).toContain(hexGroups(read.digest).slice(0, 4).join(' '))
  return read.plan
}

const names = text.plan.form.fields

describe('choosing', () => {
  it('the title has the focus, and every kind leads to its form and back', async () => {
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(words.choose.title)
    for (const kind of CEREMONY_KINDS) {
      await begin(kind)
      await press(page, words.form.other)
      await heading(words.choose.title)
    }
  })
})

describe('filled in by keyboard alone', () => {
  it('a new vault: names are typed, ids and roles are there; what is missing is said, and nothing typed is lost', async () => {
    await begin('genesis')
    await fill(field(names.vault.label), 'Lakeside')
    await press(page, words.form.review)
    await page.getByText(words.form.wrong(7)).waitFor()
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-invalid'))).toBe('true')
    for (const [index, name] of ['Ada', 'Bruno', 'Chiara', 'Devi', 'Emil', 'Farah', 'Goran'].entries())
      await fill(field(names.personName.label, entry(words.form.one['people'] ?? '', index + 1)), name)
    await review('genesis')
    await expect.poll(() => main().innerText()).toContain(words.review.fitsNew)
    expect(await aside().innerText()).toContain(words.review.allOf(5))
    const plan = await kept('lakeside')
    expect(plan).toMatchObject({ kind: 'genesis', vault: 'Lakeside', practice: true, threshold: 3 })
    expect(plan.kind === 'genesis' && plan.people.map(({ role }) => role)).toEqual([
      ...Array.from({ length: 5 }, () => 'custodian'),
      'compliance',
      'administrator',
    ])
    await press(page, words.review.back)
    expect(await field(names.vault.label).inputValue()).toBe('Lakeside')
  })

  it('one person twice on the list: the review names the place, and starting waits', async () => {
    await begin('genesis')
    await fill(field(names.vault.label), 'Lakeside')
    for (const [index, name] of ['Ada', 'Ada', 'Chiara', 'Devi', 'Emil', 'Farah', 'Goran'].entries())
      await fill(field(names.personName.label, entry(words.form.one['people'] ?? '', index + 1)), name)
    await review('genesis')
    const alert = main().getByRole('alert')
    await expect.poll(() => alert.innerText()).toContain('One person stands on the list twice.')
    const start = page.getByRole('button', { name: words.review.start })
    const foot = page.getByRole('contentinfo')
    expect([await start.isDisabled(), await foot.innerText()]).toEqual([
      true,
      expect.stringContaining(words.review.waitsProblems),
    ])
    expect(await faultsOf(page, 'plan-problems')).toEqual([])
  })

  it('a tenant with a relying party: its schedule is drawn, and a cache that is too long is refused at its place', async () => {
    await begin('onboard')
    await fill(field(names.tenantName.label), 'Tailspin')
    await fill(field(names.tenantId.label), 'tailspin')
    await fill(field(names.issuer.label), 'https://tailspin.id.harbour.example')
    await press(page, words.form.add['relyingParties'] ?? '')
    const party = entry(words.form.one['relyingParties'] ?? '', 1)
    expect(await field(names.relyingParty.label, party).evaluate((node) => node === document.activeElement)).toBe(true)
    await page.keyboard.type('Tailspin gateway')
    await review('onboard')
    await expect.poll(() => main().innerText()).toContain(words.review.noOutage)
    expect(await main().innerText()).toContain('Tailspin gateway')
    expect(await kept('tailspin')).toMatchObject({
      tenants: [
        { tenant: 'tailspin', name: 'Tailspin', relyingParties: [{ name: 'Tailspin gateway', cacheSeconds: 43_200 }] },
      ],
    })
    await press(page, words.review.back)
    await fill(party.getByRole('textbox', { name: names.cache.label }), '500')
    await review('onboard')
    await expect.poll(() => main().getByRole('alert').innerText()).toContain('Announce keys for 20 days')
  })

  it('the next keys of every tenant that is due, with the tenants’ schedules one at a time', async () => {
    await begin('rotate')
    await review('rotate')
    await expect.poll(() => main().innerText()).toContain(words.review.noOutage)
    expect(await main().innerText()).toContain(words.review.keyNew('ES256'))
    expect(await aside().innerText()).toContain(words.review.anyOf(3, 5))
    expect(await kept('next-keys')).toEqual({ kind: 'rotate', tenants: 'all' })
    const [printed] = await Promise.all([page.context().waitForEvent('page'), press(page, words.review.print)])
    await printed.waitForLoadState()
    const groups = (await aside().innerText()).match(/(?:[0-9A-F]{4} ){3}[0-9A-F]{4}/)?.[0]
    expect((await printed.locator('body').innerText()).replace(/\s+/g, ' ')).toContain(groups)
    await printed.close()
    await press(page, words.review.start)
    await page.getByRole('heading', { level: 1 }).filter({ hasNotText: words.kinds.rotate.title }).waitFor()
  })

  it('a destruction: keys that are still needed say why and cannot be chosen; no way back is marked', async () => {
    await begin('destroy')
    const keys = page.getByRole('group', { name: names.keys.label })
    const needed = keys.getByRole('checkbox', { name: /Cannot be destroyed now/ })
    expect(await needed.count()).toBeGreaterThan(0)
    expect(await needed.first().isDisabled()).toBe(true)
    await tabTo(page, keys.getByRole('checkbox').first())
    await page.keyboard.press('Space')
    await fill(field(names.reason.label), 'End of schedule')
    await review('destroy')
    await expect.poll(() => main().innerText()).toContain(words.review.noWayBack)
    expect(await kept('old-keys')).toMatchObject({
      kind: 'destroy',
      keys: [expect.stringMatching(/^[\w-]{43}$/)],
      reason: 'End of schedule',
    })
  })
})

it('a plan that is half done is still there after another screen', async () => {
  await begin('backup')
  await fill(field(names.holder.label), 'Goran Petrov')
  await press(page, words.form.other)
  await press(page, words.choose.back)
  await press(page, text.home.start)
  await press(page, words.choose.goOn(words.kinds.backup.title))
  expect(await field(names.holder.label).inputValue()).toBe('Goran Petrov')
})

describe('as text', () => {
  it('what no form knows is edited as text; a plan that is none says where it is wrong', async () => {
    await press(page, words.choose.write)
    await heading(words.text.title)
    await fill(field(words.text.label), '{"kind":"rotate","tenants":"all","within":"9d"}')
    await page.getByText(words.text.noForm).waitFor()
    await press(page, words.text.review)
    await heading(words.review.unread)
    const said = await main().getByRole('alert').innerText()
    expect([said, said]).toEqual([expect.stringContaining('“within” is not known'), expect.stringContaining('within')])
    await press(page, words.review.back)
    await heading(words.text.title)
    await fill(field(words.text.label), '{"kind":"inventory"}')
    await press(page, words.text.review)
    await heading(words.review.title(words.kinds.inventory.title))
  })

  it('a file that was kept is reviewed to the last character as it was written', async () => {
    const written = '{ "kind": "inventory" }\n\n'
    await call(room.app, 'savePlan', { name: 'as-written', text: written })
    await page.reload()
    await press(page, text.home.start)
    await press(page, words.choose.loadFile('as-written.json'))
    await heading(words.review.title(words.kinds.inventory.title))
    await expect.poll(() => aside().innerText()).toContain(hexGroups(parsePlan(written).digest).slice(0, 4).join(' '))
  })
})

describe('readable by everybody', () => {
  it('choosing, a form that says what is missing, and a review: light and dark, wide and at 200 %', async () => {
    const faults = await faultsOf(page, 'plan-choose')
    await begin('onboard')
    await press(page, words.form.add['relyingParties'] ?? '')
    await press(page, words.form.review)
    faults.push(...(await faultsOf(page, 'plan-form')))
    await press(page, words.form.other)
    await begin('rotate')
    await review('rotate')
    await expect.poll(() => main().innerText()).toContain(words.review.noOutage)
    faults.push(...(await faultsOf(page, 'plan')))
    expect(faults).toEqual([])
  })

  it('nothing came from elsewhere, and the policy was never touched', () => {
    const { origin } = new URL(room.shell.address)
    expect(room.seen.requests.filter((address) => !address.startsWith(origin))).toEqual([])
    expect([room.seen.violations, room.seen.errors]).toEqual([[], []])
  })
})

it('a rehearsal begins from the review, in a vault that is made up for it', async () => {
  await begin('rotate')
  await review('rotate')
  await press(page, words.review.rehearse)
  await expect.poll(async () => (await call(room.app, 'sitting', {}))?.doing, { timeout: 60_000 }).toBe('rehearse')
  expect(await call(room.app, 'sitting', {})).toMatchObject({ kind: 'rotate', practice: true })
})
