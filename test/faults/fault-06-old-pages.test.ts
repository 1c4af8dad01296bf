import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openVaultFile } from '../../electron/vault/log.ts'
import { openFileKey } from '../../electron/vault/people.ts'
import { readPeople } from '../../electron/vault/people-store.ts'
import { dbPath, Vault } from '../../electron/vault/vault.ts'
import { verifyVault } from '../../electron/vault/verify.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { addKey, CREATED, checkpoint, contentOf, makePractice, type Practice, rsaShaped } from '../vault/practice.ts'

/**
 * Fault 6: an old page under the same key spliced in [detected by the chain]. The cipher cannot notice: such a page was
 * once written with this very key.
 */

const PAGE = 4096
let practice: Practice
let older: Buffer
let newer: Buffer
/** Where two moments of one file differ. */
let differing: number[]
let content: string

beforeAll(async () => {
  practice = await makePractice()
  const folder = practice.copy()
  older = readFileSync(dbPath(folder))
  const vault = await Vault.openFor(folder, practice.present)
  await addKey(vault, 'RS256-4096', { jwk: rsaShaped(), secret: new Uint8Array(2380).fill(7) }, CREATED + 600)
  await checkpoint(vault, CREATED + 660)
  content = contentOf(vault)
  vault.close()
  newer = readFileSync(dbPath(folder))
  differing = pagesOf(newer).filter((page) => !at(older, page).equals(at(newer, page)))
})
afterAll(() => practice.remove())

const pagesOf = (file: Buffer): number[] => Array.from({ length: file.length / PAGE }, (_, page) => page)
const at = (file: Buffer, page: number): Buffer => file.subarray(page * PAGE, (page + 1) * PAGE)

/** The newer file with some pages of the older one: exactly what a partly restored disk would hold. */
function spliced(pages: readonly number[]): string {
  const folder = practice.copy()
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

describe('an older page of the same file, under the same key', () => {
  it('every page that changed, alone: detected', async () => {
    expect(differing.length).toBeGreaterThan(2)
    for (const page of differing) expect(DETECTED, `page ${page + 1}`).toContain(await outcome(spliced([page])))
  })

  it('every two of them together, and all but one: detected', async () => {
    for (const one of differing) {
      for (const other of differing.filter((page) => page > one))
        expect(DETECTED, `pages ${one + 1} and ${other + 1}`).toContain(await outcome(spliced([one, other])))
      const rest = differing.filter((page) => page !== one)
      expect(DETECTED, `all but page ${one + 1}`).toContain(await outcome(spliced(rest)))
    }
  })

  it('some of these pass SQLite, cipher and integrity_check; the chain names what is wrong', async () => {
    const caught: string[] = []
    for (const page of differing) {
      const folder = spliced([page])
      if (await passesSqlite(folder)) caught.push(await outcome(folder))
    }
    expect(caught.length).toBeGreaterThan(0)
    expect(new Set(caught)).toEqual(new Set(['vault-history-broken']))
  })

  it('the very same file, copied page by page, opens', async () => {
    const folder = practice.copy()
    copyFileSync(dbPath(folder), join(folder, 'copy'))
    writeFileSync(dbPath(folder), Buffer.concat(pagesOf(newer).map((page) => at(newer, page))))
    expect(await outcome(folder)).toBe('same')
  })
})
