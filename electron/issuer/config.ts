import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, fromBase64url, fromUtf8, toBase64url } from '../../shared/formats/bytes.ts'
import { digestSchema, environmentSchema, idSchema, uuidSchema } from '../../shared/formats/common.ts'
import { canonicalText, KB, parseAs, parseJson } from '../../shared/formats/json.ts'
import { parseStatementFile, STATEMENT_FILE_MAX } from '../../shared/formats/statement-file.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { readFileGuarded } from '../files/read.ts'

/** `issuer.json`: who this runtime is. It never changes by itself; operators may change `listen` and `storageKeyFile`. */

export const CONFIG_FILE = 'issuer.json'
export const STORE_FILE = 'store.db'
export const STORAGE_KEY_FILE = 'storage.key'

const fileNameSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._-]+$/)

export const configSchema = z.strictObject({
  format: z.literal(1),
  runtimeId: idSchema,
  environment: environmentSchema,
  practice: z.boolean(),
  listen: z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(0).max(65_535) }),
  /** Path of the storage key: absolute, or relative to the runtime's folder. ISSUER_STORAGE_KEY_FILE comes before it. */
  storageKeyFile: z.string().min(1).max(1000),
  /** Names the storage key without telling it. */
  storageKeyId: digestSchema,
  vaultId: uuidSchema,
  rootKid: digestSchema,
  /** File name inside the runtime's folder. */
  trustAnchor: fileNameSchema,
})
export type Config = z.infer<typeof configSchema>

export const encodeConfig = (config: Config): string =>
  `${JSON.stringify(parseAs(configSchema, config, 'runtime configuration', 'config-invalid'), null, 2)}\n`

/** Reads the configuration of the runtime in `dir`. Codes `runtime-missing`, `config-invalid`. */
export function readConfig(dir: string): Config {
  const path = join(dir, CONFIG_FILE)
  must(existsSync(path), 'runtime-missing', `There is no runtime in ${dir}.`)
  const bytes = readFileGuarded(path, 64 * KB)
  try {
    return parseAs(configSchema, parseJson(bytes, { maxBytes: 64 * KB }), 'runtime configuration', 'config-invalid')
  } catch (error) {
    if (isKeyriteError(error, 'config-invalid')) throw error
    throw new KeyriteError('config-invalid', `${path} is not valid JSON.`, { cause: error })
  }
}

/** Reads the pinned trust anchor and compares it with the configuration. Code `config-invalid` beside those of reading. */
export async function readPinnedAnchor(dir: string, config: Config): Promise<Anchor> {
  const bytes = readFileGuarded(join(dir, config.trustAnchor), STATEMENT_FILE_MAX)
  const anchor = await openTrustAnchor(parseStatementFile(bytes))
  const same = canonicalText([anchor.key.kid, anchor.vaultId, anchor.practice])
  const pinned = canonicalText([config.rootKid, config.vaultId, config.practice])
  must(same === pinned, 'config-invalid', 'The trust anchor in the folder is not the one this runtime was made with.')
  return anchor
}

/** Where the storage key lies: the environment first, then the configuration. */
export function storageKeyPath(dir: string, config: Pick<Config, 'storageKeyFile'>): string {
  const path = process.env.ISSUER_STORAGE_KEY_FILE ?? config.storageKeyFile
  return isAbsolute(path) ? path : join(dir, path)
}

export const encodeStorageKey = (key: Uint8Array): string => `${toBase64url(key)}\n`

/** Reads 32 bytes in base64url and a line feed. Code `storage-key-wrong` for any other content. */
export function readStorageKey(path: string): Bytes {
  const text = fromUtf8(readFileGuarded(path, KB))
  const wrong = new KeyriteError('storage-key-wrong', `${path} does not hold a storage key.`)
  if (!/^[A-Za-z0-9_-]{43}\n?$/.test(text)) throw wrong
  try {
    return fromBase64url(text.trimEnd())
  } catch {
    throw wrong
  }
}
