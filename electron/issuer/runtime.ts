import { must } from '../../shared/errors.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { lineSchema } from '../../shared/formats/common.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import { assertSelfTest } from '../selftest/selftest.ts'
import { addClient, type ClientRequest, listClients, removeClient } from './clients.ts'
import { TrustedClock } from './clock.ts'
import { type EffectiveConfig, readConfig, readPinnedAnchor, readStorageKey, storageKeyPath } from './config.ts'
import type { Context } from './context.ts'
import { type Drill, drill } from './drill.ts'
import { cancelEnvelopeKey, type Opened, offerEnvelopeKeys, openEmergency } from './envelope.ts'
import { type ExportedReceipts, exportReceipts } from './export-receipts.ts'
import { runtimeFacts } from './facts.ts'
import { checkHighwater } from './highwater.ts'
import { type ImportProgress, importFiles } from './import.ts'
import type { ImportResult } from './import-commit.ts'
import { type ExportedIssuance, exportIssuance, type IssuanceSpan } from './issuance.ts'
import { anchorIssuance, type PrunedIssuance, pruneIssuance } from './issuance-anchors.ts'
import { AWAITED_HINT, mustBeAwaited, settleAwaited, whatIsAwaited } from './keeping/awaited.ts'
import { type BackupMade, makeBackup } from './keeping/backup.ts'
import { type Keeping, keepingOf } from './keeping/keeping.ts'
import { SecondPlace } from './keeping/second-place.ts'
import { isRotated, mustBeCurrent, settleRotation } from './keeping/storage-key.ts'
import { confirmClock, type Settled, tick } from './lifecycle.ts'
import { newsOf, noteSettings } from './news.ts'
import { openReceiptSigner, ReceiptChain } from './receipt-chain.ts'
import { type Rejected, rejectTokens } from './reject-tokens.ts'
import { assignTenant } from './removed.ts'
import { importRevocation } from './revocation.ts'
import type { Revoked } from './revocation-commit.ts'
import { Sealer } from './sealing.ts'
import { type Client, type Clock, type IssuerService, systemClock } from './service.ts'
import { runtimeStatus, type Status } from './status.ts'
import { openStores, placeOf } from './store/open.ts'
import type { ClockHold, Store } from './store/store.ts'
import { type Repinned, repin, takeSuccession } from './succession.ts'
import {
  type How,
  type Tainted,
  type TaintedRuntime,
  type TaintedTenant,
  taint,
  taintRuntime,
  taintTenant,
} from './taint.ts'
import { TenantCache } from './tenant-cache.ts'
import { Traffic } from './traffic.ts'
import type { Facts } from './watch/gauges.ts'

/** An open runtime: what the HTTP side may ask (`IssuerService`), and what operators may do. */
export type Runtime = IssuerService & {
  readonly config: EffectiveConfig
  /** Follows a succession of the root that the pinned one signed. */
  takeSuccession(path: string): Promise<Repinned>
  /** Pins the root whose fingerprint was compared by voice. */
  repin(path: string, fingerprint: string): Promise<Repinned>
  /** Imports a bundle, its material, or both. */
  importFiles(paths: readonly string[], progress?: ImportProgress): Promise<ImportResult>
  /** Takes a revocation: its keys never sign again and are not published any more. */
  importRevocation(path: string, actor: string): Promise<Revoked>
  /** To be called by a serving process every minute or so: keeps the clock, states phases, erases what is spent. */
  tick(): Promise<Settled>
  taint(tenant: string, kid: string, how: How): Promise<Tainted>
  /** Every key of a tenant, or of every tenant. */
  taintTenant(tenant: string, how: How): Promise<TaintedTenant>
  taintRuntime(how: How, progress?: (done: number, total: number) => void): Promise<TaintedRuntime>
  /** Tokens issued before an instant are not active any more. */
  rejectTokens(tenant: string, before: number, actor: string): Promise<Rejected>
  /** What a taint of this tenant would do to it and to all others, on a copy. */
  drill(tenant: string, progress?: Parameters<typeof drill>[2]): Promise<Drill>
  /** The issuance logs, for auditors. */
  readonly issuance: {
    export(of: { tenant: string; folder: string } & IssuanceSpan): Promise<ExportedIssuance>
    prune(before: number, actor: string): Promise<PrunedIssuance>
  }
  /** Sealed emergency envelopes. */
  readonly envelopes: {
    offer(count: number): Promise<string[]>
    cancel(kid: string): Promise<void>
    open(path: string, how: { withdraw: string | null; actor: string }): Promise<Opened>
  }
  /** Labels a tenant for `status`, and nothing else. */
  assign(tenant: string, name: string, actor: string): Promise<void>
  status(): Promise<Status>
  facts(status: Status): Promise<Facts>
  /** What was stated since this was last asked, by whichever process; nothing the first time. */
  news(): Promise<Stated[]>
  /** Enters into the receipts which settings changed since this host served last. */
  noteSettings(actor: string): Promise<string[]>
  /** To be called by a process that serves beside the one that ticks, every few seconds: it follows time and changes. */
  follow(): Promise<void>
  readonly clients: {
    add(tenant: string, request: ClientRequest, actor: string): Promise<{ client: Client; secret: string | null }>
    list(tenant?: string): Promise<{ tenant: string; client: Client }[]>
    remove(tenant: string, clientId: string, actor: string): Promise<void>
  }
  exportReceipts(folder: string, options?: { all?: boolean }): Promise<ExportedReceipts>
  /** Writes an encrypted copy of the store, while serving goes on. */
  backup(folder: string, actor: string): Promise<BackupMade>
  /** How the second place and the storage key stand. */
  keeping(): Promise<Keeping>
  /** Gives false when there was no clock hold. */
  confirmClock(actor: string): Promise<boolean>
  close(): Promise<void>
}

