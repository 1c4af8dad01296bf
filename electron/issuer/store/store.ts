/**
 * What the runtime asks of a database. Two kinds fit: an encrypted SQLite file (sqlite.ts) and PostgreSQL (postgres.ts);
 * both run the same SQL with `?` for values. Changes are made one after another, whichever process makes them, so that
 * what was read within a change is still so when it is committed.
 */

export type Value = string | number | Uint8Array | null

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

export abstract class Reader {
  abstract get<R>(sql: string, ...values: Value[]): Promise<R | undefined>
  abstract all<R>(sql: string, ...values: Value[]): Promise<R[]>

  bundle(): Promise<CurrentBundle | null> {
    return this.meta<CurrentBundle>('bundle')
  }

  async clock(): Promise<ClockState> {
    return (await this.meta<ClockState>('clock')) ?? { floor: 0, servedUntil: null, confirmedAt: null, hold: null }
  }

  /** A named value of the runtime as a whole, or null. */
  async meta<T>(name: string): Promise<T | null> {
    const row = await this.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)
    return row ? (JSON.parse(row.value) as T) : null
  }
}

/** What a change may do. It counts only once the change is committed. */
export abstract class Writer extends Reader {
  #version: Promise<number> | null = null

  /** Gives the number of rows it changed. */
  abstract run(sql: string, ...values: Value[]): Promise<number>
  /** Inserts many rows at once: `INSERT INTO t (a, b) VALUES`, the rows, and what may follow. */
  abstract insert(into: string, rows: readonly Value[][], then?: string): Promise<void>

  setBundle(bundle: CurrentBundle): Promise<void> {
    return this.setMeta('bundle', bundle)
  }

  setClock(state: ClockState): Promise<void> {
    return this.setMeta('clock', state)
  }

  async setMeta(name: string, value: unknown): Promise<void> {
    const sql = 'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'
    await this.run(sql, name, JSON.stringify(value))
  }

  /** The number of this change, greater than every one before: what it marks, running servers load anew. */
  version(): Promise<number> {
    this.#version ??= this.#nextVersion()
    return this.#version
  }

  async #nextVersion(): Promise<number> {
    const next = ((await this.meta<number>('version')) ?? 0) + 1
    await this.setMeta('version', next)
    return next
  }
}

export abstract class Store extends Reader {
  /** One transaction: all of `work` counts, or nothing. Changes never run inside each other. Code `store-busy`. */
  abstract change<T>(work: (tx: Writer) => Promise<T>): Promise<T>
  /** A number that is another one once anybody, this process included, has committed a change. */
  abstract revision(): number
  /** False once nothing was heard from the database for some seconds: then nobody knows of others' changes. */
  abstract heard(): boolean
  /** Holds a name alone among all processes of this runtime, until the function it gives is called. Code `store-busy`. */
  abstract lock(name: string): Promise<() => Promise<void>>
  /** Clears what was erased out of logs as far as this kind of store can. */
  abstract clearTraces(): Promise<void>
  abstract close(): Promise<void>
}
