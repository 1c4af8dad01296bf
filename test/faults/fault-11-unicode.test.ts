import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createIdentity, unlockPerson } from '../../electron/vault/people.ts'
import { PASSPHRASES } from '../vault/practice.ts'

/** Fault 11: passphrase in another Unicode form [opens]. */

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD']
const spelled = PASSPHRASES.get('emmy') ?? ''
const vault = { vaultId: randomUUID(), practice: true }
let identity: Awaited<ReturnType<typeof createIdentity>>
beforeAll(async () => {
  identity = await createIdentity(vault, 'emmy', spelled)
})

const unlock = (typed: string) => unlockPerson(vault, 'emmy', identity, typed)

describe('keyboards and systems spell the same letters differently', () => {
  it('the forms of the passphrase are all different', () => {
    expect(new Set(FORMS.map((form) => spelled.normalize(form))).size).toBe(FORMS.length)
  })

  it.each(FORMS)('typed in the form %s, it opens', async (form) => {
    expect((await unlock(spelled.normalize(form))).id).toBe('emmy')
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
