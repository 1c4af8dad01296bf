import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import { call } from '../app/table.ts'
import { press, type } from './keyboard.ts'
import { goTo, heading, lookAround, mustLookRight, openPractice } from './looking.ts'
import { mustBeCalm, type Room } from './table.ts'

/** desktop.md, "Home": vaults at hand, whether all is well, what needs somebody. A real vault, keyboard alone. */

const { home, app } = text

let room: Room
beforeAll(async () => {
  room = await openPractice()
})
afterAll(() => room?.close())

describe('before a vault is open', () => {
  it('lists the vaults at hand, and looks right', async () => {
    await heading(room.page, home.opening.title).waitFor()
    await expect.poll(() => room.page.getByRole('button', { name: /PRACTICE/ }).count()).toBeGreaterThan(0)
    await mustLookRight(room, 'opening')
  })

  it('lists the made-up people with their passphrases, and closes by Escape', async () => {
    const { people } = (await call(room.app, 'hello', {})).practice ?? { people: [] }
    await press(room.page, app.practiceDrawer.open)
    for (const { name, passphrase } of people) {
      await room.page.getByRole('complementary').getByText(name, { exact: true }).waitFor()
      expect(await room.page.getByText(passphrase, { exact: true }).count()).toBe(1)
    }
    await mustLookRight(room, 'practice-people')
    await room.page.keyboard.press('Escape')
    await room.page.getByText(app.practiceDrawer.title).waitFor({ state: 'detached' })
  })

  it('says that a wrong passphrase opens nothing, and forgets it', async () => {
    const [vault] = (await call(room.app, 'vaults', { folder: null })).vaults
    const first = vault?.people[0]?.name ?? ''
    await type(room.page, home.opening.passphrase(first), 'certainly not these six words')
    await room.page.getByRole('alert').filter({ hasText: 'does not open' }).first().waitFor()
    expect(await room.page.locator('input[type=password]').inputValue()).toBe('')
    expect(await room.page.content()).not.toContain('certainly not these six words')
    expect((await room.app.call('overview', {})).ok).toBe(false)
  })

  it('looks in another folder, and says where it found nothing', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'keyrite-empty-'))
    await press(room.page, home.opening.elsewhere)
    await type(room.page, app.folders.path, empty)
    await press(room.page, app.folders.choose)
    await room.page.getByText(home.opening.leadNone(empty)).waitFor()
    await heading(room.page, home.opening.titleNone).waitFor()
    rmdirSync(empty)
    await room.page.reload()
    await heading(room.page, home.opening.title).waitFor()
  })
})

describe('with a vault open', () => {
  beforeAll(async () => {
    await lookAround(room)
  })

  it('answers whether all is well, in the heading, which has the focus', async () => {
    const { tenants } = await call(room.app, 'overview', {})
    const live = tenants.filter(({ reserved, offboardedAt }) => !reserved && offboardedAt === null)
    const title = heading(room.page, new RegExp(home.headline.allSign(live.length)))
    await title.waitFor()
    expect(await title.evaluate((node) => node === document.activeElement)).toBe(true)
  })

  it('shows the opener, each tenant with what is left, and what needs somebody', async () => {
    const { tenants, attention, openedBy } = await call(room.app, 'overview', {})
    await room.page.getByRole('banner').getByText(openedBy.name).waitFor()
    for (const { name } of tenants) await room.page.getByRole('main').getByText(name, { exact: true }).first().waitFor()
    expect(attention.length).toBeGreaterThan(0)
    expect(await room.page.getByRole('region', { name: home.attention.title }).getByRole('listitem').count()).toBe(
      attention.length,
    )
    await mustLookRight(room, 'home')
  })

  it('leads from what is due to the plan that does it', async () => {
    const due = (await call(room.app, 'overview', {})).attention.find(({ what }) => what === 'rotation-due')
    expect(due?.about[0]).toBeDefined()
    await press(room.page, home.attention['rotation-due'].go)
    await heading(room.page, text.plan.kinds.rotate.title).waitFor()
    await room.page
      .getByRole('checkbox', { name: new RegExp(due?.about[0]?.name ?? '') })
      .waitFor({ state: 'attached' })
    expect(await room.page.getByRole('checkbox', { name: new RegExp(due?.about[0]?.name ?? '') }).isChecked()).toBe(
      true,
    )
    await room.page.reload()
  })

  it('changes between light and dark, and keeps nothing else in the page', async () => {
    const { theme } = app
    await press(room.page, `${theme.label}: ${theme.system}`)
    await press(room.page, `${theme.label}: ${theme.light}`)
    expect(await room.page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark')
    const kept = await room.page.evaluate(() => [Object.entries(localStorage), sessionStorage.length])
    expect(kept).toEqual([[['keyrite-theme', 'dark']], 0])
    await press(room.page, `${theme.label}: ${theme.dark}`)
  })

  it('shows who belongs to the vault and who has to prove a passphrase', async () => {
    await goTo(room.page, 'people', text.people.title)
    const { people } = await call(room.app, 'overview', {})
    for (const { name } of people) await room.page.getByRole('rowheader', { name, exact: true }).waitFor()
    const late = people.filter(({ overdue }) => overdue).length
    expect(late).toBeGreaterThan(0)
    expect(await room.page.getByText(/^due since/).count()).toBe(late)
    await mustLookRight(room, 'people')
    await press(room.page, text.people.changeOf(people[0]?.name ?? ''))
    await heading(room.page, text.plan.kinds.passphrase.title).waitFor()
    await room.page.reload()
  })

  it('says what was refused, until somebody has read it', async () => {
    await fetch(new URL(room.shell.address).origin, { method: 'PUT' })
    const told = room.page.getByRole('heading', { name: app.refused.title })
    await told.waitFor()
    await press(room.page, app.refused.dismiss)
    await told.waitFor({ state: 'detached' })
  })

  it('closes the vault: nothing of it stays on the screen', async () => {
    await press(room.page, app.viewing.close)
    await heading(room.page, home.opening.title).waitFor()
    expect(await room.page.getByText(app.viewing.title).count()).toBe(0)
    expect((await room.app.call('overview', {})).ok).toBe(false)
    mustBeCalm(room)
  })

  it('says plainly that the program has ended', async () => {
    await room.shell.close()
    await heading(room.page, app.lost.title).waitFor()
    await room.page.getByText(app.lost.next).waitFor()
  })
})
