import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPeople } from '../../electron/vault/people-store.ts'
import { unlockPeople } from '../../electron/vault/vault.ts'
import { makePractice, PASSPHRASES, type Practice } from '../vault/practice.ts'

/** Fault 11: passphrase in another Unicode form [opens]. */

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD']
const spelled = PASSPHRASES.get('emmy') ?? ''
let practice: Practice
beforeAll(async () => {
  practice = await makePractice()
})
afterAll(() => practice.remove())

const unlock = (typed: string) => unlockPeople(readPeople(practice.folder), new Map([['emmy', typed]]))

describe('keyboards and systems spell the same letters differently', () => {
  it('the forms of the passphrase are all different', () => {
    expect(new Set(FORMS.map((form) => spelled.normalize(form))).size).toBe(FORMS.length)
  })

  it.each(FORMS)('typed in the form %s, it opens', async (form) => {
    expect([...(await unlock(spelled.normalize(form))).keys()]).toEqual(['emmy'])
  })

  it.each([
    ['another case', spelled.toLowerCase()],
    ['without its accents', spelled.normalize('NFKD').replace(/\p{M}/gu, '')],
    ['a space more', `${spelled} `],
  ])('%s is another passphrase: passphrase-wrong, naming the person', async (_what, typed) => {
    await expect(unlock(typed)).rejects.toMatchObject({
      code: 'passphrase-wrong',
      message: expect.stringContaining('emmy'),
    })
  })
})
