import { must } from '../../../shared/errors.ts'
import { digest } from '../../../shared/formats/bytes.ts'
import { ed25519JwkSchema, type StatementKey } from '../../../shared/formats/jws.ts'
import { mustFollow, openReceipt, type ReceiptHead, type Stated } from '../../../shared/formats/receipt.ts'
import { erasePrivate, touch } from '../lifecycle.ts'
import type { ReceiptChain } from '../receipt-chain.ts'
import type { Reader, Store, Writer } from '../store/store.ts'
import { eraseTransportKey } from '../transport.ts'
import { type Awaited, rejectBefore } from './awaited.ts'
import type { Entry, Row } from './journal-format.ts'
import { lastOf, type SecondPlace } from './second-place.ts'

/**
 * Brings a store that is an older copy up to date from the second place: the receipts that it lacks, and all that they
 * say. Keys are tainted and clients are gone before anything is served, erased private halves are erased again, and what
 * only files can bring back is awaited.
 */

export type CaughtUp = {
  /** Receipts that were missing: none where `to` is less than `from`. */
  from: number
  to: number
  erased: number
  /** The bundle that has to be imported again, or null. */
  bundle: number | null
}

type Erased = Extract<Stated, { type: 'erased' }>
type Behind = {
  tx: Writer
  head: ReceiptHead
  before: Stated | null
  erased: Map<string, Erased>
  awaited: Awaited
}

export type CatchUpOptions = {
  store: Store
  receipts: ReceiptChain
  place: SecondPlace
  runtimeId: string
  practice: boolean
  actor: string
}

/**
 * Plays the journal into a store that is behind it, in one change. Codes: `second-place-damaged`, `file-missing` where
 * there is no journal, `receipts-forked` for the journal of another story, `signature-invalid`, `store-busy`.
 */
export async function catchUp(options: CatchUpOptions): Promise<CaughtUp> {
  const { store, receipts, place, actor } = options
  const reached = await place.reached(store)
  must(reached, 'file-missing', `There is no journal of ${options.runtimeId} in ${place.folder}.`)
  const { mark } = reached
  must(mark, 'second-place-damaged', 'The mark of the second place is missing: nothing shows how far time had come.')
  const signer = await receiptKey(store)
  return store.change(async (tx) => {
    const head = await receipts.head(tx)
    const behind: Behind = {
      tx,
      head: head ?? { seq: 0, digest: '' },
      before: null,
      erased: new Map(),
      awaited: (await tx.meta<Awaited>('awaited')) ?? { number: 0, manifest: '', kept: [], rejects: {} },
    }
    const from = behind.head.seq + 1
    const last = lastOf(reached)
    const restored = await tx.meta<string>('backup')
    if (last.seq < from) {
      await mustBeSameStory(receipts, last)
      // The receipt of the backup itself comes after it.
      must(restored === null, 'runtime-behind', OLDER, { hint: OVER })
      return { from, to: from - 1, erased: 0, bundle: null }
    }
    await play(behind, place.journal.entries(reached), options, signer)
    const { seq: to } = behind.head
    // A copy that is no backup of ours has no name: then the vault counts on all that this runtime ever had.
    const backup = restored ?? head?.digest ?? digest('')
    const clock = await tx.clock()
    const at = Math.max(clock.floor, mark.clock.floor)
    await tx.setClock({ ...mark.clock, floor: at })
    await receipts.append(tx, at, { type: 'restored', backup, fromSeq: from - 1, actor })
    const erased = await eraseAgain(tx, receipts, at, behind.erased)
    const bundle = await noteAwaited(tx, behind.awaited)
    await tx.setMeta('backup', null)
    for (const { tenant } of await tx.all<{ tenant: string }>('SELECT tenant FROM tenants'))
      await touch(tx, tenant, { due: true })
    return { from, to, erased, bundle }
  })
}

const OLDER = 'The second place ends before this backup was made: nothing shows what happened since.'
const OVER = 'This runtime is over: make another with "issuer init", under an id of its own, and enroll it.'

async function mustBeSameStory(receipts: ReceiptChain, last: { seq: number; digest: string | null }): Promise<void> {
  const same = last.seq === 0 || (await receipts.digestAt(last.seq)) === last.digest
  must(same, 'receipts-forked', `Receipt ${last.seq} in the second place is not the one of this store.`)
}

async function receiptKey(store: Reader): Promise<StatementKey> {
  const row = await store.get<{ kid: string; jwk: string }>("SELECT kid, jwk FROM own_keys WHERE use = 'receipt'")
  must(row, 'store-damaged', 'The runtime store holds no receipt key.')
  return { kid: row.kid, jwk: ed25519JwkSchema.parse(JSON.parse(row.jwk)) }
}