export type OpenOptions = {
  dir: string
  clock?: Clock
  /** Told when a private key of a tenant cannot be read or opened. */
  onKeyFailure?: (tenant: string, error: unknown) => void
  /** Told once when the second place cannot be written. */
  onSecondPlaceFailure?: (error: unknown) => void
  /** Opens a restored runtime that still lacks a bundle: to import it. */
  awaiting?: boolean
}

/**
 * Opens the runtime in `dir`. Codes: `runtime-missing`, `config-invalid`, `storage-key-wrong`, `store-damaged`,
 * `store-busy`, `runtime-behind` when the store is older than what this runtime last did or awaits a bundle,
 * `self-test-failed`.
 */
export async function openRuntime({
  dir,
  clock = systemClock,
  onKeyFailure = () => {},
  onSecondPlaceFailure = () => {},
  awaiting = false,
}: OpenOptions): Promise<Runtime> {
  assertSelfTest()
  const config = readConfig(dir)
  const anchor = await readPinnedAnchor(dir, config)
  const sealer = openSealer(dir, config)
  settleRotation(dir, config)
  const stores = await openStores(placeOf(dir, config, sealer.fileKey))
  const { store } = stores
  try {
    await mustBeCurrent(store, sealer)
    const receipts = new ReceiptChain(store, await openReceiptSigner(store, sealer), config)
    const secondPlace =
      config.secondPlace === null ? null : new SecondPlace(config.secondPlace, config, sealer, onSecondPlaceFailure)
    await checkHighwater(dir, store, receipts, secondPlace)
    const awaited = awaiting ? null : await whatIsAwaited(store)
    must(awaited === null, 'runtime-behind', awaited ?? '', { hint: AWAITED_HINT })
    await secondPlace?.keep({ store, receipts })
    const jumps = new Set<Promise<void>>()
    let unrecorded: ClockHold | null = null
    // A request may be the first to see it, and has nobody to tell that the store does not take it: then it is tried again.
    const onJump = (hold: ClockHold) => {
      unrecorded = hold
      const recorded = recordJump(store, receipts, hold)
        .then(() => {
          unrecorded = null
        })
        .finally(() => jumps.delete(recorded))
      recorded.catch(() => {})
      jumps.add(recorded)
    }
    const settleJumps = () => {
      if (unrecorded && unrecorded === trusted.hold && jumps.size === 0) onJump(unrecorded)
      return Promise.all(jumps)
    }
    const trusted = new TrustedClock(clock, await store.clock(), onJump)
    const traffic = new Traffic(stores.traffic)
    const parts = { dir, config, anchor, store, traffic, sealer, receipts, secondPlace }
    const context: Context = { ...parts, clock: trusted, onKeyFailure }
    const close = async () => {
      await Promise.allSettled(jumps)
      await traffic.settled()
      await stores.traffic.close()
      await store.close()
      sealer.wipe()
    }
    return runtimeOf(context, { log: stores.traffic, close, jumps: settleJumps })
  } catch (error) {
    await stores.traffic.close()
    await store.close()
    throw error
  }
}

