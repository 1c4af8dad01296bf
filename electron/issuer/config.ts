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
import { SETTINGS, type Setting, type SettingName, type SettingValue } from './settings.ts'

/** `issuer.json`: who this runtime is, which never changes by itself, and its settings, which operators may change. */

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
  listen: SETTINGS.listen.schema,
  ops: SETTINGS.ops.schema.optional(),
  trustProxy: SETTINGS.trustProxy.schema.optional(),
  workers: SETTINGS.workers.schema.optional(),
  store: SETTINGS.store.schema.optional(),
  storePasswordFile: SETTINGS.storePasswordFile.schema.optional(),
  storageKeyFile: SETTINGS.storageKeyFile.schema,
  /** Names the storage key without telling it. */
  storageKeyId: digestSchema,
  secondPlace: SETTINGS.secondPlace.schema.optional(),
  log: z.strictObject({ level: SETTINGS['log.level'].schema.optional() }).optional(),
  limits: z
    .strictObject({
      clientFailuresPerMinute: SETTINGS['limits.clientFailuresPerMinute'].schema.optional(),
      connections: SETTINGS['limits.connections'].schema.optional(),
    })
    .optional(),
  vaultId: uuidSchema,
  rootKid: digestSchema,
  /** File name inside the runtime's folder. */
  trustAnchor: fileNameSchema,
})
/** As it stands in the file. */
export type Config = z.infer<typeof configSchema>

/** With every setting, wherever its value came from. */
export type EffectiveConfig = Config & {
  ops: SettingValue<'ops'>
  trustProxy: SettingValue<'trustProxy'>
  workers: SettingValue<'workers'>
  store: SettingValue<'store'>
  storePasswordFile: SettingValue<'storePasswordFile'>
  secondPlace: SettingValue<'secondPlace'>
  log: { level: SettingValue<'log.level'> }
  limits: {
    clientFailuresPerMinute: SettingValue<'limits.clientFailuresPerMinute'>
    connections: SettingValue<'limits.connections'>
  }
}

type Exists = (path: string) => boolean
export type Environment = Readonly<Record<string, string | undefined>>
export type Source = 'environment' | 'file' | 'credential' | 'default'
export type Resolved = {
  config: EffectiveConfig
  sources: Record<SettingName, Source>
  /** What is wrong, without any value: one sentence each. Such a setting keeps the value of the file or its default. */
  problems: string[]
}

export const encodeConfig = (config: Config): string =>
  `${JSON.stringify(parseAs(configSchema, config, 'runtime configuration', 'config-invalid'), null, 2)}\n`

/** Reads the file of the runtime in `dir`, without the environment. Codes `runtime-missing`, `config-invalid`. */
export function readConfigFile(dir: string): Config {
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

/**
 * The effective settings of a file and an environment: the variable first, then the file, then a credential of systemd
 * (`exists` tells whether it is there), then the default. Throws nothing: `problems` says what does not fit.
 */
export function resolveConfig(file: Config, env: Environment, exists: Exists = existsSync): Resolved {
  const sources = {} as Record<SettingName, Source>
  const problems: string[] = []
  const take = <T>(name: SettingName, setting: Setting<T>, given: T | undefined): T => {
    const taken = settle(setting, given, env, exists)
    sources[name] = taken.from
    if (taken.wrong) problems.push(`${setting.variable} is not valid. It takes ${setting.takes}.`)
    return taken.value
  }
  const { log = {}, limits = {} } = file
  const config = {
    ...file,
    listen: take('listen', SETTINGS.listen, file.listen),
    ops: take('ops', SETTINGS.ops, file.ops),
    trustProxy: take('trustProxy', SETTINGS.trustProxy, file.trustProxy),
    workers: take('workers', SETTINGS.workers, file.workers),
    store: take('store', SETTINGS.store, file.store),
    storePasswordFile: take('storePasswordFile', SETTINGS.storePasswordFile, file.storePasswordFile),
    storageKeyFile: take('storageKeyFile', SETTINGS.storageKeyFile, file.storageKeyFile),
    secondPlace: take('secondPlace', SETTINGS.secondPlace, file.secondPlace),
    log: { level: take('log.level', SETTINGS['log.level'], log.level) },
    limits: {
      clientFailuresPerMinute: take(
        'limits.clientFailuresPerMinute',
        SETTINGS['limits.clientFailuresPerMinute'],
        limits.clientFailuresPerMinute,
      ),
      connections: take('limits.connections', SETTINGS['limits.connections'], limits.connections),
    },
  }
  if (config.store === 'sqlite' && !['default', 'credential'].includes(sources.storePasswordFile))
    if (config.storePasswordFile !== null)
      problems.push('A password file of the store is named, but the store is sqlite.')
  return { config, sources, problems }
}

type Settled<T> = { value: T; from: Source; wrong: boolean }

function settle<T>(setting: Setting<T>, given: T | undefined, env: Environment, exists: Exists): Settled<T> {
  const text = setting.variable === null ? undefined : env[setting.variable]
  const said = text === undefined ? null : setting.schema.safeParse(setting.read(text))
  if (said?.success) return { value: said.data, from: 'environment', wrong: false }
  const wrong = said !== null
  const named = given !== undefined && given !== setting.fallback
  const folder = env['CREDENTIALS_DIRECTORY']
  if (setting.credential && folder && !named) {
    const path = join(folder, setting.credential)
    const credential = setting.schema.safeParse(path)
    if (credential.success && exists(path)) return { value: credential.data, from: 'credential', wrong }
  }
  return given === undefined
    ? { value: setting.fallback, from: 'default', wrong }
    : { value: given, from: 'file', wrong }
}

/** The member of the configuration that a name with points stands for. */
export function valueIn(config: EffectiveConfig, name: SettingName): unknown {
  const [group = '', member] = name.split('.')
  const value: unknown = Object.entries(config).find(([key]) => key === group)?.[1]
  return member === undefined ? value : Object.entries(Object(value)).find(([key]) => key === member)?.[1]
}

/**
 * Reads the configuration of the runtime in `dir` with the environment of this process. Codes `runtime-missing`,
 * `config-invalid`.
 */
export function readConfig(dir: string, env: Environment = process.env): EffectiveConfig {
  const { config, problems } = resolveConfig(readConfigFile(dir), env)
  must(problems.length === 0, 'config-invalid', problems.join(' '))
  return config
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

/** A path of the configuration: absolute, or in the runtime's folder. */
const inFolder = (dir: string, path: string): string => (isAbsolute(path) ? path : join(dir, path))

/** Where the storage key lies. */
export const storageKeyPath = (dir: string, config: Pick<Config, 'storageKeyFile'>): string =>
  inFolder(dir, config.storageKeyFile)

/** Where the password of the store lies, or null when none is named. */
export const storePasswordPath = (dir: string, config: Pick<EffectiveConfig, 'storePasswordFile'>): string | null =>
  config.storePasswordFile === null ? null : inFolder(dir, config.storePasswordFile)

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

/** Reads a password: one line of 1 to 1000 characters and perhaps a line feed. Code `config-invalid` for anything else. */
export function readStorePassword(path: string): string {
  const match = /^([^\r\n\0]{1,1000})\r?\n?$/.exec(fromUtf8(readFileGuarded(path, 4 * KB)))
  must(match?.[1], 'config-invalid', `${path} does not hold a password in one line.`)
  return match[1]
}