async function play(
  behind: Behind,
  entries: Iterable<Entry>,
  { runtimeId, practice }: CatchUpOptions,
  signer: StatementKey,
): Promise<void> {
  const start = behind.head.seq
  let keys: Row[] = []
  for (const entry of entries) {
    if (entry.type === 'keys') {
      keys.push(...entry.keys)
      continue
    }
    if (entry.seq > start) {
      for (const row of keys) await putKey(behind.tx, row)
      const { stated, seq, prev, ...about } = await openReceipt(entry.jws, signer, practice)
      must(about.runtimeId === runtimeId, 'audience-wrong', `A receipt is of the runtime ${about.runtimeId}.`)
      if (behind.head.seq > 0) mustFollow({ stated, seq, prev, ...about }, behind.head)
      await behind.tx.run('INSERT INTO receipts (seq, jws) VALUES (?, ?)', seq, entry.jws)
      await apply(behind, stated, about.at, entry.client)
      Object.assign(behind, { head: { seq, digest: digest(entry.jws) }, before: stated })
    } else if (entry.seq === start) {
      const same = digest(entry.jws) === behind.head.digest
      must(same, 'receipts-forked', `Receipt ${start} in the second place is not the one of this store.`)
      behind.before = (await openReceipt(entry.jws, signer, practice)).stated
    }
    keys = []
  }
}

/** Facts of the journal are newer than those of the store. A key that the store does not have yet comes with its bundle. */
async function putKey(tx: Writer, row: Row): Promise<void> {
  const names = Object.keys(row)
  const set = names.map((name) => `${name} = excluded.${name}`)
  const sql = `INSERT INTO keys (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  await tx.run(`${sql} ON CONFLICT (kid) DO UPDATE SET ${set.join(', ')}`, ...Object.values(row))
}

/** What a receipt says, done to the store. What stands in the rows of its keys is done already. */
async function apply(behind: Behind, stated: Stated, at: number, client: string | null): Promise<void> {
  const { tx, awaited } = behind
  switch (stated.type) {
    case 'erased':
      return void behind.erased.set(stated.kid, stated)
    case 'client-added':
      return client === null ? undefined : putClient(tx, stated, client)
    case 'client-removed':
      await tx.run('DELETE FROM clients WHERE tenant = ? AND client_id = ?', stated.tenant, stated.clientId)
      return
    case 'tenant-named':
      await tx.run(
        'INSERT INTO tenant_names (tenant, name) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET name = excluded.name',
        stated.tenant,
        stated.name,
      )
      return
    case 'tokens-rejected':
      awaited.rejects[stated.tenant] = stated.before
      return rejectBefore(tx, stated.tenant, stated.before)
    case 'imported':
      return void Object.assign(awaited, { number: stated.number, manifest: stated.manifest })
    case 'transport-key-erased':
      return eraseUnlessUsed(behind, stated.key, at)
  }
}

async function putClient(tx: Writer, { tenant, clientId }: Extract<Stated, { type: 'client-added' }>, client: string) {
  const sql = 'INSERT INTO clients (tenant, client_id, client) VALUES (?, ?, ?)'
  await tx.run(
    `${sql} ON CONFLICT (tenant, client_id) DO UPDATE SET client = excluded.client`,
    tenant,
    clientId,
    client,
  )
}

/**
 * A transport key that was cancelled is erased. One that was used stays until the same file was brought again, because
 * what came in that file is lost with the store.
 */
async function eraseUnlessUsed({ tx, before, awaited }: Behind, kid: string, at: number): Promise<void> {
  if (before?.type === 'imported') awaited.kept.push(kid)
  else if (before?.type !== 'envelope-opened') await eraseTransportKey(tx, kid, at)
}

/** A private half that was erased or destroyed is erased again, and the vault hears of it. */
async function eraseAgain(
  tx: Writer,
  receipts: ReceiptChain,
  at: number,
  stated: ReadonlyMap<string, Erased>,
): Promise<number> {
  const gone = new Map<string, { tenant: string; reason: Erased['reason'] }>(stated)
  const buried = 'SELECT p.kid, p.tenant FROM private_keys p JOIN tombstones t ON t.kid = p.kid'
  for (const { kid, tenant } of await tx.all<{ kid: string; tenant: string }>(buried))
    gone.set(kid, { tenant, reason: 'destroyed' })
  let erased = 0
  for (const [kid, { tenant, reason }] of gone) {
    if (!(await tx.get('SELECT 1 FROM private_keys WHERE kid = ?', kid))) continue
    await erasePrivate(tx, kid)
    await receipts.append(tx, at, { type: 'erased', tenant, kid, reason })
    erased += 1
  }
  return erased
}

/** Gives the number of the bundle that is awaited, or null. */
async function noteAwaited(tx: Writer, awaited: Awaited): Promise<number | null> {
  const bundle = await tx.bundle()
  const kept: string[] = []
  for (const kid of new Set(awaited.kept))
    if (await tx.get('SELECT 1 FROM own_keys WHERE kid = ? AND sealed IS NOT NULL', kid)) kept.push(kid)
  const here = (bundle?.number ?? 0) >= awaited.number
  const same = !bundle || bundle.number !== awaited.number || bundle.head === awaited.manifest
  must(same, 'receipts-forked', `The store holds another bundle ${awaited.number} than the second place tells of.`)
  if (here && kept.length === 0) return null
  await tx.setMeta('awaited', { ...awaited, kept } satisfies Awaited)
  return awaited.number
}
