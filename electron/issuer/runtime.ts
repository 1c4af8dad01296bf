import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { lineSchema } from '../../shared/formats/common.ts'
import { assertSelfTest } from '../selftest/selftest.ts'
import { addClient, type ClientRequest, listClients, removeClient } from './clients.ts'
import { TrustedClock } from './clock.ts'
import { type Config, readConfig, readPinnedAnchor, readStorageKey, STORE_FILE, storageKeyPath } from './config.ts'
import type { Context } from './context.ts'
import { cancelEnvelopeKey, type Opened, offerEnvelopeKeys, openEmergency } from './envelope.ts'
import { type ExportedReceipts, exportReceipts } from './export-receipts.ts'
import { checkHighwater } from './highwater.ts'
import { type ImportProgress, importFiles } from './import.ts'
import type { ImportResult } from './import-commit.ts'
import { confirmClock, type Settled, tick } from './lifecycle.ts'
import { openReceiptSigner, ReceiptChain } from './receipt-chain.ts'
import { assignTenant } from './removed.ts'
import { Sealer } from './sealing.ts'
import { type Client, type Clock, type IssuerService, systemClock, type TenantService } from './service.ts'
import { runtimeStatus, type Status } from './status.ts'
import { type ClockHold, openStore, type Store } from './store.ts'
import { type Repinned, repin, takeSuccession } from './succession.ts'
import { type Tainted, taint } from './taint.ts'
import { tenantService } from './tenant-service.ts'
import { loadTenant } from './tenant-state.ts'

/** An open runtime: what the HTTP side may ask (`IssuerService`), and what operators may do. */
export type Runtime = IssuerService & {
  readonly config: Config
  /** Follows a succession of the root that the pinned one signed. */
  takeSuccession(path: string): Promise<Repinned>
  /** Pins the root whose fingerprint was compared by voice. */
  repin(path: string, fingerprint: string): Promise<Repinned>
  /** Imports a bundle, its material, or both. */
  importFiles(paths: readonly string[], progress?: ImportProgress): Promise<ImportResult>
  /** To be called by a serving process every minute or so: keeps the clock, states phases, erases what is spent. */
  tick(): Settled
  taint(tenant: string, kid: string, how: { withdraw: boolean; actor: string }): Tainted
  /** Sealed emergency envelopes. */
  readonly envelopes: {
    offer(count: number): string[]
    cancel(kid: string): void
    open(path: string, how: { withdraw: string | null; actor: string }): Promise<Opened>
  }
  /** Labels a tenant for `status`, and nothing else. */
  assign(tenant: string, name: string, actor: string): void
  status(): Status
  readonly clients: {
    add(tenant: string, request: ClientRequest, actor: string): { client: Client; secret: string | null }
    list(tenant?: string): { tenant: string; client: Client }[]
    remove(tenant: string, clientId: string, actor: string): void
  }
  exportReceipts(folder: string, options?: { all?: boolean }): ExportedReceipts
  /** Gives false when there was no clock hold. */
  confirmClock(actor: string): boolean
  close(): void
}

/**
 * Opens the runtime in `dir`. Codes: `runtime-missing`, `config-invalid`, `storage-key-wrong`, `store-damaged`,
 * `store-busy`, `runtime-behind` when the store is older than what this runtime last did, `self-test-failed`.
 */
export async function openRuntime({ dir, clock = systemClock }: { dir: string; clock?: Clock }): Promise<Runtime> {
  assertSelfTest()
  const config = readConfig(dir)
  const anchor = await readPinnedAnchor(dir, config)
  const sealer = openSealer(dir, config)
  must(existsSync(join(dir, STORE_FILE)), 'runtime-missing', `The store of the runtime in ${dir} is missing.`)
  const store = openStore(join(dir, STORE_FILE), sealer.fileKey)
  try {
    const receipts = new ReceiptChain(store, openReceiptSigner(store, sealer), config)
    checkHighwater(dir, store, receipts)
    const onJump = (hold: ClockHold) => recordJump(store, receipts, hold)
    const context: Context = {
      dir,
      config,
      anchor,
      store,
      sealer,
      receipts,
      clock: new TrustedClock(clock, store.clock(), onJump),
    }
    return runtimeOf(context)
  } catch (error) {
    store.close()
    throw error
  }
}

function openSealer(dir: string, config: Config): Sealer {
  const path = storageKeyPath(dir, config)
  const storageKey = readStorageKey(path)
  const sealer = new Sealer(storageKey, config)
  wipe(storageKey)
  must(sealer.keyId === config.storageKeyId, 'storage-key-wrong', `${path} is the storage key of another runtime.`)
  return sealer
}

