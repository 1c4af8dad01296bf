import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isKeyriteError, KeyriteError, must } from '../../../shared/errors.ts'
import { ioError } from '../../files/errors.ts'
import { removeFile } from '../../files/write.ts'
import { type EncryptedDatabase, openDatabase } from '../../sqlite/database.ts'
import { type EffectiveConfig, STORE_FILE } from '../config.ts'
import { ERASED_COUNT } from '../lifecycle.ts'
import { openReceiptSigner, ReceiptChain } from '../receipt-chain.ts'
import type { Sealer } from '../sealing.ts'
import { makeStores, openStores, placeOf, TRAFFIC_FILE } from '../store/open.ts'
import { SQLITE_TRAFFIC } from '../store/schema.ts'
import type { Store, Value, Writer } from '../store/store.ts'
import { Resealing } from './resealing.ts'
import type { Rotated } from './second-place.ts'
import { TABLES, type TableRow } from './snapshot.ts'

/** A whole store under a new storage key: new files, because a file that is keyed anew in place may end unreadable. */

export type Reseal = { dir: string; config: EffectiveConfig; from: Sealer; to: Sealer; actor: string }
type Release = () => Promise<void>

const BATCH = 500
/** New files under the new key, until the configuration names it. */
export const ROTATING = 'rotating'
const TRAFFIC_TABLES = [...SQLITE_TRAFFIC.matchAll(/CREATE TABLE (\w+)/g)].map(([, name = '']) => name)

/**
 * Writes the files of the store anew into the folder `rotating`. Holds the old ones alone until it is released. Code
 * `store-busy` while any other process has them open.
 */
export async function resealFiles({ dir, config, from, to, actor }: Reseal): Promise<Release> {
  const held: EncryptedDatabase[] = []
  const release = async () => {
    for (const db of held) db.close()
  }
  const folder = join(dir, ROTATING)
  try {
    const [store, traffic] = [STORE_FILE, TRAFFIC_FILE].map((name) => alone(join(dir, name), from.fileKey, held))
    removeFile(folder)
    // Files that only carry locks are keyed too; nobody holds one while the store is ours alone.
    for (const name of readdirSync(dir)) if (name.endsWith('.lock')) removeFile(join(dir, name))
    mkdirSync(folder, { mode: 0o700 })
    const made = await makeStores(placeOf(folder, config, to.fileKey))
    try {
      const resealing = new Resealing(from, to)
      for (const table of TABLES) await copy(store, made.store, table, (row) => resealing.row(table, row))
      for (const table of TRAFFIC_TABLES) await copy(traffic, made.traffic, table, (row) => row)
      await made.store.change((tx) => conclude(tx, made.store, { config, from, to, actor }))
    } finally {
      await made.traffic.close()
      await made.store.close()
    }
    verify(folder, to, store)
    return release
  } catch (error) {
    await release()
    throw error instanceof KeyriteError || !(error instanceof Error && 'syscall' in error)
      ? error
      : ioError(error, 'Writing', folder)
  }
}

/** Opens a file that nobody else has open: leaving the write-ahead log needs that. Code `store-busy`. */
function alone(path: string, key: Uint8Array, held: EncryptedDatabase[]): EncryptedDatabase {
  try {
    const db = openDatabase({ path, key, profile: 'vault', what: 'runtime store' })
    held.push(db)
    return db
  } catch (error) {
    if (!isKeyriteError(error, 'vault-in-use')) throw error
    throw new KeyriteError('store-busy', 'Another process has this runtime open.', {
      hint: 'Stop "issuer serve" and every other command first.',
      cause: error,
    })
  }
}

async function copy(
  from: EncryptedDatabase | undefined,
  to: Store,
  table: string,
  change: (row: TableRow) => TableRow,
): Promise<void> {
  must(from, 'internal', 'A file of the store is not open.')
  const rows = from.prepare(`SELECT * FROM ${table}`).iterate() as IterableIterator<TableRow>
  for (let done = false; !done; )
    await to.change(async (tx) => {
      for (let some = 0; some < BATCH; some++) {
        const next = rows.next()
        done = next.done === true
        if (next.done) return
        const row = change(next.value)
        const names = Object.keys(row)
        await tx.insert(`INSERT INTO ${table} (${names.join(', ')}) VALUES`, [Object.values(row)])
      }
    })
}

