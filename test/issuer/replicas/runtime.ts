import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ReadReceipts, readReceipts } from '../../../electron/handoff/receipts.ts'
import { writeTrustAnchor } from '../../../electron/handoff/statements.ts'
import { initRuntime } from '../../../electron/issuer/init.ts'
import { openRuntime } from '../../../electron/issuer/runtime.ts'
import { DAY } from '../../../shared/domain/policy.ts'
import { openEnrollment } from '../../../shared/formats/enrollment.ts'
import { parseStatementFile } from '../../../shared/formats/statement-file.ts'
import {
  ENVIRONMENT,
  type Handoff,
  makeHandoff,
  makeTenant,
  makeVault,
  pathsOf,
  RUNTIME_ID,
  T0,
  TestClock,
  type TestTenant,
  type TestVault,
  temporaryFolder,
} from '../fixtures.ts'
import { AUDIENCE, type Client, configure } from '../serving/process.ts'
import type { Place } from './server.ts'

/** A runtime of today with its vault, on any store, closed, so that real processes may serve it. */

export type Ours = {
  vault: TestVault
  dir: string
  folder: string
  tenants: TestTenant[]
  first: Handoff
  clients: Client[]
  enrollment: Awaited<ReturnType<typeof openEnrollment>>
}

export const now = (): number => Math.floor(Date.now() / 1000)

/** Tenants whose first key has signed for a day. */
export const fresh = (names: readonly string[]): TestTenant[] =>
  names.map((name) => makeTenant(name, { from: now() - DAY }))

/** Tenants whose second key takes over from the first in so many seconds. */
export function changing(names: readonly string[], seconds: number): TestTenant[] {
  const at = now() + seconds
  return names.map((name) => makeTenant(name, { from: at - 90 * DAY }))
}

/** Made, given these tenants and a client each, and served in virtual time up to now, as if it had run for weeks. */
export async function runtimeOf(tenants: TestTenant[], store: Partial<Place> = {}): Promise<Ours> {
  const vault = await makeVault()
  const folder = temporaryFolder()
  const dir = join(folder, 'issuer')
  const began = now() - 20 * DAY
  const clock = new TestClock(began)
  const { enrollmentFile } = await initRuntime({
    dir,
    trustAnchorFile: writeTrustAnchor(folder, vault.anchor.jws, T0),
    runtimeId: RUNTIME_ID,
    environment: ENVIRONMENT,
    listen: { host: '127.0.0.1', port: 0 },
    enrollmentFolder: folder,
    practice: false,
    clock,
    ...(store.store && store),
  })
  configure(dir, { ops: { host: '127.0.0.1', port: 0 } })
  const enrollment = await openEnrollment(parseStatementFile(readFileSync(enrollmentFile)))
  const { transportKey } = enrollment
  const runtime = await openRuntime({ dir, clock })
  const manifest = { iat: began, exp: began + 30 * DAY }
  const first = await makeHandoff(vault, folder, tenants, { transportKey, manifest })
  await runtime.importFiles(pathsOf(first))
  // Every hour counts as served, so that what was to be announced was announced in time.
  await runtime.tick()
  for (const at of tenants.flatMap(({ keys }) => keys.map((key) => key.announceAt)).sort((a, b) => a - b))
    if (at > clock.now() && at < now()) {
      clock.to(at)
      await runtime.tick()
    }
  clock.to(now())
  await runtime.tick()
  const clients: Client[] = []
  for (const { tenant } of tenants) clients.push(await newClient(runtime, tenant))
  await runtime.close()
  return { vault, dir, folder, tenants, first, clients, enrollment }
}

/** A second folder for the same runtime, as another machine has it. */
export function replicaOf({ dir, folder }: Pick<Ours, 'dir' | 'folder'>): string {
  const other = join(folder, 'replica')
  mkdirSync(other, { mode: 0o700 })
  cpSync(dir, other, { recursive: true, filter: (path) => !path.endsWith('.lock') })
  return other
}

type Clients = Pick<Awaited<ReturnType<typeof openRuntime>>, 'clients'>
async function newClient({ clients }: Clients, tenant: string): Promise<Client> {
  const request = { clientId: 'app', method: 'client_secret_basic', audiences: [AUDIENCE], scopes: [] } as const
  const { secret } = await clients.add(tenant, { ...request, audiences: [AUDIENCE], scopes: [] }, 'operator')
  return { tenant, host: `${tenant}.example.com`, clientId: 'app', secret: secret ?? '' }
}

/** Does something in a runtime's folder as a command of its own does, beside those that serve. */
export async function beside<T>(
  dir: string,
  work: (runtime: Awaited<ReturnType<typeof openRuntime>>) => Promise<T>,
): Promise<T> {
  const runtime = await openRuntime({ dir })
  try {
    return await work(runtime)
  } finally {
    await runtime.close()
  }
}

export const addClient = (dir: string, tenant: string): Promise<Client> => beside(dir, (one) => newClient(one, tenant))

/** The files of the next handoff with these tenants, sealed to the transport key that the runtime offers now. */
export async function nextHandoff(ours: Ours, tenants: TestTenant[], previous = ours.first): Promise<Handoff> {
  const { offered } = await receiptsOf(ours)
  if (!offered) throw new Error('no transport key')
  const manifest = { iat: now() - 60, exp: now() + DAY }
  return await makeHandoff(ours.vault, ours.folder, tenants, { previous, transportKey: offered, manifest })
}

/** Every receipt, read and verified as the vault reads them. */
export async function receiptsOf({ dir, enrollment }: Pick<Ours, 'dir' | 'enrollment'>): Promise<ReadReceipts> {
  const { path } = await beside(dir, (runtime) => runtime.exportReceipts(temporaryFolder(), { all: true }))
  const { receiptSigner: signer } = enrollment
  return await readReceipts(path, { signer, runtimeId: RUNTIME_ID, after: null, practice: false })
}

/** What was stated more often than once although it happens once: phases of a key, erasures, uses of a transport key. */
export function statedTwice({ receipts }: ReadReceipts): string[] {
  const told = receipts.flatMap(({ stated }) => {
    if (stated.type === 'phase') return [`${stated.kid} ${stated.phase}`]
    if (stated.type === 'erased') return [`${stated.kid} erased`]
    return stated.type === 'transport-key-erased' ? [`${stated.key} erased`] : []
  })
  return told.filter((one, at) => told.indexOf(one) !== at)
}

const CLI = fileURLToPath(new URL('../../../electron/cli/main.ts', import.meta.url))

/** `keyrite issuer …` as a process of its own; rejects when it fails. */
export const keyrite = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [CLI, 'issuer', ...args])