function recordJump(store: Store, receipts: ReceiptChain, { kind, from, to }: ClockHold): void {
  store.change(() => {
    const before = store.clock()
    if (before.hold?.kind === 'jump') return
    store.setClock({ ...before, floor: Math.max(before.floor, from), hold: { kind, from, to } })
    receipts.append(from, { type: 'clock-hold', from, to })
  })
}

function runtimeOf(context: Context): Runtime {
  const { store, sealer, config, clock } = context
  const tenants = new TenantCache(context)
  let ticked = false
  const own = <T>(work: () => T): T => {
    try {
      return work()
    } finally {
      tenants.expire()
    }
  }
  return {
    config,
    now: () => clock.now(),
    find: (host, path) => (isLocation(host, path) ? tenants.find(host + path) : null),
    takeSuccession: (path) => takeSuccession(context, path),
    repin: (path, fingerprint) => repin(context, path, fingerprint),
    importFiles: (paths, progress) => importFiles(context, paths, progress).finally(() => tenants.expire()),
    tick: () =>
      own(() => {
        tenants.notice()
        const settled = tick(context, !ticked)
        ticked = true
        return settled
      }),
    taint: (tenant, kid, how) => own(() => taint(context, tenant, kid, { ...how, actor: named(how.actor) })),
    envelopes: {
      offer: (count) => offerEnvelopeKeys(context, count),
      cancel: (kid) => cancelEnvelopeKey(context, kid),
      open: (path, { withdraw, actor }) =>
        openEmergency(context, path, { withdraw, actor: named(actor) }).finally(() => tenants.expire()),
    },
    assign: (tenant, name, actor) => own(() => assignTenant(context, tenant, name, named(actor))),
    status: () => runtimeStatus(context),
    clients: {
      add: (tenant, request, actor) => own(() => addClient(context, tenant, request, named(actor))),
      list: (tenant) => listClients(store, tenant),
      remove: (tenant, clientId, actor) => own(() => removeClient(context, tenant, clientId, named(actor))),
    },
    exportReceipts: (folder, options) => exportReceipts(context, folder, options),
    confirmClock: (actor) => own(() => confirmClock(context, named(actor))),
    close: () => {
      store.close()
      sealer.wipe()
    },
  }
}

/** Who acts stands in a receipt: one short line. Code `usage-invalid`. */
function named(actor: string): string {
  const fits = lineSchema.safeParse(actor).success
  must(fits, 'usage-invalid', 'Who does this is named in one line of 1 to 200 characters (--actor).')
  return actor
}

/** Host and path must not run into each other. */
const isLocation = (host: string, path: string): boolean =>
  host !== '' && !host.includes('/') && (path === '' || path.startsWith('/'))

const SERVED = `
SELECT tenant, version FROM tenants
WHERE location = ? AND tenant NOT IN (SELECT tenant FROM removed_tenants)`

type Cached = { service: TenantService; version: number; epoch: number }

/**
 * Tenants in memory, each loaded when it is first asked for. A change by this process (`expire`) or by another one
 * (`notice`, checked on every request) makes each tenant compare its version before it answers again.
 */
class TenantCache {
  readonly #context: Context
  readonly #byLocation = new Map<string, Cached>()
  #dataVersion: number
  #epoch = 0

  constructor(context: Context) {
    this.#context = context
    this.#dataVersion = context.store.dataVersion()
  }

  find(location: string): TenantService | null {
    this.notice()
    const cached = this.#byLocation.get(location)
    if (cached?.epoch === this.#epoch) return cached.service
    return this.#load(location, cached)
  }

  expire(): void {
    this.#epoch += 1
  }

  notice(): void {
    const { store, clock } = this.#context
    const seen = store.dataVersion()
    if (seen === this.#dataVersion) return
    this.#dataVersion = seen
    this.#epoch += 1
    clock.reload(store.clock())
  }

  #load(location: string, cached: Cached | undefined): TenantService | null {
    const { store, sealer } = this.#context
    type Row = { tenant: string; version: number }
    const row = store.get<Row>(SERVED, location)
    if (!row) {
      this.#byLocation.delete(location)
      return null
    }
    if (cached && cached.version === row.version) {
      cached.epoch = this.#epoch
      return cached.service
    }
    const state = loadTenant(store, row.tenant)
    if (!state) return null
    const fresh = { service: tenantService(store, sealer, state), version: state.version, epoch: this.#epoch }
    this.#byLocation.set(location, fresh)
    return fresh.service
  }
}
