import { join, resolve } from 'node:path'
import { must } from '../../../shared/errors.ts'
import { wipe } from '../../../shared/formats/bytes.ts'
import { replaceFile } from '../../files/write.ts'
import { CONFIG_FILE, encodeConfig, readConfig, readConfigFile, readStorageKey, storageKeyPath } from '../config.ts'
import type { Context } from '../context.ts'
import { writeHighwater } from '../highwater.ts'
import { ERASED_COUNT } from '../lifecycle.ts'
import { openReceiptSigner, ReceiptChain } from '../receipt-chain.ts'
import { Sealer } from '../sealing.ts'
import { openStores, placeOf } from '../store/open.ts'
import { whatIsAwaited } from './awaited.ts'
import { type CaughtUp, catchUp } from './catch-up.ts'
import { type Rotated, SecondPlace } from './second-place.ts'

/** What an operator sees of the second place and of the storage key. */
export type Keeping = {
  /** `behindSince`: what happened since then is not in it yet; null where all is. */
  secondPlace: { folder: string; behindSince: number | null } | null
  /** Private halves erased under this storage key, whose traces it would open; and since when it is used, if rotated. */
  erased: number
  rotatedAt: number | null
  /** What has to be imported again before anything is served, in words; null for nothing. */
  awaited: string | null
}

export async function keepingOf({ store, secondPlace }: Context): Promise<Keeping> {
  const behindSince = await store.meta<number>('second-place-behind')
  return {
    secondPlace: secondPlace && { folder: secondPlace.folder, behindSince },
    erased: (await store.meta<number>(ERASED_COUNT)) ?? 0,
    rotatedAt: (await store.meta<Rotated>('rotated'))?.at ?? null,
    awaited: await whatIsAwaited(store),
  }
}

/**
 * Brings a runtime whose store is an older copy up to date, as after a restore without the second place, and names the
 * place in the configuration. Nobody may serve it. Codes of `catchUp`, `runtime-missing`, `storage-key-wrong`.
 */
export async function catchUpRuntime(dir: string, folder: string, actor: string): Promise<CaughtUp> {
  const config = readConfig(dir)
  const storageKey = readStorageKey(storageKeyPath(dir, config))
  const sealer = new Sealer(storageKey, config)
  wipe(storageKey)
  must(sealer.keyId === config.storageKeyId, 'storage-key-wrong', 'The storage key is that of another runtime.')
  const { store, traffic } = await openStores(placeOf(dir, config, sealer.fileKey))
  try {
    const receipts = new ReceiptChain(store, await openReceiptSigner(store, sealer), config)
    const place = new SecondPlace(resolve(folder), config, sealer)
    const { runtimeId, practice } = config
    const done = await catchUp({ store, receipts, place, runtimeId, practice, actor })
    replaceFile(join(dir, CONFIG_FILE), encodeConfig({ ...readConfigFile(dir), secondPlace: place.folder }))
    await writeHighwater(dir, store, receipts)
    const kept = await place.keep({ store, receipts })
    must(kept, 'medium-failed', `The second place ${place.folder} cannot be written.`)
    return done
  } finally {
    await traffic.close()
    await store.close()
    sealer.wipe()
  }
}
