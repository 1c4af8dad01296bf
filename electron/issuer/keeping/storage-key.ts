import { closeSync, existsSync, fsyncSync, openSync, statSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isKeyriteError, must } from '../../../shared/errors.ts'
import { ioError } from '../../files/errors.ts'
import { moveFile, removeFile, replaceFile, syncFolder } from '../../files/write.ts'
import { CONFIG_FILE, encodeConfig, readConfig, readConfigFile, STORE_FILE } from '../config.ts'
import { checkHighwater, writeHighwater } from '../highwater.ts'
import { openReceiptSigner, ReceiptChain } from '../receipt-chain.ts'
import type { Sealer } from '../sealing.ts'
import { openStores, placeOf, TRAFFIC_FILE } from '../store/open.ts'
import type { Reader } from '../store/store.ts'
import { ROTATING, resealDatabase, resealFiles } from './reseal-store.ts'
import { makePlan, PLAN_FILE, type RotationStep, readPlan, sealerOf } from './rotation-plan.ts'
import { SecondPlace } from './second-place.ts'

/**
 * A new storage key. What is to be done stands in `rotation.json` until all of it is done: after any interruption the
 * runtime is under the old key or under the new one, and the same command goes on.
 */

export type RotateOptions = {
  dir: string
  /** Where the new key lies, or is to be written; by default in the folder. */
  newKeyFile?: string
  actor: string
  /** Called before each step, for tests that stop there. */
  onStep?: (step: RotationStep) => void
}
export type RotatedKey = { from: string; to: string; keyFile: string; oldKeyFile: string; oldErased: boolean }

/**
 * Puts a runtime under a new storage key, and erases the old one where it lies in the folder. Nobody may serve a runtime
 * in files; replicas of a database stop signing until they have the new key (the same command with `newKeyFile`). Codes:
 * `store-busy` while another process has the files open, `usage-invalid`, `storage-key-wrong`, those of the medium.
 */
export async function rotateStorageKey({
  dir,
  newKeyFile,
  actor,
  onStep = () => {},
}: RotateOptions): Promise<RotatedKey> {
  const plan = readPlan(dir) ?? (await makePlan(dir, newKeyFile, onStep))
  const [to, keyFile, oldKeyFile] = [plan.to, resolve(dir, plan.newKeyFile), resolve(dir, plan.oldKeyFile)]
  const sealers = () => {
    const config = readConfigFile(dir)
    return { from: sealerOf(oldKeyFile, config, plan.from), to: sealerOf(keyFile, config, to) }
  }
  if (readConfigFile(dir).storageKeyId === plan.from) {
    const config = readConfig(dir)
    const both = sealers()
    onStep('store')
    const reseal = config.store === 'sqlite' ? resealFiles : resealDatabase
    const release = await reseal({ dir, config, ...both, actor })
    try {
      onStep('config')
      const next = { storageKeyId: to, storageKeyFile: plan.newKeyFile }
      replaceFile(join(dir, CONFIG_FILE), encodeConfig({ ...readConfigFile(dir), ...next }))
    } finally {
      await release()
      both.from.wipe()
      both.to.wipe()
    }
  }
  onStep('files')
  settleRotation(dir, readConfigFile(dir))
  onStep('second-place')
  await markAnew(dir, sealerOf(keyFile, readConfigFile(dir), to))
  onStep('old-key')
  const oldErased = dirname(oldKeyFile) === resolve(dir)
  if (oldErased) eraseFile(oldKeyFile)
  removeFile(join(dir, PLAN_FILE))
  return { from: plan.from, to, keyFile, oldKeyFile, oldErased }
}

/** The rest of a rotation whose configuration is written: the new files take their names. Codes of the medium. */
export function settleRotation(dir: string, { storageKeyId }: { storageKeyId: string }): void {
  if (readPlan(dir)?.to !== storageKeyId) return
  for (const name of [TRAFFIC_FILE, STORE_FILE]) {
    const made = join(dir, ROTATING, name)
    try {
      if (existsSync(made)) moveFile(made, join(dir, name))
    } catch (error) {
      // Another process that opens the runtime does the same.
      if (!isKeyriteError(error, 'file-missing')) throw error
    }
  }
  removeFile(join(dir, ROTATING))
}

/** Why this process may not sign any more, or null. */
export async function isRotated(store: Reader, { keyId }: { keyId: string }): Promise<string | null> {
  const current = await store.meta<string>('storage-key')
  if (current === null || current === keyId) return null
  return 'The storage key was rotated by another process: this one has the old one.'
}

/** Code `storage-key-wrong` where another replica rotated the storage key. */
export async function mustBeCurrent(store: Reader, sealer: { keyId: string }): Promise<void> {
  const why = await isRotated(store, sealer)
  must(why === null, 'storage-key-wrong', why ?? '', {
    hint: 'Bring the new storage key here, then: "issuer storage-key rotate --new-key-file FILE".',
  })
}

/** The mark in the folder, and a journal under the new key, before the old key is gone. */
async function markAnew(dir: string, sealer: Sealer): Promise<void> {
  const config = readConfig(dir)
  const { store, traffic } = await openStores(placeOf(dir, config, sealer.fileKey))
  try {
    const receipts = new ReceiptChain(store, await openReceiptSigner(store, sealer), config)
    await checkHighwater(dir, store, receipts)
    await writeHighwater(dir, store, receipts)
    if (config.secondPlace === null) return
    const kept = await new SecondPlace(config.secondPlace, config, sealer).keep({ store, receipts })
    must(
      kept,
      'medium-failed',
      `The second place ${config.secondPlace} cannot be written: the old storage key stays.`,
      {
        hint: 'Put the second place right, then run the same command again.',
        lost: 'The runtime is under the new storage key already.',
      },
    )
  } finally {
    await traffic.close()
    await store.close()
    sealer.wipe()
  }
}

/** Overwritten, then removed. What the medium kept of it elsewhere is beyond software. */
function eraseFile(path: string): void {
  if (!existsSync(path)) return
  try {
    const { size } = statSync(path)
    const fd = openSync(path, 'r+')
    writeSync(fd, new Uint8Array(size), 0, size, 0)
    fsyncSync(fd)
    closeSync(fd)
  } catch (error) {
    throw ioError(error, 'Erasing', path)
  }
  removeFile(path)
  syncFolder(dirname(path))
}
