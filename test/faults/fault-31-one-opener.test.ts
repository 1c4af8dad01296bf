import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import * as opener from '../../electron/sqlite/database.ts'

/** Fault 31: a statement reaches the vault's file before its key [impossible by construction; one opener]. */

const calls = vi.hoisted(() => [] as [string, unknown][])
vi.mock('better-sqlite3', async (original) => {
  const { default: Real } = await original<{ default: typeof Database }>()
  class Recorded extends Real {
    override pragma(source: string, options?: Database.PragmaOptions) {
      calls.push(['pragma', source])
      return super.pragma(source, options)
    }
    override key(key: Buffer) {
      calls.push(['key', key.toString('hex')])
      return super.key(key)
    }
    override exec(source: string) {
      calls.push(['exec', source])
      return super.exec(source)
    }
  }
  const { prepare } = Real.prototype
  Object.defineProperty(Recorded.prototype, 'prepare', {
    value(this: Database.Database, source: string) {
      calls.push(['prepare', source])
      return prepare.call(this, source)
    },
  })
  return { default: Recorded }
})

const { openDatabase } = opener
const ROOT = new URL('../../', import.meta.url).pathname
const key = new Uint8Array(32).fill(5)
let base: string
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'keyrite-opener-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))
beforeEach(() => {
  calls.length = 0
})

function newFile(name: string, profile: 'vault' | 'store' = 'vault'): string {
  const path = join(base, name)
  const db = openDatabase({ path, key, profile, what: 'vault', create: true })
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)')
  for (let row = 0; row < 100; row++) db.prepare('INSERT INTO t (b) VALUES (randomblob(1000))').run()
  db.close()
  return path
}

