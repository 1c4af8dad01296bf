import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import type { ClientRequest } from '../../electron/issuer/clients.ts'
import { readConfigFile } from '../../electron/issuer/config.ts'
import { type Restored, restoreRuntime } from '../../electron/issuer/keeping/restore.ts'
import { type OpenOptions, openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import { freshStore } from './database.ts'
import {
  makeServing,
  RUNTIME_ID,
  type TestRuntime,
  type TestTenant,
  type TestVault,
  temporaryFolder,
} from './fixtures.ts'

/** A serving runtime with a second place, and what becomes of it when its host is lost. */

export type Kept = Awaited<ReturnType<typeof makeServing>> & {
  place: string
  /** A copy of the storage key outside of the runtime's folder. */
  storageKey: string
}

export const configure = (dir: string, changes: object): void =>
  writeFileSync(join(dir, 'issuer.json'), `${JSON.stringify({ ...readConfigFile(dir), ...changes }, null, 2)}\n`)

/** Opens the runtime in `dir`, and closes it when the test ends. */
export async function opened(options: OpenOptions): Promise<Runtime> {
  const runtime = await openRuntime(options)
  onTestFinished(async () => await runtime.close())
  return runtime
}

export async function makeKept(vault: TestVault, tenants: TestTenant[]): Promise<Kept> {
  const made = await makeServing(vault, tenants)
  const { dir, clock, folder } = made
  await made.runtime.close()
  const place = join(folder, 'second-place')
  mkdirSync(place)
  configure(dir, { secondPlace: place })
  const storageKey = join(folder, 'kept.key')
  writeFileSync(storageKey, readFileSync(join(dir, 'storage.key')), { mode: 0o600 })
  return { ...made, runtime: await opened({ dir, clock }), place, storageKey }
}

/** The host burns: only the second place, the backups and the storage key are left. */
export async function burn({ runtime, dir }: Pick<Kept, 'runtime' | 'dir'>): Promise<void> {
  await runtime.close()
  rmSync(dir, { recursive: true })
}

/** Restores into a folder and a store of their own. */
export async function restore(
  { storageKey, place }: Pick<Kept, 'storageKey' | 'place'>,
  file: string,
  { without = false, into = {} }: { without?: boolean; into?: { store?: string } } = {},
): Promise<Restored> {
  const folder = temporaryFolder()
  return restoreRuntime({
    file,
    dir: join(folder, 'issuer'),
    storageKeyFile: storageKey,
    actor: 'test',
    ...(!without && { secondPlace: place }),
    ...(into.store === undefined ? await freshStore(folder) : into),
  })
}

/** Everything that the runtime has stated, as a vault reads it. */
export async function statedBy(runtime: Runtime, { enrollment }: Pick<TestRuntime, 'enrollment'>): Promise<Stated[]> {
  const { path } = await runtime.exportReceipts(temporaryFolder(), { all: true })
  const signer = enrollment.receiptSigner
  const read = await readReceipts(path, { signer, runtimeId: RUNTIME_ID, after: null, practice: false })
  return read.receipts.map(({ stated }) => stated)
}

export const REQUEST: ClientRequest = { clientId: 'api', method: 'client_secret_basic', audiences: ['https://api'] }
