import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPeopleFile } from '../../electron/vault/people-store.ts'
import { dbPath, Vault } from '../../electron/vault/vault.ts'
import { verifyVault } from '../../electron/vault/verify.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { parsePeopleFile } from '../../shared/formats/people-file.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { contentOf, makePractice, type Practice } from '../vault/practice.ts'

/** Fault 5: every byte of vault.db and people.json flipped [detected, clear error]. */

let practice: Practice
beforeAll(async () => {
  practice = await makePractice()
})
afterAll(() => practice.remove())

/** Each byte gets another of the eight single-bit changes, so that all kinds of change occur all over the file. */
const flipped = (bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> => {
  const copy = new Uint8Array(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << ((at * 5) % 8))
  return copy
}

/** What an attempt ends with: the code of a foreseen failure, or anything else in words. */
const outcome = async (attempt: () => unknown): Promise<string> => {
  try {
    await attempt()
    return 'accepted'
  } catch (error) {
    if (isKeyriteError(error)) return error.code
    return `not foreseen: ${String(error)}`
  }
}

describe('people.json', () => {
  // Whatever opens a vault parses this file, verifies its trust anchor and compares the rest with the history.
  const CLEAR = new Set([
    'vault-damaged',
    'kdf-refused',
    'vault-people-changed',
    'vault-history-broken',
    'json-invalid',
    'format-invalid',
    'jose-refused',
    'signature-invalid',
    'practice-refused',
    'decryption-failed',
  ])

  it('every single byte, flipped, is detected by the parser, the trust anchor or the comparison with the history', async () => {
    const vault = await Vault.openFor(practice.copy(), practice.present)
    const { state, anchor } = vault
    vault.close()
    const original = readFileSync(join(practice.folder, 'people.json'))
    const check = async (bytes: Uint8Array) => {
      const file = parsePeopleFile(bytes)
      if (file.anchor !== state.anchor) {
        await openTrustAnchor(file.anchor)
        throw new Error('another trust anchor verifies')
      }
      await checkPeopleFile(file, state, anchor)
    }
    expect(await outcome(() => check(original))).toBe('accepted')
    const wrong: string[] = []
    for (let at = 0; at < original.length; at++) {
      const result = await outcome(() => check(flipped(original, at)))
      if (!CLEAR.has(result)) wrong.push(`byte ${at}: ${result}`)
    }
    expect(wrong).toEqual([])
  })

  it('a spread of bytes, flipped in the file itself: the vault does not open, and nothing is changed by trying', async () => {
    const folder = practice.copy()
    const path = join(folder, 'people.json')
    const original = readFileSync(path)
    const before = readFileSync(dbPath(folder))
    const seen = new Map<string, number>()
    for (let at = 3; at < original.length; at += 101) {
      const damaged = flipped(original, at)
      writeFileSync(path, damaged)
      const result = await outcome(async () => (await Vault.openFor(folder, practice.present)).close())
      seen.set(result, (seen.get(result) ?? 0) + 1)
      expect(CLEAR.has(result), `byte ${at}: ${result}`).toBe(true)
      expect(readFileSync(path).equals(damaged)).toBe(true)
    }
    expect(seen.get('vault-people-changed')).toBeGreaterThan(0)
    expect(readFileSync(dbPath(folder)).equals(before)).toBe(true)
    writeFileSync(path, original)
    expect(await outcome(async () => (await Vault.openFor(folder, practice.present)).close())).toBe('accepted')
  })

  it.each([
    ['cut at every 200th length', (bytes: Buffer, at: number) => bytes.subarray(0, at)],
    ['with bytes after its end', (bytes: Buffer, at: number) => Buffer.concat([bytes, bytes.subarray(0, at + 1)])],
  ])('%s it is vault-damaged', async (_how, change) => {
    const folder = practice.copy()
    const path = join(folder, 'people.json')
    const original = readFileSync(path)
    for (let at = 0; at < original.length; at += 200) {
      writeFileSync(path, change(original, at))
      expect(await outcome(() => Vault.openFor(folder, practice.present)), `${at}`).toBe('vault-damaged')
    }
  })
})

describe('vault.db', () => {
  const PAGE = 4096

  /** Opens and, if that works, verifies; the file is put back as it was. */
  const attempt = async (folder: string, damaged: Uint8Array) => {
    writeFileSync(dbPath(folder), damaged)
    return outcome(async () => {
      const vault = await Vault.openFor(folder, practice.only('emmy'))
      try {
        await verifyVault(vault)
      } finally {
        vault.close()
      }
    })
  }

  it('the header, the edges and a spread of every page, flipped: vault-damaged when opened or verified', async () => {
    const folder = practice.copy()
    const original = readFileSync(dbPath(folder))
    const pages = original.length / PAGE
    expect(pages).toBeGreaterThanOrEqual(8)
    const offsets = (page: number) => {
      const spread = page === 0 ? Array.from({ length: 100 }, (_, at) => at) : [0, 7, 8, 99]
      return [...spread, 2048 + page, PAGE - 33, PAGE - 32, PAGE - 16, PAGE - 1]
    }
    const wrong: string[] = []
    for (let page = 0; page < pages; page++)
      for (const offset of offsets(page)) {
        const result = await attempt(folder, flipped(original, page * PAGE + offset))
        if (result !== 'vault-damaged') wrong.push(`page ${page + 1}, byte ${offset}: ${result}`)
      }
    expect(wrong).toEqual([])
    expect(await attempt(folder, original)).toBe('accepted')
  })

  it('every single byte of every page, flipped under an open vault: the page is never read as if it were whole', async () => {
    const folder = practice.copy()
    const original = readFileSync(dbPath(folder))
    const vault = await Vault.openFor(folder, practice.present)
    const expected = contentOf(vault)
    const read = () => {
      vault.database.pragma('shrink_memory')
      const content = contentOf(vault)
      // Pages that only an index uses are read by this; it reports instead of failing.
      if (vault.database.pragma('integrity_check', { simple: true }) !== 'ok')
        throw Object.assign(new Error('reported'), { code: 'integrity_check' })
      return content
    }
    expect(read()).toBe(expected)
    const fd = openSync(dbPath(folder), 'r+')
    const wrong: string[] = []
    const codes = new Set<string>()
    for (let at = 0; at < original.length; at++) {
      writeSync(fd, flipped(original, at), at, 1, at)
      try {
        read()
        wrong.push(`byte ${at} was not noticed`)
      } catch (error) {
        codes.add(String((error as { code?: unknown }).code))
      }
      writeSync(fd, original, at, 1, at)
    }
    fsyncSync(fd)
    expect(wrong).toEqual([])
    expect([...codes].filter((code) => !/^(?:SQLITE_NOTADB|SQLITE_CORRUPT|integrity_check$)/.test(code))).toEqual([])
    expect(read()).toBe(expected)
    vault.close()
    closeSync(fd)
  })

  it.each([
    ['cut to nothing', (bytes: Buffer) => bytes.subarray(0, 0)],
    ['cut within page 1', (bytes: Buffer) => bytes.subarray(0, 1000)],
    ['cut after page 1', (bytes: Buffer) => bytes.subarray(0, PAGE)],
    ['without its last page', (bytes: Buffer) => bytes.subarray(0, bytes.length - PAGE)],
    [
      'with two pages exchanged',
      (bytes: Buffer) =>
        Buffer.concat([
          bytes.subarray(0, 2 * PAGE),
          bytes.subarray(3 * PAGE, 4 * PAGE),
          bytes.subarray(2 * PAGE, 3 * PAGE),
          bytes.subarray(4 * PAGE),
        ]),
    ],
    ['of zeros', (bytes: Buffer) => Buffer.alloc(bytes.length)],
  ])('%s it is vault-damaged', async (_how, change) => {
    const folder = practice.copy()
    expect(await attempt(folder, change(readFileSync(dbPath(folder))))).toBe('vault-damaged')
  })
})
