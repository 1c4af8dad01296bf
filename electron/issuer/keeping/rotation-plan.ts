import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { must } from '../../../shared/errors.ts'
import { toHex, wipe } from '../../../shared/formats/bytes.ts'
import { digestSchema } from '../../../shared/formats/common.ts'
import { canonicalText, KB, parseAs, parseJson } from '../../../shared/formats/json.ts'
import { readFileGuarded } from '../../files/read.ts'
import { replaceFile, writeNewFile } from '../../files/write.ts'
import {
  type EffectiveConfig,
  encodeStorageKey,
  readConfig,
  readConfigFile,
  readStorageKey,
  storageKeyPath,
} from '../config.ts'
import { checkHighwater } from '../highwater.ts'
import { openReceiptSigner, ReceiptChain } from '../receipt-chain.ts'
import { Sealer } from '../sealing.ts'
import { openStores, placeOf } from '../store/open.ts'
import { SecondPlace } from './second-place.ts'

/** What a rotation of the storage key is to do: it stands in the folder until all of it is done. */

export const PLAN_FILE = 'rotation.json'
const planSchema = z.strictObject({
  format: z.literal(1),
  from: digestSchema,
  to: digestSchema,
  /** Absolute, or a name in the folder. */
  newKeyFile: z.string().min(1).max(1000),
  oldKeyFile: z.string().min(1).max(1000),
})
export type RotationPlan = z.infer<typeof planSchema>

/** What is done next, for tests that stop there. */
export type RotationStep = 'key' | 'plan' | 'store' | 'config' | 'files' | 'second-place' | 'old-key'

/** The plan of a rotation that is not over, or null. */
export function readPlan(dir: string): RotationPlan | null {
  const path = join(dir, PLAN_FILE)
  if (!existsSync(path)) return null
  return parseAs(planSchema, parseJson(readFileGuarded(path, 8 * KB), { maxBytes: 8 * KB }), PLAN_FILE)
}

/** The new key is on the disk before anything says that it is to be used. */
export async function makePlan(
  dir: string,
  given: string | undefined,
  onStep: (step: RotationStep) => void,
): Promise<RotationPlan> {
  const file = readConfigFile(dir)
  const config = readConfig(dir)
  const oldKeyFile = storageKeyPath(dir, config)
  const named = oldKeyFile === storageKeyPath(dir, file)
  must(
    given !== undefined || named,
    'usage-invalid',
    'The environment names the storage key: name the new one with --new-key-file.',
  )
  const old = sealerOf(oldKeyFile, config, config.storageKeyId)
  const taken = await storageKeyOfStore(dir, config, old)
  old.wipe()
  onStep('key')
  const [storageKey, made] = given !== undefined && existsSync(given) ? [readStorageKey(given), false] : [fresh(), true]
  const { keyId: to } = new Sealer(storageKey, config)
  must(
    taken === null || taken === config.storageKeyId || taken === to,
    'storage-key-wrong',
    'Another replica rotated the storage key, to another one.',
    {
      hint: 'Bring that key here and name it with --new-key-file.',
    },
  )
  must(to !== config.storageKeyId, 'usage-invalid', 'This is the storage key of now.')
  const name = `storage-${toHex(Buffer.from(to, 'base64url')).slice(0, 8)}.key`
  const newKeyFile = given === undefined ? name : resolve(given)
  if (made) writeNewFile(resolve(dir, newKeyFile), encodeStorageKey(storageKey))
  wipe(storageKey)
  onStep('plan')
  const plan: RotationPlan = { format: 1, from: config.storageKeyId, to, newKeyFile, oldKeyFile }
  replaceFile(join(dir, PLAN_FILE), `${canonicalText(plan)}\n`)
  return plan
}

const fresh = () => new Uint8Array(randomBytes(32))

/**
 * The storage key that the store itself names, null for none. A store that may be an older copy gets no new key. Code
 * `runtime-behind`.
 */
async function storageKeyOfStore(dir: string, config: EffectiveConfig, old: Sealer): Promise<string | null> {
  const { store, traffic } = await openStores(placeOf(dir, config, old.fileKey))
  try {
    const named = await store.meta<string>('storage-key')
    if (named !== null && named !== old.keyId) return named
    const receipts = new ReceiptChain(store, await openReceiptSigner(store, old), config)
    const place = config.secondPlace === null ? null : new SecondPlace(config.secondPlace, config, old)
    await checkHighwater(dir, store, receipts, place)
    return named
  } finally {
    await traffic.close()
    await store.close()
  }
}

/** Code `storage-key-wrong` for a file with another key. */
export function sealerOf(path: string, owner: { runtimeId: string; practice: boolean }, keyId: string): Sealer {
  const storageKey = readStorageKey(path)
  const sealer = new Sealer(storageKey, owner)
  wipe(storageKey)
  must(sealer.keyId === keyId, 'storage-key-wrong', `${path} is another storage key.`)
  return sealer
}
