import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { closeView, openToLook } from '../../electron/app/home/open.ts'
import { createVault } from '../../electron/vault/create.ts'
import { Vault } from '../../electron/vault/vault.ts'
import { asKeyriteError } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { CEREMONY, CREATED, PASSPHRASES, PEOPLE, THRESHOLD } from '../vault/practice.ts'
import { Bench } from './machine-context.ts'

/** Opening a vault to look at it, when several things happen at once or somebody tries passphrases. */

const derived = vi.hoisted(() => ({ running: 0, most: 0, count: 0 }))
vi.mock('../../electron/vault/kdf.ts', async () => {
  const cheap = await import('../faults/harness/cheap-kdf.ts')
  const deriveKey: typeof cheap.deriveKey = async (passphrase, kdf) => {
    derived.count += 1
    derived.running += 1
    derived.most = Math.max(derived.most, derived.running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    derived.running -= 1
    return cheap.deriveKey(passphrase, kdf)
  }
  return { ...cheap, deriveKey }
})

const base = mkdtempSync(join(tmpdir(), 'keyrite-opening-'))
const at = (name: string) => join(base, `${name}.vault`)
let elapsed = 0
let bench: Bench

async function make(name: string, practice: boolean): Promise<void> {
  const vault = await createVault({
    folder: at(name),
    name: 'Harbour',
    practice,
    people: PEOPLE,
    threshold: THRESHOLD,
    passphrases: PASSPHRASES,
    at: CREATED,
    actor: 'grace',
    first: () => [
      {
        type: 'ceremony-started',
        ceremony: CEREMONY,
        kind: 'genesis',
        planDigest: digest('the plan'),
        plan: '{}',
        present: PEOPLE.map(({ id }) => id),
        clock: null,
        headCard: null,
      },
    ],
  })
  vault.close()
}

beforeAll(async () => {
  await make('real', false)
  await make('practice', true)
  cpSync(at('practice'), at('copy'), { recursive: true })
})
afterAll(() => rmSync(base, { recursive: true }))
beforeEach(() => {
  elapsed = 0
  Object.assign(derived, { running: 0, most: 0, count: 0 })
  bench = new Bench({ elapsed: () => elapsed })
})
afterEach(() => {
  closeView(bench.app)
  bench.remove()
})

const right = (person: string) => PASSPHRASES.get(person) ?? ''
const open = (folder: string, person = 'ada', passphrase = right(person)) =>
  openToLook(bench.app, { folder: at(folder), person, passphrase })
const failure = async (opening: Promise<void>) => {
  try {
    await opening
  } catch (error) {
    const { code, message, hint } = asKeyriteError(error)
    return { code, message, hint }
  }
  return { code: 'none', message: '', hint: '' }
}
/** Fails with vault-in-use where anybody has it open. */
const isFree = async (folder: string): Promise<boolean> => {
  try {
    ;(await Vault.open(at(folder), new Map([['ada', right('ada')]]))).close()
    return true
  } catch {
    return false
  }
}

describe('a practice window', () => {
  it('refuses a production vault in plain words, before any passphrase is tried', async () => {
    bench = new Bench({ practice: { folder: at('practice'), people: [] } })
    const { code, message } = await failure(open('real'))
    expect(code).toBe('practice-refused')
    expect(message).toContain('what it writes is removed when it closes')
    expect([derived.count, bench.app.view]).toEqual([0, null])
    await open('practice')
    expect(bench.app.view?.folder).toBe(at('practice'))
  })

  it('is the only one that does', async () => {
    await open('real')
    expect(bench.app.view?.folder).toBe(at('real'))
  })
})

describe('two openings at once', () => {
  it('the later one is looked at, the earlier one is closed, and passphrases are tried one at a time', async () => {
    await Promise.all([open('practice'), open('copy', 'blaise'), open('practice', 'clara')])
    expect(bench.app.view?.by.id).toBe('clara')
    expect(await isFree('copy')).toBe(true)
    expect(derived.most).toBe(1)
    closeView(bench.app)
    expect(await isFree('practice')).toBe(true)
  })

  it('closed meanwhile, it stays closed: interrupted', async () => {
    const opening = failure(open('practice'))
    await new Promise((resolve) => setTimeout(resolve, 2))
    closeView(bench.app)
    expect((await opening).code).toBe('interrupted')
    expect(bench.app.view).toBeNull()
    expect(await isFree('practice')).toBe(true)
  })
})

describe('an opening that fails', () => {
  const taken = async (folder: string): Promise<Vault> => Vault.open(at(folder), new Map([['ada', right('ada')]]))

  it('leaves the vault that is open as it is', async () => {
    await open('practice')
    const other = await taken('copy')
    expect((await failure(open('copy'))).code).toBe('vault-in-use')
    other.close()
    expect(bench.app.view?.vault.state.name).toBe('Harbour')
    expect(bench.app.view?.folder).toBe(at('practice'))
    expect(bench.notices).toEqual([])
  })

  it('of the very vault that was open: it is plainly closed', async () => {
    await open('practice')
    const openFor = vi.spyOn(Vault, 'openFor').mockRejectedValueOnce(new Error('the disk is gone'))
    expect((await failure(open('practice', 'clara'))).code).toBe('internal')
    openFor.mockRestore()
    expect(bench.app.view).toBeNull()
    expect(bench.notices).toEqual([{ tell: 'view-closed' }])
  })
})

describe('wrong passphrases', () => {
  const wrong = () => failure(open('practice', 'ada', 'quite another passphrase'))

  it('after five in a row, nothing is tried for ten seconds, and it says so', async () => {
    for (let count = 1; count < 5; count += 1) expect((await wrong()).hint).not.toContain('ten seconds')
    expect((await wrong()).hint).toBe('5 in a row were wrong: wait ten seconds, then type it again.')
    const { count } = derived
    elapsed = 3
    const { code, message, hint } = await failure(open('practice', 'blaise'))
    expect([code, message, hint]).toEqual([
      'passphrase-wrong',
      '5 wrong passphrases in a row: this one was not tried.',
      'Wait 7 more seconds, then type it again.',
    ])
    expect([derived.count, bench.app.view]).toEqual([count, null])
    elapsed = 10
    await open('practice')
    expect(bench.app.view?.by.id).toBe('ada')
  })

  it('one that is right begins the count anew; other vaults do not wait', async () => {
    for (let count = 1; count < 5; count += 1) await wrong()
    await open('practice')
    expect((await wrong()).hint).not.toContain('ten seconds')
    for (let count = 1; count < 5; count += 1) await wrong()
    await open('copy')
    expect(bench.app.view?.folder).toBe(at('copy'))
  })

  it('each further one makes people wait again', async () => {
    for (let count = 0; count < 5; count += 1) await wrong()
    elapsed = 10
    expect((await wrong()).hint).toContain('6 in a row were wrong')
    expect((await failure(open('practice'))).message).toContain('was not tried')
  })
})
