import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { KeyriteError, must } from '../../shared/errors.ts'

/**
 * The one opener of encrypted databases. `cipher` and `key` come before every other statement, because a statement that
 * reaches an encrypted file without its key can destroy pages of a hot journal. No other file may construct a Database.
 */

export type EncryptedDatabase = Database.Database

/** How a file is used: a vault by one process alone, a runtime store by several. */
export type Profile = 'vault' | 'store'

const PRAGMAS: Record<Profile, readonly string[]> = {
  vault: ['journal_mode = DELETE', 'synchronous = EXTRA', 'locking_mode = EXCLUSIVE'],
  store: ['journal_mode = WAL', 'synchronous = FULL', 'wal_autocheckpoint = 1000'],
}
const COMMON = [
  'secure_delete = ON',
  'temp_store = MEMORY',
  'trusted_schema = OFF',
  'foreign_keys = ON',
  'cell_size_check = ON',
]

export type OpenOptions = {
  path: string
  /** 32 random bytes. */
  key: Uint8Array
  profile: Profile
  /** What the file is, for messages: "vault", "runtime store". */
  what: string
  create?: boolean
  /** How long to wait for a lock, in milliseconds; by default not at all for a vault, 5 seconds for a store. */
  timeout?: number
}

/**
 * Opens (or, with `create`, makes) an encrypted SQLite file. Codes: `vault-in-use` when another process holds it,
 * `vault-damaged` when the key does not open it or page 1 is damaged, `medium-full`, `medium-failed`.
 */
export function openDatabase({ path, key, profile, what, create = false, timeout }: OpenOptions): EncryptedDatabase {
  must(key.length === 32, 'internal', 'A database key has 32 bytes.')
  let db: EncryptedDatabase | undefined
  try {
    // Made first, so that the file is its owner's alone from the beginning and nothing that exists is taken over.
    if (create) closeSync(openSync(path, 'wx', 0o600))
    db = new Database(path, { fileMustExist: true, timeout: timeout ?? (profile === 'vault' ? 0 : 5000) })
    db.pragma("cipher = 'chacha20'")
    db.key(Buffer.from(key))
    for (const pragma of [...COMMON, ...PRAGMAS[profile]]) db.pragma(pragma)
    // The first read proves the key; in exclusive mode a write lock is taken and kept, so that a second instance is refused.
    db.prepare('SELECT count(*) FROM sqlite_master').get()
    if (profile === 'vault') db.exec('BEGIN EXCLUSIVE; COMMIT')
    return db
  } catch (error) {
    db?.close()
    throw sqliteError(error, what, path)
  }
}

/** Turns an SQLite error into one of ours, by its code and never by its text. */
export function sqliteError(error: unknown, what: string, path: string): KeyriteError {
  if (error instanceof KeyriteError) return error
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  if (typeof syscall === 'string')
    return new KeyriteError(
      code === 'ENOSPC' ? 'medium-full' : 'medium-failed',
      `Making the ${what} at ${path}: the medium reports ${String(code)}.`,
      { cause: error },
    )
  const sqlite = typeof code === 'string' ? code : ''
  if (sqlite.startsWith('SQLITE_BUSY') || sqlite.startsWith('SQLITE_LOCKED'))
    return new KeyriteError('vault-in-use', `This ${what} is open in another program.`, { cause: error })
  if (sqlite === 'SQLITE_NOTADB' || sqlite.startsWith('SQLITE_CORRUPT'))
    return new KeyriteError('vault-damaged', `This ${what} does not open with its key, or it is damaged.`, {
      cause: error,
    })
  if (sqlite === 'SQLITE_FULL')
    return new KeyriteError('medium-full', `Writing the ${what}: the medium is full.`, { cause: error })
  if (sqlite.startsWith('SQLITE_IOERR') || sqlite.startsWith('SQLITE_READONLY') || sqlite === 'SQLITE_CANTOPEN')
    return new KeyriteError('medium-failed', `Using the ${what} at ${path}: the medium reports ${sqlite}.`, {
      lost: 'Whether the last change was kept shows when it is opened again; half of it never is.',
      cause: error,
    })
  throw error
}

/** Runs `work` in one immediate transaction: all of it is committed, or none. Errors as `sqliteError`. */
export function transact<T>(db: EncryptedDatabase, what: string, work: () => T): T {
  try {
    return db.transaction(work).immediate()
  } catch (error) {
    throw sqliteError(error, what, db.name)
  }
}
