import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { makeFolder, removeFile } from '../files/write.ts'
import { openDatabase, sqliteError } from '../sqlite/database.ts'
import { STORE_FILE } from './config.ts'
import type { Context } from './context.ts'
import { openReceiptSigner, ReceiptChain } from './receipt-chain.ts'
import { openStores } from './store/open.ts'
import type { Reader } from './store/store.ts'
import { Traffic } from './traffic.ts'

/** The copy that a drill works on (drill.ts). */

const COPY = '.drill-'

/**
 * Works on a copy of the store, as it is at one moment, while others go on with the real one. Codes `usage-invalid` for a
 * store in PostgreSQL, `store-busy` while there is another drill, `medium-full`, `medium-failed`.
 */
export async function onCopy<T>(context: Context, work: (copy: Context) => Promise<T>): Promise<T> {
  const { config, sealer } = context
  must(config.store === 'sqlite', 'usage-invalid', 'A drill works on a copy of a file, and this store is PostgreSQL.', {
    hint: 'Make a backup, restore it as a file into another folder, and hold the drill there.',
  })
  const unlock = await context.store.lock('drill')
  const dir = join(context.dir, `${COPY}${randomBytes(6).toString('hex')}`)
  try {
    // What a drill left that was ended by force: nobody else has one now.
    for (const name of readdirSync(context.dir)) if (name.startsWith(COPY)) removeFile(join(context.dir, name))
    makeFolder(dir)
    copyStore(join(context.dir, STORE_FILE), join(dir, STORE_FILE), sealer.fileKey)
    const { runtimeId } = config
    const stores = await openStores({ dir, runtimeId, store: 'sqlite', fileKey: sealer.fileKey })
    const { store } = stores
    try {
      const receipts = new ReceiptChain(store, await openReceiptSigner(store, sealer), config)
      // The second place belongs to the real runtime: what a drill states must never be there.
      return await work({ ...context, dir, store, receipts, traffic: new Traffic(stores.traffic), secondPlace: null })
    } finally {
      await stores.traffic.close()
      await store.close()
    }
  } finally {
    removeFile(dir)
    await unlock()
  }
}

/** One consistent copy under the same key; nobody who writes has to wait. */
function copyStore(from: string, to: string, key: Uint8Array): void {
  const db = openDatabase({ path: from, key, profile: 'store', what: 'runtime store' })
  try {
    db.prepare('VACUUM INTO ?').run(to)
    chmodSync(to, 0o600)
  } catch (error) {
    throw sqliteError(error, 'copy of the runtime store', to)
  } finally {
    db.close()
  }
}

const PAGE = 500
/** What a drill could change of a runtime: each table with its key, which pages it. */
const TABLES = [
  ['tenants', 'tenant'],
  ['removed_tenants', 'tenant'],
  ['keys', 'kid'],
  ['private_keys', 'kid'],
  ['tombstones', 'kid'],
  ['own_keys', 'kid'],
] as const

/** Tenants, keys and the end of the receipts of a store, row by row. */
export async function storeDigest(store: Reader): Promise<string> {
  const digest = createHash('sha256')
  for (const [table, key] of TABLES)
    for (let after = ''; ; ) {
      const sql = `SELECT * FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${PAGE}`
      const page = await store.all<Record<string, unknown>>(sql, after)
      for (const row of page) digest.update(JSON.stringify([table, row]))
      const last = page.at(-1)
      if (!last) break
      after = String(last[key])
    }
  const last = await store.get('SELECT seq, jws FROM receipts ORDER BY seq DESC LIMIT 1')
  return digest.update(JSON.stringify(last ?? null)).digest('base64url')
}