describe('the source', () => {
  const sources = ['electron', 'shared', 'renderer', 'bench'].flatMap((folder) =>
    existsSync(join(ROOT, folder))
      ? readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
          // What the build tells Vite runs in no app; it names the library as one that stays outside the bundle.
          .filter((name) => /\.tsx?$/.test(name) && !/(?:^|[/\\])vite\.[\w.]+\.ts$/.test(name))
          .map((name) => join(folder, name))
      : [],
  )

  it('only electron/sqlite/database.ts loads the SQLite library or constructs a Database', () => {
    expect(sources.length).toBeGreaterThan(30)
    const using = sources.filter((name) =>
      /['"](?:better-sqlite3[^'"]*|node:sqlite)['"]|new Database\s*\(/.test(
        // What is imported only as a type is gone when the file runs.
        readFileSync(join(ROOT, name), 'utf8').replace(/^import type .*$/gm, ''),
      ),
    )
    expect(using).toEqual([join('electron', 'sqlite', 'database.ts')])
  })

  it('it constructs one in exactly one place, and never re-keys in place', () => {
    const text = readFileSync(join(ROOT, 'electron/sqlite/database.ts'), 'utf8')
    expect(text.match(/new Database\(/g)).toHaveLength(1)
    for (const name of sources)
      expect(readFileSync(join(ROOT, name), 'utf8'), name).not.toMatch(/\.rekey\(|PRAGMA rekey|'rekey/i)
  })

  it('it exports nothing else that could open a file', () => {
    expect(Object.keys(opener).sort()).toEqual(['openDatabase', 'sqliteError', 'transact'])
  })
})

describe('the order of statements on a real file', () => {
  it.each(['vault', 'store'] as const)('%s: cipher, then the key, then everything else', (profile) => {
    const path = newFile(`order-${profile}.db`, profile)
    calls.length = 0
    openDatabase({ path, key, profile, what: 'vault' }).close()
    expect(calls.slice(0, 2)).toEqual([
      ['pragma', "cipher = 'chacha20'"],
      ['key', Buffer.from(key).toString('hex')],
    ])
    expect(calls.length).toBeGreaterThan(4)
    expect(calls.slice(2).filter(([what]) => what === 'key')).toEqual([])
  })

  it('a vault is durable, leaves no plain temporary files and forgets deleted pages', () => {
    const db = openDatabase({ path: newFile('settings.db'), key, profile: 'vault', what: 'vault' })
    const setting = (name: string) => db.pragma(name, { simple: true })
    expect(setting('journal_mode')).toBe('delete')
    expect(setting('synchronous')).toBe(3)
    expect(setting('secure_delete')).toBe(1)
    expect(setting('temp_store')).toBe(2)
    expect(setting('trusted_schema')).toBe(0)
    expect(setting('locking_mode')).toBe('exclusive')
    db.close()
  })

  it.each([
    ['another key', () => new Uint8Array(32).fill(6)],
    ['the key with one bit changed', () => key.map((byte, at) => (at === 31 ? byte ^ 1 : byte))],
    ['a key of zeros', () => new Uint8Array(32)],
  ])('%s: vault-damaged, and the file stays as it is', (_what, wrong) => {
    const path = newFile('wrong-key.db')
    const before = readFileSync(path)
    expect(() => openDatabase({ path, key: wrong(), profile: 'vault', what: 'vault' })).toThrow(
      expect.objectContaining({ code: 'vault-damaged' }),
    )
    expect(readFileSync(path).equals(before)).toBe(true)
    rmSync(path)
  })

  it.each([0, 16, 31, 33, 64])('a key of %i bytes is refused before the file is touched or made', (length) => {
    const path = join(base, 'short.db')
    expect(() =>
      openDatabase({ path, key: new Uint8Array(length), profile: 'vault', what: 'vault', create: true }),
    ).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(calls).toEqual([])
    expect(existsSync(path)).toBe(false)
  })

  it('a missing file is not made unless asked for: medium-failed', () => {
    const path = join(base, 'missing.db')
    expect(() => openDatabase({ path, key, profile: 'vault', what: 'vault' })).toThrow(
      expect.objectContaining({ code: 'medium-failed' }),
    )
    expect(existsSync(path)).toBe(false)
  })

  it('what stands in the file is encrypted: no header of SQLite, no table name', () => {
    const bytes = readFileSync(newFile('header.db'))
    expect(bytes.includes('SQLite format 3')).toBe(false)
    expect(bytes.includes('CREATE TABLE')).toBe(false)
  })

  it('a plain SQLite file is not taken for a vault: vault-damaged', () => {
    const path = join(base, 'plain.db')
    const header = Buffer.alloc(4096)
    header.write('SQLite format 3\0', 'latin1')
    header.set([0x10, 0x00, 1, 1, 0, 64, 32, 32, 0, 0, 0, 1, 0, 0, 0, 1], 16)
    header.set([0x0d, 0, 0, 0, 0, 0x10, 0x00, 0], 100)
    writeFileSync(path, header)
    expect(() => openDatabase({ path, key, profile: 'vault', what: 'vault' })).toThrow(
      expect.objectContaining({ code: 'vault-damaged' }),
    )
    expect(readFileSync(path).equals(header)).toBe(true)
  })
})

describe('a hot journal, as a kill in the middle of a transaction leaves it', () => {
  const SUM = 'SELECT count(*) AS n, group_concat(hex(substr(b, 1, 8))) AS h FROM t'

  it('the wrong key refuses and keeps the journal; the right one then finds exactly the state before', () => {
    const path = newFile('hot-origin.db')
    const hot = join(base, 'hot.db')
    const db = openDatabase({ path, key, profile: 'vault', what: 'vault' })
    const before = db.prepare(SUM).get()
    db.pragma('cache_size = 5')
    db.exec('BEGIN; UPDATE t SET b = randomblob(1000); DELETE FROM t WHERE a % 3 = 0')
    expect(db.prepare(SUM).get()).not.toEqual(before)
    copyFileSync(path, hot)
    copyFileSync(`${path}-journal`, `${hot}-journal`)
    db.exec('ROLLBACK')
    db.close()
    expect(readFileSync(hot).equals(readFileSync(path))).toBe(false)
    for (const byte of [6, 7])
      expect(() =>
        openDatabase({ path: hot, key: new Uint8Array(32).fill(byte), profile: 'vault', what: 'vault' }),
      ).toThrow(expect.objectContaining({ code: 'vault-damaged' }))
    expect(existsSync(`${hot}-journal`)).toBe(true)
    const again = openDatabase({ path: hot, key, profile: 'vault', what: 'vault' })
    expect(again.prepare(SUM).get()).toEqual(before)
    expect(again.pragma('integrity_check', { simple: true })).toBe('ok')
    again.close()
    expect(existsSync(`${hot}-journal`)).toBe(false)
  })
})
