import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import { z } from 'zod'

/** What an operator may set: for each setting its schema, its environment variable, its default and its meaning. */

export type Address = { host: string; port: number }

export const addressSchema = z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(0).max(65_535) })

const pathSchema = z
  .string()
  .min(1)
  .max(1000)
  .refine((path) => !path.includes('\0'), 'not a path')
const absoluteSchema = pathSchema.refine(isAbsolute, 'not an absolute path')

/** How PostgreSQL is reached, apart from who and where. A password never stands in the address. */
const STORE_PARAMETERS = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'application_name']

function isPostgresUrl(text: string): boolean {
  if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) return false
  const { password, pathname, hash, searchParams } = new URL(text)
  const names = [...searchParams.keys()]
  const known = names.every((name) => STORE_PARAMETERS.includes(name)) && new Set(names).size === names.length
  return password === '' && hash === '' && /^\/[^/]+$/.test(pathname) && known
}

const storeSchema = z
  .string()
  .min(1)
  .max(1000)
  .refine((text) => text === 'sqlite' || isPostgresUrl(text), 'not "sqlite" or an address without a password')

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type Setting<T> = {
  schema: z.ZodType<T>
  /** Environment variable, or null where only the file sets it. */
  variable: string | null
  /** What the variable's text stands for; the schema judges it. */
  read: (text: string) => unknown
  fallback: T
  /** Name of the systemd credential that is taken where nothing but the default names a file. */
  credential?: string
  /** What it takes, in words. */
  takes: string
  meaning: string
}

const setting = <T>(one: Setting<T>): Setting<T> => one
const asText = (text: string): unknown => text
const asNumber = (text: string): unknown => (/^\d{1,9}$/.test(text) ? Number(text) : text)
const asList = (text: string): unknown => (text === '' ? [] : text.split(',').map((one) => one.trim()))
/** `off` in a variable is null in the file. */
const orOff = (read: (text: string) => unknown) => (text: string) => (text === 'off' ? null : read(text))

/** `HOST:PORT`, an IPv6 address in brackets. Gives null for anything else. */
export function parseAddress(text: string): Address | null {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  return match?.[1] && port <= 65_535 ? { host: match[1].replace(/[[\]]/g, ''), port } : null
}

/** What is no address stays text, which no schema of an address takes. */
const asAddress = (text: string): unknown => parseAddress(text) ?? text

/** In the order in which they are shown. A name with a point is a member of an object in the file. */
export const SETTINGS = {
  listen: setting<Address>({
    schema: addressSchema,
    variable: 'ISSUER_LISTEN',
    read: asAddress,
    fallback: { host: '127.0.0.1', port: 47_770 },
    takes: 'HOST:PORT; in the file {"host", "port"}; port 0 takes any free one',
    meaning: 'Where tenants are served: discovery, key sets, tokens. TLS ends in front of it.',
  }),
  ops: setting<Address | null>({
    schema: addressSchema.nullable(),
    variable: 'ISSUER_OPS_LISTEN',
    read: orOff(asAddress),
    fallback: { host: '127.0.0.1', port: 47_771 },
    takes: 'HOST:PORT, or "off"; in the file {"host", "port"} or null; port 0 takes any free one',
    meaning:
      'Where /healthz, /readyz and /metrics are served. Not for strangers: keep it on loopback or a private network.',
  }),
  trustProxy: setting<string[]>({
    schema: z.array(z.string().max(60).refine(isNetwork, 'not an address or network')).max(100),
    variable: 'ISSUER_TRUST_PROXY',
    read: asList,
    fallback: [],
    takes: 'IP addresses or networks (10.0.0.0/8), with commas between; in the file an array',
    meaning: 'Whose X-Forwarded-Host is believed. From everybody else it is ignored.',
  }),
  workers: setting<number | 'auto'>({
    schema: z.union([z.int().min(1).max(256), z.literal('auto')]),
    variable: 'ISSUER_WORKERS',
    read: asNumber,
    fallback: 'auto',
    takes: '"auto" (one for each core), or a number from 1 to 256',
    meaning: 'How many processes answer requests behind the one port. 1 serves in a single process.',
  }),
  store: setting<string>({
    schema: storeSchema,
    variable: 'ISSUER_STORE',
    read: asText,
    fallback: 'sqlite',
    takes: `"sqlite", or postgres://USER@HOST/DATABASE without a password (parameters: ${STORE_PARAMETERS.join(', ')})`,
    meaning: 'Where the state lies: the encrypted file store.db in the folder, or PostgreSQL, which replicas need.',
  }),
  storePasswordFile: setting<string | null>({
    schema: pathSchema.nullable(),
    variable: 'ISSUER_STORE_PASSWORD_FILE',
    read: asText,
    fallback: null,
    credential: 'store-password',
    takes: "a path, absolute or in the runtime's folder; in the file also null",
    meaning:
      "Holds the password of the PostgreSQL user, in one line. Without it the credential store-password of systemd is taken, and else PostgreSQL's own ways hold (PGPASSFILE, client certificates).",
  }),
  storageKeyFile: setting<string>({
    schema: pathSchema,
    variable: 'ISSUER_STORAGE_KEY_FILE',
    read: asText,
    fallback: 'storage.key',
    credential: 'storage-key',
    takes: "a path, absolute or in the runtime's folder",
    meaning:
      'Holds the storage key that opens the store. Where only the default names it, the credential storage-key of systemd comes first.',
  }),
  secondPlace: setting<string | null>({
    schema: absoluteSchema.nullable(),
    variable: 'ISSUER_SECOND_PLACE',
    read: orOff(asText),
    fallback: null,
    takes: 'an absolute path of a folder, or "off"; in the file also null',
    meaning:
      'Where clients, taints, the clock floor and receipts are written a second time, on another disk or machine.',
  }),
  'log.level': setting<LogLevel>({
    schema: z.enum(LOG_LEVELS),
    variable: 'ISSUER_LOG_LEVEL',
    read: asText,
    fallback: 'info',
    takes: LOG_LEVELS.map((level) => `"${level}"`).join(', '),
    meaning: 'The least important events that are logged.',
  }),
  'limits.clientFailuresPerMinute': setting<number>({
    schema: z.int().min(1).max(10_000),
    variable: null,
    read: asNumber,
    fallback: 30,
    takes: 'a number from 1 to 10000',
    meaning: 'Failed authentications of one client in a minute, after which it has to wait.',
  }),
  'limits.connections': setting<number>({
    schema: z.int().min(16).max(65_536),
    variable: null,
    read: asNumber,
    fallback: 4096,
    takes: 'a number from 16 to 65536',
    meaning: 'Open connections of each process that answers. A connection may take about 24 KB.',
  }),
}
export type SettingName = keyof typeof SETTINGS
export type SettingValue<N extends SettingName> = (typeof SETTINGS)[N] extends Setting<infer T> ? T : never

/** Variables that are no setting: `ISSUER_DIR` stands for --dir. */
const OTHER_VARIABLES = ['ISSUER_DIR']

/** Names of the form ISSUER_… that nothing reads: most likely a typing error. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...Object.values(SETTINGS).map(({ variable }) => variable), ...OTHER_VARIABLES]
  return Object.keys(env)
    .filter((name) => name.startsWith('ISSUER_') && !known.includes(name))
    .sort()
}

/** How many processes answer. */
export const workerCount = (workers: number | 'auto'): number => (workers === 'auto' ? availableParallelism() : workers)
