import { join } from 'node:path'
import { KeyriteError, must } from '../../../shared/errors.ts'
import { openDatabase } from '../../sqlite/database.ts'
import { STORE_FILE } from '../config.ts'
import type { StorePlace } from '../store/open.ts'
import { PostgresDatabase } from '../store/postgres.ts'
import { SQLITE_RUNTIME } from '../store/schema.ts'
import type { Value, Writer } from '../store/store.ts'

/** All rows of a runtime's store at one instant, read on a connection of its own, so that nobody waits for it. */

export type TableRow = Record<string, Value>
export type Snapshot = { rows(table: string): AsyncGenerator<TableRow>; close(): Promise<void> }

/** Every table of the runtime but those that an import fills before it counts. */
export const TABLES: readonly string[] = [...SQLITE_RUNTIME.matchAll(/CREATE TABLE (\w+)/g)]
  .map(([, name = '']) => name)
  .filter((name) => !name.startsWith('staged_'))

const BATCH = 500

/** Codes `store-busy`, `store-damaged`, `store-unreachable`. */
export const openSnapshot = (place: StorePlace): Promise<Snapshot> =>
  place.store === 'sqlite' ? ofFile(place) : ofDatabase(place)

async function ofFile({ dir, fileKey: key }: StorePlace): Promise<Snapshot> {
  const db = openDatabase({ path: join(dir, STORE_FILE), key, profile: 'store', what: 'runtime store' })
  db.exec('BEGIN')
  return {
    async *rows(table) {
      let read = 0
      for (const row of db.prepare(`SELECT * FROM ${known(table)}`).iterate()) {
        yield row as TableRow
        // What this process serves goes on between two batches.
        if (++read % BATCH === 0) await new Promise(setImmediate)
      }
    },
    close: async () => void db.close(),
  }
}

async function ofDatabase({ store: url, password, runtimeId }: StorePlace): Promise<Snapshot> {
  const database = new PostgresDatabase({ url, password, runtimeId })
  try {
    const client = await database.pool.connect()
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    return {
      async *rows(table) {
        await client.query(`DECLARE everything NO SCROLL CURSOR FOR SELECT * FROM ${known(table)}`)
        for (let more = true; more; ) {
          const { rows } = await client.query(`FETCH ${BATCH} FROM everything`)
          yield* rows as TableRow[]
          more = rows.length === BATCH
        }
        await client.query('CLOSE everything')
      },
      async close() {
        client.release(true)
        await database.close()
      },
    }
  } catch (cause) {
    await database.close()
    if (cause instanceof KeyriteError) throw cause
    throw new KeyriteError('store-unreachable', 'The database of the runtime store does not answer.', { cause })
  }
}

function known(table: string): string {
  must(TABLES.includes(table), 'internal', 'A table of the store is not known.')
  return table
}

/** Inserts a row as it was read. Its columns are names of the schema. */
export async function putRow(tx: Writer, table: string, row: TableRow): Promise<void> {
  const names = Object.keys(row)
  const fits = names.every((name) => /^[a-z_]{1,40}$/.test(name))
  must(fits, 'format-invalid', `A row of ${table} has a column with another name.`)
  const sql = `INSERT INTO ${known(table)} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  await tx.run(sql, ...Object.values(row))
}
