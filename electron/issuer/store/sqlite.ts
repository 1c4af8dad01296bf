import { closeSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type Database from 'better-sqlite3'
import { isKeyriteError, KeyriteError } from '../../../shared/errors.ts'
import { type EncryptedDatabase, openDatabase, sqliteError } from '../../sqlite/database.ts'
import { Store, type Value, Writer } from './store.ts'

/**
 * The embedded store: one encrypted SQLite file, used by several processes of one machine. Reading and changing have a
 * connection each, so that nothing that is not committed is ever read.
 */

/** How long a change waits for its turn, in milliseconds; the event loop is free meanwhile. */
const PATIENCE = 10_000
const RETRY = 5
/** A commit takes about a millisecond: for so long another process is asked about at every turn of the event loop. */
const SOON_OVER = 3

type Options = { path: string; key: Uint8Array; what: string }

export class SqliteStore extends Store {
  readonly #options: Options
  readonly #reading: Connection
  readonly #dataVersion: Database.Statement
  #changing: Connection | null = null
  #turn: Promise<unknown> = Promise.resolve()

  /** Opens the file; `schema` makes it. Codes `store-busy`, `store-damaged`, `medium-full`, `medium-failed`. */
  constructor(options: Options, schema?: string) {
    super()
    this.#options = { ...options, key: Uint8Array.from(options.key) }
    this.#reading = new Connection(this.#open({ create: schema !== undefined }), options)
    if (schema !== undefined) this.#reading.attempt((db) => db.exec(schema))
    this.#dataVersion = this.#reading.prepare('SELECT data_version FROM pragma_data_version').pluck()
  }

  async get<R>(sql: string, ...values: Value[]): Promise<R | undefined> {
    return this.#reading.get<R>(sql, values)
  }

  async all<R>(sql: string, ...values: Value[]): Promise<R[]> {
    return this.#reading.all<R>(sql, values)
  }

  change<T>(work: (tx: Writer) => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#change(work))
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Measured: about 2 microseconds. */
  revision(): number {
    return this.#dataVersion.get() as number
  }

  /** What a file says is there at once. */
  heard(): boolean {
    return true
  }

  /** A lock on a file of its own: it ends with its process, so that a crash leaves none. */
  async lock(name: string): Promise<() => Promise<void>> {
    const { path, key, what } = this.#options
    const file = join(dirname(path), `${name}.lock`)
    try {
      // Nothing is ever in it; the lock is on the file.
      closeSync(openSync(file, 'a', 0o600))
      const db = openDatabase({ path: file, key, profile: 'vault', what: 'lock' })
      return async () => void db.close()
    } catch (error) {
      throw storeError(error, what, file)
    }
  }

  /** Moves what was erased out of the write-ahead log; without effect while another process reads. */
  async clearTraces(): Promise<void> {
    await this.#turn
    this.#writer().attempt((db) => db.pragma('wal_checkpoint(TRUNCATE)'))
  }

  async close(): Promise<void> {
    await this.#turn
    this.#changing?.close()
    this.#reading.close()
    this.#options.key.fill(0)
  }

  async #change<T>(work: (tx: Writer) => Promise<T>): Promise<T> {
    const connection = this.#writer()
    await this.#begin(connection)
    try {
      const result = await work(new SqliteWriter(connection))
      connection.attempt((db) => db.exec('COMMIT'))
      return result
    } catch (error) {
      connection.attempt((db) => db.inTransaction && db.exec('ROLLBACK'))
      throw error
    }
  }

  async #begin(connection: Connection): Promise<void> {
    const since = performance.now()
    for (;;) {
      try {
        connection.attempt((db) => db.exec('BEGIN IMMEDIATE'))
        return
      } catch (error) {
        const waited = performance.now() - since
        if (!isKeyriteError(error, 'store-busy') || waited > PATIENCE) throw error
        await (waited < SOON_OVER ? setImmediate() : sleep(RETRY))
      }
    }
  }

  #writer(): Connection {
    this.#changing ??= new Connection(this.#open({ timeout: 0 }), this.#options)
    return this.#changing
  }

  #open(how: { create?: boolean; timeout?: number }): EncryptedDatabase {
    const { path, what } = this.#options
    try {
      return openDatabase({ ...this.#options, profile: 'store', ...how })
    } catch (error) {
      throw storeError(error, what, path)
    }
  }
}

class SqliteWriter extends Writer {
  readonly #connection: Connection

  constructor(connection: Connection) {
    super()
    this.#connection = connection
  }

  async get<R>(sql: string, ...values: Value[]): Promise<R | undefined> {
    return this.#connection.get<R>(sql, values)
  }

  async all<R>(sql: string, ...values: Value[]): Promise<R[]> {
    return this.#connection.all<R>(sql, values)
  }

  async run(sql: string, ...values: Value[]): Promise<number> {
    return this.#connection.run(sql, values)
  }

  async insert(into: string, rows: readonly Value[][], then = ''): Promise<void> {
    for (const row of rows) this.#connection.run(`${into} (${row.map(() => '?').join(', ')}) ${then}`, row)
  }
}

/** One connection with its prepared statements; its errors are the runtime's own. */
class Connection {
  readonly #db: EncryptedDatabase
  readonly #about: { path: string; what: string }
  readonly #statements = new Map<string, Database.Statement>()

  constructor(db: EncryptedDatabase, about: { path: string; what: string }) {
    this.#db = db
    this.#about = about
  }

  get<R>(sql: string, values: readonly Value[]): R | undefined {
    return this.attempt(() => this.prepare(sql).get(...values) as R | undefined)
  }

  all<R>(sql: string, values: readonly Value[]): R[] {
    return this.attempt(() => this.prepare(sql).all(...values) as R[])
  }

  run(sql: string, values: readonly Value[]): number {
    return this.attempt(() => this.prepare(sql).run(...values).changes)
  }

  prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  attempt<T>(work: (db: EncryptedDatabase) => T): T {
    try {
      return work(this.#db)
    } catch (error) {
      throw storeError(error, this.#about.what, this.#about.path)
    }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }
}

/** The opener speaks of vaults; an operator of a runtime needs other words. */
function storeError(error: unknown, what: string, path: string): unknown {
  const ours = error instanceof KeyriteError || !(error instanceof Error) ? error : known(error, what, path)
  if (isKeyriteError(ours, 'vault-in-use'))
    return new KeyriteError('store-busy', `The ${what} at ${path} is in use.`, { cause: error })
  if (isKeyriteError(ours, 'vault-damaged'))
    return new KeyriteError('store-damaged', `The ${what} at ${path} is damaged.`, { cause: error })
  if (String((ours as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT'))
    return new KeyriteError('store-busy', `Another command changed the ${what} at the same time.`, { cause: error })
  return ours
}

function known(error: Error, what: string, path: string): unknown {
  try {
    return sqliteError(error, what, path)
  } catch (same) {
    return same
  }
}
