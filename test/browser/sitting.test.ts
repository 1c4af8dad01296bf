import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../renderer/text/index.ts'
import { call } from '../app/table.ts'
import { type } from './keyboard.ts'
import { answerAll, begin, explain, mustBeCalm, openRoom, type Room } from './table.ts'

/** The first day of a vault, with passphrases as strong as they really are: made by keyboard, and used at once. */

const NAMES = ['Ada Okafor', 'Bruno Keller', 'Chiara Rossi', 'Dai Suzuki', 'Emil Novak'] as const
const GENESIS = {
  kind: 'genesis',
  vault: 'Harbour',
  practice: true,
  threshold: 3,
  people: [
    ...NAMES.map((name) => ({ id: name.split(' ')[0]?.toLowerCase(), name, role: 'custodian' })),
    { id: 'goran', name: 'Goran Petrov', role: 'administrator' },
    { id: 'farah', name: 'Farah Haddad', role: 'compliance' },
  ],
}
const ONBOARD = {
  kind: 'onboard',
  dice: 100,
  tenants: [
    { tenant: 'acme', name: 'Acme', issuer: 'https://id.acme.example', policy: { signingAlgorithms: ['ES256'] } },
  ],
}
/** Emil does not trust what a machine makes up. */
const OWN = 'gravel lantern 17 undertow PIGEON'

const words = text.sitting
let room: Room
let folder = ''

beforeAll(async () => {
  room = await openRoom()
})
afterAll(() => room?.close())

describe('a vault of five custodians, any three of whom must act together', () => {
  it('is made by keyboard: six words for each, or a passphrase of their own typed twice', async () => {
    try {
      await call(room.app, 'sit', { doing: 'hold', folder: null, plan: JSON.stringify(GENESIS), overrides: [] })
      await begin(room)
      const over = await answerAll(room, async (question) => {
        if (question.ask !== 'secret' || question.owner.id !== 'emil') return false
        const { page, people } = room
        const { name } = question.owner
        people.set('emil', OWN)
        if (question.stage === 'choose')
          await page.getByRole('button', { name: words.secret.own, exact: true }).press('Enter')
        else await type(page, question.stage === 'type' ? words.secret.field(name) : words.secret.again(name), OWN)
        return true
      })
      expect(over).toMatchObject({ phase: 'finished', problem: null })
      expect(existsSync(join(over.result?.record ?? '', 'record.json'))).toBe(true)
      expect(new Set(room.people.values()).size).toBe(7)
      folder = over.vault.folder
      mustBeCalm(room)
    } catch (error) {
      await explain(room, 'first-day', error)
    }
  })

  it('keeps no passphrase anywhere in the window', async () => {
    const kept = await room.page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML, document.cookie]),
    )
    const typed = await room.page.evaluate(() =>
      [...document.querySelectorAll('input')].map(({ value }) => value).join(),
    )
    for (const passphrase of room.people.values()) expect(kept + typed).not.toContain(passphrase)
  })

  it('opens with the passphrases just made, and makes the keys of a tenant with dice', async () => {
    try {
      await room.page.getByRole('button', { name: words.over.toHome }).press('Enter')
      await room.page.getByRole('button', { name: words.over.toHome }).waitFor({ state: 'hidden' })
      await call(room.app, 'openVault', { folder, person: 'goran', passphrase: room.people.get('goran') ?? '' })
      await call(room.app, 'sit', { doing: 'hold', folder, plan: JSON.stringify(ONBOARD), overrides: [] })
      await begin(room, ['goran', 'farah', 'emil', 'bruno', 'dai'])
      const over = await answerAll(room)
      expect(over).toMatchObject({ phase: 'finished', problem: null })
      mustBeCalm(room)
    } catch (error) {
      await explain(room, 'first-keys', error)
    }
  })
})