function openSealer(dir: string, config: EffectiveConfig): Sealer {
  const path = storageKeyPath(dir, config)
  const storageKey = readStorageKey(path)
  const sealer = new Sealer(storageKey, config)
  wipe(storageKey)
  must(sealer.keyId === config.storageKeyId, 'storage-key-wrong', `${path} is the storage key of another runtime.`)
  return sealer
}

function recordJump(store: Store, receipts: ReceiptChain, { kind, from, to }: ClockHold): Promise<void> {
  return store.change(async (tx) => {
    const before = await tx.clock()
    if (before.hold?.kind === 'jump') return
    await tx.setClock({ ...before, floor: Math.max(before.floor, from), hold: { kind, from, to } })
    await receipts.append(tx, from, { type: 'clock-hold', from, to })
  })
}

type Ends = {
  /** The store of what requests write. */
  log: Store
  close(): Promise<void>
  /** Waits until every jump of the clock that was seen is written down. */
  jumps(): Promise<unknown>
}

function runtimeOf(context: Context, { log, close, jumps }: Ends): Runtime {
  const { store, config, clock } = context
  const tenants = new TenantCache(context)
  let ticked = false
  /** Set once another process rotated the storage key: what this one holds is not what the store is sealed with. */
  let rotated: string | null = null
  const noticeRotation = async () => {
    rotated = await isRotated(store, context.sealer)
  }
  /** What the clock shows now is written down before anything is said about it. */
  const seen = async () => {
    clock.now()
    await jumps()
  }
  return {
    config,
    now: () => clock.now(),
    find: (host, path) => (isLocation(host, path) ? tenants.find(host + path) : null),
    cannotSign() {
      if (!store.heard()) return 'The store was not heard from for some seconds.'
      return clock.stands ? 'The clock is held until somebody confirms it.' : rotated
    },
    takeSuccession: (path) => takeSuccession(context, path),
    repin: (path, fingerprint) => repin(context, path, fingerprint),
    async importFiles(paths, progress) {
      await mustBeAwaited(context, paths)
      const result = await importFiles(context, paths, progress)
      await settleAwaited(context)
      return result
    },
    importRevocation: async (path, actor) => importRevocation(context, path, named(actor)),
    async tick() {
      await noticeRotation()
      await tenants.notice()
      const settled = await tick(context, !ticked)
      await jumps()
      if (context.secondPlace?.failing) await context.secondPlace.keep(context)
      ticked = true
      return settled
    },
    taint: async (tenant, kid, how) => taint(context, tenant, kid, { ...how, actor: named(how.actor) }),
    taintTenant: async (tenant, how) => taintTenant(context, tenant, { ...how, actor: named(how.actor) }),
    taintRuntime: async (how, progress) => taintRuntime(context, { ...how, actor: named(how.actor) }, progress),
    rejectTokens: async (tenant, before, actor) => rejectTokens(context, tenant, { before, actor: named(actor) }),
    drill: (tenant, progress) => drill(context, tenant, progress),
    issuance: {
      export: (of) => exportIssuance({ ...context, log }, of),
      prune: async (before, actor) => pruneIssuance({ ...context, log }, { before, actor: named(actor) }),
    },
    envelopes: {
      offer: (count) => offerEnvelopeKeys(context, count),
      cancel: (kid) => cancelEnvelopeKey(context, kid),
      open: async (path, { withdraw, actor }) => openEmergency(context, path, { withdraw, actor: named(actor) }),
    },
    assign: async (tenant, name, actor) => assignTenant(context, tenant, name, named(actor)),
    async status() {
      await seen()
      return runtimeStatus(context)
    },
    clients: {
      add: async (tenant, request, actor) => addClient(context, tenant, request, named(actor)),
      list: (tenant) => listClients(store, tenant),
      remove: async (tenant, clientId, actor) => removeClient(context, tenant, clientId, named(actor)),
    },
    facts: (status) => runtimeFacts(context, status),
    news: newsOf(context),
    noteSettings: async (actor) => noteSettings(context, named(actor)),
    async follow() {
      await noticeRotation()
      await tenants.notice()
      clock.serve()
      await seen()
    },
    async exportReceipts(folder, options) {
      await seen()
      await anchorIssuance({ ...context, log })
      return exportReceipts(context, folder, options)
    },
    backup: async (folder, actor) => makeBackup(context, folder, named(actor)),
    keeping: () => keepingOf(context),
    confirmClock: async (actor) => confirmClock(context, named(actor)),
    close,
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
