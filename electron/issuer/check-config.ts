import { randomBytes } from 'node:crypto'
import { rmSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { utcTime } from '../../shared/domain/utc.ts'
import { asKeyriteError, isKeyriteError } from '../../shared/errors.ts'
import {
  type Config,
  type EffectiveConfig,
  type Environment,
  readConfigFile,
  readPinnedAnchor,
  readStorageKey,
  readStorePassword,
  resolveConfig,
  type Source,
  storageKeyPath,
  storePasswordPath,
  valueIn,
} from './config.ts'
import { type Address, SETTINGS, type SettingName, unknownVariables } from './settings.ts'

/** Everything that can be said about a runtime's configuration before it serves, all at once. */

/** An error keeps the runtime from working as it should; a warning is for a person to judge. */
export type Finding = { kind: 'error' | 'warning'; about: string; message: string }
export type EffectiveSetting = { name: SettingName; value: unknown; from: Source; variable: string | null }
export type Checked = { settings: EffectiveSetting[]; findings: Finding[] }

export type CheckOptions = {
  dir: string
  env: Environment
  /** Opens the store with its key and closes it again; throws what is wrong. */
  open: (dir: string) => Promise<void>
  /** Wall time in seconds. */
  now: () => number
}

/** Checks the runtime in `dir`; changes nothing. Only a folder without a runtime throws: `runtime-missing`. */
export async function checkConfig({ dir, env, open, now }: CheckOptions): Promise<Checked> {
  const findings: Finding[] = unknownVariables(env).map((name) =>
    error(name, 'Nothing reads this variable. Is it a typing error?'),
  )
  const file = readOr(findings, () => readConfigFile(dir))
  if (!file) return { settings: [], findings }
  const { config, sources, problems } = resolveConfig(file, env)
  findings.push(...problems.map((problem) => error('settings', problem)))
  findings.push(...checkFiles(dir, config), ...checkSecondPlace(dir, config), ...checkSizes(config))
  findings.push(...(await checkPorts(config)), ...(await checkAnchor(dir, file, now())))
  // What is wrong with the key or the anchor has been said: opening would only say it again.
  if (!findings.some(({ kind }) => kind === 'error')) findings.push(...(await failureOf('store', () => open(dir))))
  const names = Object.keys(SETTINGS) as SettingName[]
  const settings = names.map((name) => {
    return { name, value: valueIn(config, name), from: sources[name], variable: SETTINGS[name].variable }
  })
  return { settings, findings }
}

const error = (about: string, message: string): Finding => ({ kind: 'error', about, message })
const warning = (about: string, message: string): Finding => ({ kind: 'warning', about, message })

function readOr(findings: Finding[], read: () => Config): Config | null {
  try {
    return read()
  } catch (thrown) {
    if (isKeyriteError(thrown, 'runtime-missing')) throw thrown
    findings.push(error('issuer.json', asKeyriteError(thrown).message))
    return null
  }
}

async function failureOf(about: string, work: () => unknown): Promise<Finding[]> {
  try {
    await work()
    return []
  } catch (thrown) {
    const { message, code } = asKeyriteError(thrown)
    return [error(about, `${message} (${code})`)]
  }
}

function checkFiles(dir: string, config: EffectiveConfig): Finding[] {
  const password = storePasswordPath(dir, config)
  return [
    ...modeOf('folder', dir, 0o700),
    ...secretOf('storageKeyFile', storageKeyPath(dir, config), readStorageKey),
    ...(password === null ? [] : secretOf('storePasswordFile', password, readStorePassword)),
  ]
}

function secretOf(about: string, path: string, read: (path: string) => unknown): Finding[] {
  try {
    read(path)
    return modeOf(about, path, 0o600)
  } catch (thrown) {
    return [error(about, asKeyriteError(thrown).message)]
  }
}

/**
 * Nobody but the owner may read. What belongs to another account, as credentials of systemd and secrets of Kubernetes
 * belong to root, is read through its group: there the group may read, and nobody else.
 */
function modeOf(about: string, path: string, wanted: number): Finding[] {
  if (process.platform === 'win32') return []
  const { mode, uid } = statSync(path)
  const open = mode & (uid === process.getuid?.() ? 0o077 : 0o027)
  if (open === 0) return []
  return [
    error(about, `${path} has mode ${(mode & 0o777).toString(8)}: others may use it. chmod ${wanted.toString(8)}.`),
  ]
}

function checkSecondPlace(dir: string, { secondPlace }: EffectiveConfig): Finding[] {
  if (secondPlace === null)
    return [warning('secondPlace', 'There is none. If this disk is lost, clients and taints are lost with it.')]
  const said = (message: string) => [error('secondPlace', message)]
  if (`${resolve(secondPlace)}${sep}`.startsWith(`${resolve(dir)}${sep}`))
    return said('It lies inside the folder of the runtime.')
  let there: Stats
  try {
    there = statSync(secondPlace)
    if (!there.isDirectory()) return said(`${secondPlace} is not a folder.`)
    const probe = join(secondPlace, `.keyrite-check-${randomBytes(6).toString('hex')}`)
    writeFileSync(probe, '', { flag: 'wx', mode: 0o600 })
    rmSync(probe)
  } catch (thrown) {
    return said(`${secondPlace} cannot be written (${(thrown as NodeJS.ErrnoException).code ?? 'unknown'}).`)
  }
  const same = there.dev === statSync(dir).dev
  return same ? [warning('secondPlace', 'It is on the same disk as the folder of the runtime.')] : []
}

const LOCAL = ['127.0.0.1', '::1', 'localhost']

function checkSizes({ workers, ops, store }: EffectiveConfig): Finding[] {
  const cores = availableParallelism()
  const found: Finding[] = []
  if (workers !== 'auto' && workers > cores)
    found.push(
      warning('workers', `${workers} processes share ${cores} cores. More than one for each core gains nothing.`),
    )
  if (ops && !LOCAL.includes(ops.host))
    found.push(warning('ops', `${ops.host} may be reached from other machines: let only the monitoring through.`))
  if (store !== 'sqlite' && !isSafeLink(new URL(store)))
    found.push(warning('store', 'The link to the database is not checked: add sslmode=verify-full.'))
  return found
}

const isSafeLink = ({ hostname, searchParams }: URL): boolean =>
  hostname === '' || LOCAL.includes(hostname) || searchParams.get('sslmode') === 'verify-full'

async function checkPorts({ listen, ops }: EffectiveConfig): Promise<Finding[]> {
  if (ops && ops.port !== 0 && ops.port === listen.port && ops.host === listen.host)
    return [error('ops', 'It is the same address as listen.')]
  const checks = [checkPort('listen', listen), ...(ops ? [checkPort('ops', ops)] : [])]
  return (await Promise.all(checks)).flat()
}

/** Takes the port for a moment. One that is taken is no error: the runtime itself may be serving there now. */
async function checkPort(about: string, { host, port }: Address): Promise<Finding[]> {
  const server = createServer()
  const { promise, resolve: settle } = Promise.withResolvers<string | null>()
  server.once('error', (thrown: NodeJS.ErrnoException) => settle(thrown.code ?? 'unknown'))
  server.listen({ host, port }, () => server.close(() => settle(null)))
  const code = await promise
  if (code === null) return []
  return code === 'EADDRINUSE'
    ? [warning(about, `Something listens on port ${port} of ${host} already: this runtime, if it is serving now.`)]
    : [error(about, `Cannot listen on port ${port} of ${host} (${code}).`)]
}

async function checkAnchor(dir: string, config: Config, now: number): Promise<Finding[]> {
  try {
    const { iat } = await readPinnedAnchor(dir, config)
    const message = `The clock says ${utcTime(now)}, but the trust anchor was made at ${utcTime(iat)}.`
    return now < iat ? [error('clock', message)] : []
  } catch (thrown) {
    return [error('trustAnchor', asKeyriteError(thrown).message)]
  }
}
