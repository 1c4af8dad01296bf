import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { must } from '../../../shared/errors.ts'
import { wipe } from '../../../shared/formats/bytes.ts'
import { fileName } from '../../../shared/formats/file-name.ts'
import { parseAs } from '../../../shared/formats/json.ts'
import { statementFile } from '../../../shared/formats/statement-file.ts'
import { openTrustAnchor } from '../../../shared/formats/trust-anchor.ts'
import { ioError } from '../../files/errors.ts'
import { digestLines } from '../../files/lines.ts'
import { syncFolder, writeNewFile } from '../../files/write.ts'
import {
  CONFIG_FILE,
  type Config,
  configSchema,
  encodeConfig,
  readPinnedAnchor,
  readStorageKey,
  resolveConfig,
} from '../config.ts'
import { writeHighwater } from '../highwater.ts'
import { isSystemError, mustBeFree } from '../init.ts'
import { erasePrivate } from '../lifecycle.ts'
import { openReceiptSigner, ReceiptChain } from '../receipt-chain.ts'
import { Sealer } from '../sealing.ts'
import { discardStores, makeStores, placeOf } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { decodeRow } from './backup.ts'
import { type BackupItem, readBackup, readBackupHeader } from './backup-file.ts'
import { type CaughtUp, catchUp } from './catch-up.ts'
import { SecondPlace } from './second-place.ts'
import { putRow } from './snapshot.ts'

export type RestoreOptions = {
  file: string
  /** The runtime's folder: not there yet, or empty. */
  dir: string
  storageKeyFile: string
  /** Where the journal lies; without it the store is restored and refuses to serve. */
  secondPlace?: string
  /** `sqlite`, or `postgres://…`: a backup of one kind may be restored into the other. */
  store?: string
  storePasswordFile?: string
  actor: string
}

export type Restored = { dir: string; runtimeId: string; at: number; rows: number; caughtUp: CaughtUp | null }

/**
 * Makes a runtime again from a backup and its storage key, and brings it up to date from the second place. Codes:
 * `runtime-exists`, `folder-not-empty`, `storage-key-wrong`, `decryption-failed` and `format-invalid` for a damaged file,
 * those of `makeStores` and `catchUp`. On failure nothing is left.
 */
export async function restoreRuntime(options: RestoreOptions): Promise<Restored> {
  const { file } = options
  const dir = resolve(options.dir)
  mustBeFree(dir)
  const header = readBackupHeader(file)
  const storageKey = readStorageKey(options.storageKeyFile)
  const sealer = new Sealer(storageKey, header)
  wipe(storageKey)
  const fits = sealer.keyId === header.storageKeyId
  must(fits, 'storage-key-wrong', `${options.storageKeyFile} is not the storage key that this backup was made under.`)
  const made = join(dirname(dir), `.${basename(dir)}-${randomBytes(6).toString('hex')}.partial`)
  let discard = async () => {}
  try {
    mkdirSync(made, { recursive: true, mode: 0o700 })
    const items = readBackup(file, sealer.backupKey)
    const config = await writeFolder(made, items, options)
    const { config: effective, problems } = resolveConfig(config, process.env)
    must(problems.length === 0, 'config-invalid', problems.join(' '))
    await readPinnedAnchor(made, effective)
    const place = placeOf(made, { ...effective, store: config.store ?? effective.store }, sealer.fileKey)
    const { store, traffic } = await makeStores(place)
    discard = () => discardStores({ ...place, fileKey: new Uint8Array(32) })
    try {
      const rows = await fill(store, items, digestLines(file))
      const caughtUp = await bringUpToDate(made, store, sealer, config, options)
      await traffic.close()
      await store.close()
      if (existsSync(dir)) rmdirSync(dir)
      renameSync(made, dir)
      syncFolder(dirname(dir))
      return { dir, runtimeId: header.runtimeId, at: header.at, rows, caughtUp }
    } finally {
      await traffic.close()
      await store.close()
    }
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    await discard().catch(() => {})
    throw isSystemError(error) ? ioError(error, 'Creating', dir) : error
  } finally {
    sealer.wipe()
  }
}

/** Configuration and trust anchor, as the backup begins with them. Paths of the lost machine do not come along. */
async function writeFolder(folder: string, items: Generator<BackupItem>, options: RestoreOptions): Promise<Config> {
  const [first, second] = [items.next().value, items.next().value]
  must(first?.type === 'config' && second?.type === 'trust-anchor', 'format-invalid', 'The backup begins otherwise.')
  const {
    store: _store,
    storePasswordFile: _password,
    secondPlace: _place,
    ...kept
  } = parseAs(configSchema, first.config, 'runtime configuration')
  const anchor = await openTrustAnchor(second.jws)
  const { secondPlace, store, storePasswordFile } = options
  const config: Config = {
    ...kept,
    storageKeyFile: resolve(options.storageKeyFile),
    trustAnchor: fileName('trust-anchor', anchor.jws, anchor.iat),
    ...(secondPlace !== undefined && { secondPlace: resolve(secondPlace) }),
    ...(store !== undefined && { store }),
    ...(storePasswordFile !== undefined && { storePasswordFile: resolve(storePasswordFile) }),
  }
  writeNewFile(join(folder, CONFIG_FILE), encodeConfig(config))
  writeNewFile(join(folder, config.trustAnchor), statementFile(anchor.jws))
  return config
}

const BATCH = 500

/** All rows, a few hundred at a time; then what was destroyed goes, and it stands which backup this is. */
async function fill(store: Store, items: Generator<BackupItem>, backup: string): Promise<number> {
  let rows = 0
  for (let done = false; !done; )
    await store.change(async (tx) => {
      for (let some = 0; some < BATCH; some++) {
        const { value: item, done: ended } = items.next()
        done = ended === true
        if (done || !item) return
        must(item.type === 'row', 'format-invalid', 'The backup goes on otherwise than it should.')
        await putRow(tx, item.table, decodeRow(item.row))
        rows += 1
      }
    })
  await store.change(async (tx) => {
    const buried = 'SELECT p.kid FROM private_keys p JOIN tombstones t ON t.kid = p.kid'
    for (const { kid } of await tx.all<{ kid: string }>(buried)) await erasePrivate(tx, kid)
    await tx.setMeta('backup', backup)
  })
  return rows
}

async function bringUpToDate(
  folder: string,
  store: Store,
  sealer: Sealer,
  config: Config,
  { secondPlace, actor }: RestoreOptions,
): Promise<CaughtUp | null> {
  if (secondPlace === undefined) return null
  const { runtimeId, practice } = config
  const receipts = new ReceiptChain(store, await openReceiptSigner(store, sealer), config)
  const place = new SecondPlace(resolve(secondPlace), config, sealer)
  const done = await catchUp({ store, receipts, place, runtimeId, practice, actor })
  await writeHighwater(folder, store, receipts)
  const kept = await place.keep({ store, receipts })
  must(kept, 'medium-failed', `The second place ${place.folder} cannot be written.`)
  return done
}
