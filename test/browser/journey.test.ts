import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import { call } from '../app/table.ts'
import { launchBrowser } from './browser.ts'
import { press, tabTo, type } from './keyboard.ts'
import { goTo, heading, openVault } from './looking.ts'
import { answerAll, begin, explain, mustBeCalm, openRoom, type Room } from './table.ts'

/** desktop.md, "Screens": whole journeys from Home and back, by keyboard alone, through every screen on the way. */

// Argon2id is met in sitting.test.ts; here it would only be waited for.
vi.mock('../../electron/vault/kdf.ts', () => import('../faults/harness/cheap-kdf.ts'))

const MINUTE = 60_000
const WIDE = { width: 1280, height: 720 }
const { plan, sitting, home, keys, records } = text
const fields = plan.form.fields

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

const entry = (page: Page, of: string, number: number): Locator =>
  page.getByRole('listitem', { name: `${plan.form.one[of]} ${number}`, exact: true })

async function fill(page: Page, element: Locator, typed: string): Promise<void> {
  await tabTo(page, element)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(typed)
}

/** From a form that is filled in: the review, a reason for whatever this machine lacks, and everybody to the keyboard. */
async function hold(room: Room): Promise<void> {
  const { page } = room
  await press(page, plan.form.review)
  await press(page, plan.review.start)
  await page.getByRole('heading', { name: text.readiness.summary.title }).waitFor()
  for (const reason of await page.getByRole('main').getByRole('textbox').all())
    await fill(page, reason, 'Looked at by two people before this ceremony')
  await press(page, text.readiness.go.hold)
  await page.getByRole('button', { name: sitting.gathering.begin }).waitFor()
  await begin(room)
}

/** Through every question, to the page that says how it ended. Gives the ceremony's id. */
async function toTheEnd(room: Room): Promise<string> {
  const { phase, problem, result } = await answerAll(room)
  expect([phase, problem]).toEqual(['finished', null])
  const ceremony = result?.ceremony ?? ''
  await heading(room.page, sitting.finished.title(ceremony)).and(room.page.locator(':focus')).waitFor()
  return ceremony
}

describe('an administrator who starts with nothing', () => {
  const PEOPLE = ['Ada Lind', 'Bo Berg', 'Cy Dahl', 'Di Ek', 'Ed Falk', 'Fi Gran', 'Go Holm'] as const
  const TENANTS = ['Acme', 'Contoso'] as const
  let room: Room
  beforeAll(async () => {
    room = await openRoom({ page: { viewport: WIDE }, browser })
  })
  afterAll(() => room?.close())

  it('makes a vault that three of five custodians open together', { timeout: MINUTE }, async () => {
    const { page } = room
    await heading(page, home.opening.titleNone).waitFor()
    await press(page, home.opening.create)
    await fill(page, page.getByLabel(fields.vault.label, { exact: true }), 'Lakeside')
    for (const [index, name] of PEOPLE.entries())
      await fill(page, entry(page, 'people', index + 1).getByLabel(fields.personName.label, { exact: true }), name)
    await hold(room)
    await toTheEnd(room).catch((error) => explain(room, 'journey-genesis', error))
  })

  it('is led to the new vault, opens it, and is told what it still lacks', async () => {
    const { page } = room
    await press(page, sitting.finished.open('Lakeside'))
    await heading(page, home.opening.open('Lakeside')).waitFor()
    await openVault(room, PEOPLE[0], room.people.get('custodian-1') ?? '')
    expect(await call(room.app, 'overview', {})).toMatchObject({ name: 'Lakeside', threshold: 3, tenants: [] })
  })

  it('onboards two tenants, and sees both on Home', { timeout: MINUTE }, async () => {
    const { page } = room
    await press(page, home.empty.go)
    await press(page, plan.form.add['tenants'] ?? '')
    for (const [index, name] of TENANTS.entries()) {
      const tenant = entry(page, 'tenants', index + 1)
      await fill(page, tenant.getByLabel(fields.tenantName.label, { exact: true }), name)
      await fill(page, tenant.getByLabel(fields.tenantId.label, { exact: true }), name.toLowerCase())
      const issuer = `https://${name.toLowerCase()}.id.lakeside.example`
      await fill(page, tenant.getByLabel(fields.issuer.label, { exact: true }), issuer)
    }
    await hold(room)
    await toTheEnd(room).catch((error) => explain(room, 'journey-onboard', error))
    await press(page, sitting.over.toHome)
    for (const name of TENANTS) await page.getByRole('main').getByText(name, { exact: true }).first().waitFor()
    const { tenants } = await call(room.app, 'overview', {})
    expect(tenants.map(({ name }) => name)).toEqual([...TENANTS])
    mustBeCalm(room)
  })
})

describe('a compliance officer with a key that nothing needs any more', () => {
  let room: Room
  let ceremony = ''
  beforeAll(async () => {
    room = await openRoom({ practice: true, page: { viewport: WIDE }, browser })
  })
  afterAll(() => room?.close())

  /** The key that may go. */
  const retired = async () => {
    const found = (await call(room.app, 'keys', {})).keys.find(
      ({ destroyedAt, phase }) => destroyedAt === null && phase === 'removed',
    )
    if (!found) throw new Error('The practice vault has no key that may be destroyed.')
    return found
  }

  it('destroys it, from Keys and copies to the certificate', { timeout: MINUTE }, async () => {
    const { page, people } = room
    await openVault(room, 'Farah Haddad', people.get('farah') ?? '')
    const { kid, label } = await retired()
    await goTo(page, 'keys', keys.title)
    await type(page, keys.find, kid)
    await tabTo(page, page.getByRole('row').filter({ hasText: label }))
    await page.keyboard.press('Enter')
    await press(page, keys.destroy)
    await fill(page, page.getByLabel(fields.reason.label, { exact: true }), 'Retired by schedule')
    await hold(room)
    ceremony = await toTheEnd(room).catch((error) => explain(room, 'journey-destroy', error))
    const destroyed = (await call(room.app, 'keys', {})).keys.find((key) => key.kid === kid)
    expect(destroyed?.certificate).toEqual({ id: `${ceremony}-C1`, grade: 'deletion' })
  })

  it('prints the certificate, which claims no more than was proved', async () => {
    const { page } = room
    const [printed] = await Promise.all([
      page.context().waitForEvent('page'),
      press(page, sitting.finished.print('The certificate, as a page')),
    ])
    await printed.waitForLoadState()
    expect(await printed.locator('body').innerText()).toContain('This is therefore not a certificate of destruction.')
    await printed.close()
  })

  it('sees the record among the others, and verifies it', async () => {
    const { page } = room
    await press(page, sitting.finished.toRecord)
    await heading(page, `${text.app.kinds.destroy} ${ceremony}`).waitFor()
    await press(page, records.verify)
    await page.getByText(/checked, nothing fails$/).waitFor()
    mustBeCalm(room)
  })
})
