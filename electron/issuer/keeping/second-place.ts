import { setTimeout as sleep } from 'node:timers/promises'
import { isKeyriteError, must } from '../../../shared/errors.ts'
import { digest } from '../../../shared/formats/bytes.ts'
import type { ReceiptChain } from '../receipt-chain.ts'
import type { Sealer } from '../sealing.ts'
import type { Store } from '../store/store.ts'
import { entriesAfter } from './entries.ts'
import { Journal, type Place } from './journal.ts'
import type { Entry } from './journal-format.ts'

/**
 * Keeps what must not be undone a second time, on another disk or machine. Whoever committed a change, or the time, writes
 * all that the journal lacks, one process at a time; so a process that was ended in between is made good by the next. A
 * place that cannot be written holds nothing up: the change stands, the failure is told and made good later.
 */

/** How long one process waits for another that is writing, in milliseconds. */
const PATIENCE = 10_000
const RETRY = 20

type Kept = { store: Store; receipts: ReceiptChain }
/** The storage key before this one, as `rotateStorageKey` leaves it. */
export type Rotated = { from: string; at: number }

export class SecondPlace {
  readonly folder: string
  readonly journal: Journal
  readonly #onFailure: (error: unknown) => void
  #failing = false
  #turn: Promise<void> = Promise.resolve()

  constructor(
    folder: string,
    { runtimeId }: { runtimeId: string },
    { placeKey, keyId }: Sealer,
    onFailure: (error: unknown) => void = () => {},
  ) {
    this.folder = folder
    this.journal = new Journal(folder, { runtimeId, storageKeyId: keyId, key: placeKey })
    this.#onFailure = onFailure
  }

  /** True while the last attempt of this process failed. */
  get failing(): boolean {
    return this.#failing
  }

  /** How far the journal goes, or null where there is none yet. Codes of `Journal.look`, `storage-key-wrong`. */
  async reached(store: Store): Promise<Place | null> {
    const found = this.journal.look()
    if (found.kind === 'journal') return found.place
    // Begun anew under the new key by the next change: what is in the old one is in the store.
    const known = found.kind === 'none' || (await store.meta<Rotated>('rotated'))?.from === found.storageKeyId
    must(known, 'storage-key-wrong', `${this.journal.path} was written under another storage key.`)
    return null
  }

  /** Writes what the journal lacks, and the time. Never throws: gives whether it is all there. */
  async keep(kept: Kept): Promise<boolean> {
    let there = false
    this.#turn = this.#turn.then(async () => {
      there = await this.#keep(kept)
    })
    await this.#turn
    return there
  }

  async #keep({ store, receipts }: Kept): Promise<boolean> {
    try {
      const unlock = await locked(store)
      try {
        await this.#write({ store, receipts })
      } finally {
        await unlock()
      }
      if (await store.meta('second-place-behind')) await noteBehind(store, null)
      this.#failing = false
      return true
    } catch (error) {
      const told = this.#failing
      this.#failing = true
      await noteBehind(store, (await store.clock().catch(() => null))?.floor ?? 0).catch(() => {})
      if (!told) this.#onFailure(error)
      return false
    }
  }

  async #write({ store, receipts }: Kept): Promise<void> {
    const reached = await this.reached(store)
    const last = reached ? lastOf(reached) : { seq: 0, digest: null }
    const same = last.seq === 0 || (await receipts.digestAt(last.seq)) === last.digest
    must(same, 'receipts-forked', `Receipt ${last.seq} in the second place is not the one of this runtime.`)
    const written = { ...last }
    const lacking = noting(entriesAfter(store, last.seq), written)
    const place = reached ?? (await this.journal.begin(lacking))
    if (reached) for await (const entries of lacking) this.journal.append(place, entries)
    const bundle = await store.bundle()
    this.journal.writeMark({
      id: place.id,
      lines: place.lines,
      bytes: place.bytes,
      receiptSeq: written.seq,
      receiptHead: written.digest,
      number: bundle?.number ?? 0,
      head: bundle?.head ?? null,
      clock: await store.clock(),
    })
  }
}

type Last = { seq: number; digest: string | null }

/** The last receipt of a journal, whether its mark tells of it or not. */
export function lastOf({ mark, tail }: Place): Last {
  const last = tail.findLast((entry) => entry.type === 'receipt')
  if (last) return { seq: last.seq, digest: digest(last.jws) }
  return { seq: mark?.receiptSeq ?? 0, digest: mark?.receiptHead ?? null }
}

async function* noting(batches: AsyncIterable<Entry[]>, last: Last): AsyncGenerator<Entry[]> {
  for await (const entries of batches) {
    yield entries
    for (const entry of entries)
      if (entry.type === 'receipt') Object.assign(last, { seq: entry.seq, digest: digest(entry.jws) })
  }
}

const LOCK = 'second-place'

async function locked(store: Store): Promise<() => Promise<void>> {
  for (const since = performance.now(); ; await sleep(RETRY)) {
    try {
      return await store.lock(LOCK)
    } catch (error) {
      if (!isKeyriteError(error, 'store-busy') || performance.now() - since > PATIENCE) throw error
    }
  }
}

/** Since when the second place is behind, for every process that looks; null when it is not. */
async function noteBehind(store: Store, since: number | null): Promise<void> {
  await store.change(async (tx) => {
    const before = await tx.meta<number>('second-place-behind')
    if (since === null || before === null) await tx.setMeta('second-place-behind', since)
  })
}