/** The new files hold as many rows, and one receipt more, as a fresh connection reads them. Code `medium-failed`. */
function verify(folder: string, to: Sealer, old: EncryptedDatabase | undefined): void {
  const path = join(folder, STORE_FILE)
  const db = openDatabase({ path, key: to.fileKey, profile: 'vault', what: 'runtime store' })
  try {
    const count = (of: EncryptedDatabase | undefined, table: string) =>
      Number(of?.prepare(`SELECT count(*) FROM ${table}`).pluck().get())
    for (const table of TABLES.filter((name) => name !== 'meta' && name !== 'receipts'))
      must(count(db, table) === count(old, table), 'medium-failed', `Writing ${path}: it reads back differently.`)
    for (const { kid, tenant, sealed, data_key } of db.prepare(HALVES).iterate() as IterableIterator<Half>)
      to.openKey(tenant, kid, data_key, sealed).fill(0)
  } finally {
    db.close()
  }
}

type Half = { kid: string; tenant: string; sealed: Uint8Array; data_key: Uint8Array }
const HALVES = 'SELECT p.kid, p.tenant, p.sealed, t.data_key FROM private_keys p JOIN tenants t ON t.tenant = p.tenant'

/** The same in a database, in one change. Another replica may have done it before. Codes of the store. */
export async function resealDatabase({ dir, config, from, to, actor }: Reseal): Promise<Release> {
  const { store } = await openStores(placeOf(dir, config, from.fileKey))
  try {
    const unlock = await store.lock('import')
    try {
      await store.change(async (tx) => {
        if ((await tx.meta<string>('storage-key')) === to.keyId) return
        const resealing = new Resealing(from, to)
        for (const { table, key, column } of SEALED) await update(tx, resealing, table, key, column)
        await tx.run('UPDATE tenants SET version = ?', await tx.version())
        for (const table of ['staged_tenants', 'staged_private_keys']) await tx.run(`DELETE FROM ${table}`)
        await conclude(tx, store, { config, from, to, actor })
      })
    } finally {
      await unlock()
    }
  } finally {
    await store.close()
  }
  return async () => {}
}

const SEALED = [
  { table: 'tenants', key: 'tenant', column: 'data_key' },
  { table: 'private_keys', key: 'kid', column: 'sealed' },
  { table: 'own_keys', key: 'kid', column: 'sealed' },
] as const

async function update(tx: Writer, resealing: Resealing, table: string, key: string, column: string): Promise<void> {
  const tenant = table === 'private_keys' ? ', tenant' : ''
  const sql = `SELECT ${key}, ${column}${tenant} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${BATCH}`
  for (let after = ''; ; ) {
    const page = await tx.all<TableRow>(sql, after)
    for (const row of page) {
      const value: Value = resealing.row(table, row)[column] ?? null
      await tx.run(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`, value, row[key] ?? null)
    }
    const last = page.at(-1)
    if (!last) return
    after = String(last[key])
  }
}

/** What the store says of its new key, and the receipt. The receipt key is signed with as it was: only its seal is new. */
async function conclude(tx: Writer, store: Store, { config, from, to, actor }: Omit<Reseal, 'dir'>): Promise<void> {
  const receipts = new ReceiptChain(store, await openReceiptSigner(tx, to), config)
  const at = (await tx.clock()).floor
  await tx.setMeta('storage-key', to.keyId)
  await tx.setMeta('rotated', { from: from.keyId, at } satisfies Rotated)
  await tx.setMeta(ERASED_COUNT, 0)
  await receipts.append(tx, at, { type: 'storage-key-rotated', from: from.keyId, to: to.keyId, actor })
}
