import { closeSync, openSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { isKeyriteError, KeyriteError } from '../../shared/errors.ts'
import { type EncryptedDatabase, openDatabase, sqliteError, transact } from '../sqlite/database.ts'
import { SCHEMA } from './schema.ts'

/** The runtime's encrypted store: statements are prepared once, errors are the runtime's own. */

const WHAT = 'runtime store'

type Value = string | number | bigint | Uint8Array | null

/** What the newest imported bundle was. */
export type CurrentBundle = {
  number: number
  /** Digest of its manifest line. */
  head: string
  importedAt: number
  /** The last receipt that the vault had taken when it was made. */
  receiptsSeen: number
  eventSeq: number
  /** Digest of the material manifest once its keys are here. */
  material: string | null
}

/** The clock as it survives a restart. Instants in seconds. */
export type ClockState = {
  /** High-water: trusted time never goes below. */
  floor: number
  /** The last tick of a serving process. */
  servedUntil: number | null
  /** The last confirmation by an operator. */
  confirmedAt: number | null
  hold: ClockHold | null
}

/** `jump`: time stands still at `from`. `downtime`: time goes on, but nothing is erased. */
export type ClockHold = { kind: 'jump' | 'downtime'; from: number; to: number }

export class Store {
  readonly #db: EncryptedDatabase
  readonly #statements = new Map<string, Database.Statement>()
  readonly #dataVersion: Database.Statement

  constructor(db: EncryptedDatabase) {
    this.#db = db
    this.#dataVersion = db.prepare('SELECT data_version FROM pragma_data_version').pluck()
  }

  get<R>(sql: string, ...values: Value[]): R | undefined {
    return this.#run(() => this.#prepare(sql).get(...values) as R | undefined)
  }

  all<R>(sql: string, ...values: Value[]): R[] {
    return this.#run(() => this.#prepare(sql).all(...values) as R[])
  }

  /** Gives the number of rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return this.#run(() => this.#prepare(sql).run(...values).changes)
  }

  /** One immediate transaction; within another one, a part of it. Nothing in it may wait. */
  change<T>(work: () => T): T {
    return this.#run(() => transact(this.#db, WHAT, work))
  }

  /** A number that changes when another connection has committed (measured: about 2 microseconds). */
  dataVersion(): number {
    return this.#dataVersion.get() as number
  }

  bundle(): CurrentBundle | null {
    return this.#meta<CurrentBundle>('bundle')
  }

  setBundle(bundle: CurrentBundle): void {
    this.#setMeta('bundle', bundle)
  }

  clock(): ClockState {
    return this.#meta<ClockState>('clock') ?? { floor: 0, servedUntil: null, confirmedAt: null, hold: null }
  }

  setClock(state: ClockState): void {
    this.#setMeta('clock', state)
  }

  /** Moves what was erased out of the write-ahead log; without effect while another process reads. */
  checkpoint(): void {
    this.#run(() => this.#db.pragma('wal_checkpoint(TRUNCATE)'))
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #meta<T>(name: string): T | null {
    const row = this.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)
    return row ? (JSON.parse(row.value) as T) : null
  }

  #setMeta(name: string, value: unknown): void {
    this.run('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)', name, JSON.stringify(value))
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #run<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw storeError(error, this.#db.name)
    }
  }
}

/** Opens the store, or makes it. Codes: `store-busy`, `store-damaged`, `medium-full`, `medium-failed`. */
export function openStore(path: string, key: Uint8Array, { create = false } = {}): Store {
  try {
    const db = openDatabase({ path, key, profile: 'store', what: WHAT, create })
    if (create) db.exec(SCHEMA)
    return new Store(db)
  } catch (error) {
    throw storeError(error, path)
  }
}

/** Holds a file exclusively among all processes until the returned function is called. Code `store-busy`. */
export function lockFile(path: string, key: Uint8Array): () => void {
  try {
    // Nothing is ever in it; the lock is on the file.
    closeSync(openSync(path, 'a', 0o600))
    const db = openDatabase({ path, key, profile: 'vault', what: 'lock' })
    return () => db.close()
  } catch (error) {
    throw storeError(error, path)
  }
}

/** The opener speaks of vaults; an operator of a runtime needs other words. */
function storeError(error: unknown, path: string): unknown {
  const ours = error instanceof KeyriteError || !(error instanceof Error) ? error : sqliteSafe(error, path)
  if (isKeyriteError(ours, 'vault-in-use'))
    return new KeyriteError('store-busy', `The ${WHAT} at ${path} is in use.`, { cause: error })
  if (isKeyriteError(ours, 'vault-damaged'))
    return new KeyriteError('store-damaged', `The ${WHAT} at ${path} is damaged.`, { cause: error })
  if (String((ours as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT'))
    return new KeyriteError('store-busy', `Another command changed the ${WHAT} at the same time.`, { cause: error })
  return ours
}

function sqliteSafe(error: Error, path: string): unknown {
  try {
    return sqliteError(error, WHAT, path)
  } catch (same) {
    return same
  }
}
