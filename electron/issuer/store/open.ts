import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../../shared/errors.ts'
import { type EffectiveConfig, readStorePassword, STORE_FILE, storePasswordPath } from '../config.ts'
import { PostgresDatabase, PostgresStore } from './postgres.ts'
import { POSTGRES, SQLITE_RUNTIME, SQLITE_TRAFFIC } from './schema.ts'
import { SqliteStore } from './sqlite.ts'
import type { Store } from './store.ts'

/** Both halves of a runtime's store: what it is, and what requests write. */
export type Stores = { store: Store; traffic: Store }

/** Where a runtime keeps its state. */
export type StorePlace = {
  dir: string
  runtimeId: string
  /** `sqlite`, or a `postgres://` URL. */
  store: string
  password?: string | undefined
  /** Key of the encrypted files. */
  fileKey: Uint8Array
}

/** Where the store of a configuration lies, with the password that its file names. Code `config-invalid`. */
export function placeOf(dir: string, config: EffectiveConfig, fileKey: Uint8Array): StorePlace {
  const { runtimeId, store } = config
  const path = storePasswordPath(dir, config)
  return { dir, runtimeId, store, fileKey, ...(path !== null && { password: readStorePassword(path) }) }
}

/** What requests write. */
export const TRAFFIC_FILE = 'traffic.db'

const files = ({ dir, fileKey: key }: StorePlace) =>
  ({
    store: { path: join(dir, STORE_FILE), key, what: 'runtime store' },
    traffic: { path: join(dir, TRAFFIC_FILE), key, what: 'store of the issuance log' },
  }) as const

/**
 * Makes the store of a new runtime. Codes: `runtime-exists` when the database holds one of that name, `file-exists`,
 * `store-unreachable`, `medium-full`, `medium-failed`.
 */
export async function makeStores(place: StorePlace): Promise<Stores> {
  if (place.store !== 'sqlite') {
    const database = postgres(place)
    try {
      await database.create(POSTGRES)
    } catch (error) {
      await database.close()
      throw error
    }
    return opened(database)
  }
  const { store, traffic } = files(place)
  for (const { path, what } of [store, traffic])
    must(!existsSync(path), 'file-exists', `There is a ${what} at ${path}.`)
  const made = new SqliteStore(store, SQLITE_RUNTIME)
  return { store: made, traffic: new SqliteStore(traffic, SQLITE_TRAFFIC) }
}

/** Takes away what `makeStores` made outside of the runtime's folder. */
export async function discardStores(place: StorePlace): Promise<void> {
  if (place.store === 'sqlite') return
  const database = postgres(place)
  await database.discard().finally(() => database.close())
}

/**
 * Opens the store of a runtime. Codes: `runtime-missing`, `store-missing`, `store-busy`, `store-damaged`,
 * `store-unreachable`, `medium-full`, `medium-failed`.
 */
export async function openStores(place: StorePlace): Promise<Stores> {
  if (place.store !== 'sqlite') return opened(postgres(place))
  const { store, traffic } = files(place)
  must(existsSync(store.path), 'runtime-missing', `The store of the runtime in ${place.dir} is missing.`)
  const first = new SqliteStore(store)
  try {
    // What requests write may be lost without harm to the rest: then it begins anew.
    return { store: first, traffic: new SqliteStore(traffic, existsSync(traffic.path) ? undefined : SQLITE_TRAFFIC) }
  } catch (error) {
    await first.close()
    throw error
  }
}

const postgres = ({ store: url, password, runtimeId }: StorePlace) => new PostgresDatabase({ url, password, runtimeId })

async function opened(database: PostgresDatabase): Promise<Stores> {
  try {
    await database.open()
  } catch (error) {
    await database.close()
    throw error
  }
  return { store: new PostgresStore(database, 1), traffic: new PostgresStore(database, 2) }
}
