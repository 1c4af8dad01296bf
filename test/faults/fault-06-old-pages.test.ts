import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openVaultFile } from '../../electron/vault/log.ts'
import { openFileKey } from '../../electron/vault/people.ts'
import { readPeople } from '../../electron/vault/people-store.ts'
import { dbPath, Vault } from '../../electron/vault/vault.ts'
import { verifyVault } from '../../electron/vault/verify.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { CREATED, checkpoint, contentOf, makePractice, newEpoch, type Practice } from '../vault/practice.ts'
import './harness/cheap.ts'

/**
 * Fault 6: an old page under the same key spliced in [detected by the chain]. The cipher cannot notice: such a page was
 * once written with this very key.
 */

vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))

const PAGE = 4096
let practice: Practice
let older: Buffer
let newer: Buffer
/** Where two moments of one file differ. */
let differing: number[]
let content: string
let peopleFile: string

beforeAll(async () => {
  practice = await makePractice()
  const folder = practice.copy()
  older = readFileSync(dbPath(folder))
  const vault = await Vault.openFor(folder, practice.present)
  // A new epoch wraps every data key anew, in place: the pages change, the tree of pages does not.
  await newEpoch(vault, CREATED + 600)
  await checkpoint(vault, CREATED + 660)
  content = contentOf(vault)
  vault.close()
  newer = readFileSync(dbPath(folder))
  peopleFile = join(folder, 'people.json')
  differing = pagesOf(newer).filter((page) => !at(older, page).equals(at(newer, page)))
})
afterAll(() => practice.remove())

const pagesOf = (file: Buffer): number[] => Array.from({ length: file.length / PAGE }, (_, page) => page)
const at = (file: Buffer, page: number): Buffer => file.subarray(page * PAGE, (page + 1) * PAGE)

/** The newer file with some pages of the older one: exactly what a partly restored disk would hold. */
function spliced(pages: readonly number[]): string {
  const folder = practice.copy()
  copyFileSync(peopleFile, join(folder, 'people.json'))
  const file = Buffer.from(newer)
  for (const page of pages) at(older, page).copy(file, page * PAGE)
  writeFileSync(dbPath(folder), file)
  return folder
}

/** The code of a refusal, or "same" when nothing of what the vault holds is different. */
async function outcome(folder: string): Promise<string> {
  try {
    const vault = await Vault.openFor(folder, practice.present)
    try {
      await verifyVault(vault)
      return contentOf(vault) === content ? 'same' : 'accepted'
    } finally {
      vault.close()
    }
  } catch (error) {
    if (isKeyriteError(error)) return error.code
    throw error
  }
}

/** True when SQLite itself opens the file under its key and finds nothing wrong. */
async function passesSqlite(folder: string): Promise<boolean> {
  const people = readPeople(folder)
  const [person] = practice.present.values()
  const [[id, jwe] = ['', '']] = Object.entries(people.people[person?.id ?? '']?.fileKeys ?? {})
  if (!person) return false
  const key = await openFileKey(await openTrustAnchor(people.anchor), person, id, jwe)
  try {
    const db = openVaultFile(dbPath(folder), key)
    try {
      return db.pragma('integrity_check', { simple: true }) === 'ok'
    } finally {
      db.close()
    }
  } catch {
    return false
  }
}

const DETECTED = ['vault-damaged', 'vault-history-broken', 'vault-people-changed']
/** A page whose older bytes say the same, for it was written again without a change, does no harm. */
const HARMLESS = [...DETECTED, 'same']

describe('an older page of the same file, under the same key', () => {
  it('every page that changed, alone: detected, unless it says the very same', async () => {
    const found: string[] = []
    for (const page of differing) found.push(await outcome(spliced([page])))
    expect(HARMLESS).toEqual(expect.arrayContaining(found))
    expect(found.filter((one) => one !== 'same').length).toBeGreaterThan(1)
  })

  it('every two of them together, and all but one: detected, unless both say the very same', async () => {
    for (const one of differing) {
      for (const other of differing.filter((page) => page > one))
        expect(HARMLESS, `pages ${one + 1} and ${other + 1}`).toContain(await outcome(spliced([one, other])))
      const rest = differing.filter((page) => page !== one)
      expect(HARMLESS, `all but page ${one + 1}`).toContain(await outcome(spliced(rest)))
    }
  })

  it('some pass cipher and integrity_check and hold older rows: the chain, or a digest in it, tells', async () => {
    const caught: string[] = []
    for (const page of differing) {
      const folder = spliced([page])
      if (await passesSqlite(folder)) caught.push(await outcome(folder))
    }
    expect(HARMLESS).toEqual(expect.arrayContaining(caught))
    expect(caught.filter((one) => one !== 'same').length).toBeGreaterThan(0)
  })

  it('the newer file itself opens', async () => {
    expect(await outcome(spliced([]))).toBe('same')
  })
})
