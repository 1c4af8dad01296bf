import { hash } from 'node:crypto'
import { DAY, SKEW } from '../../shared/domain/policy.ts'
import type { Issued } from './service.ts'
import type { Store, Writer } from './store/store.ts'

/**
 * What requests write: used client assertions, the issuance log, and who fetched which keys. Requests of the same few
 * milliseconds are written together, and each goes on when its writing is on the disk.
 */

/**
 * What comes in while one batch is written makes the next: a quick disk needs no pause. A slow one gets pauses, so that
 * writing never takes more than a third of the time. In milliseconds.
 */
const QUICK = 2
const PAUSE = 2
const LONGEST_PAUSE = 50

/** Parties that strangers made up must not stay for ever. */
const FETCHES_KEPT = 180 * DAY

type Assertion = { tenant: string; id: string; expires: number; taken: boolean }
type Fetch = { tenant: string; party: string; kid: string; at: number }

/** Tokens of one tenant, and when the last of them was issued. */
type Lines = { lines: string[]; at: number }

export type Fetched = { party: string; kid: string; at: number }

type Batch = {
  assertions: Assertion[]
  issued: Map<string, Lines>
  fetches: Fetch[]
  done: Promise<void>
  settle: (error?: unknown) => void
}

export class Traffic {
  readonly #store: Store
  #batch: Batch | null = null
  #writing: Promise<void> = Promise.resolve()
  #lastTook = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** Remembers a client assertion until `expires`; false when it was used before. */
  async takeAssertion(tenant: string, id: string, expires: number): Promise<boolean> {
    const assertion = { tenant, id, expires, taken: false }
    const batch = this.#open()
    batch.assertions.push(assertion)
    await batch.done
    return assertion.taken
  }

  /** Writes one token into its tenant's log. */
  record(tenant: string, { at, jti, clientId, audience, scope, kid, exp }: Issued): Promise<void> {
    const batch = this.#open()
    const line = JSON.stringify({ at, jti, clientId, audience, scope, kid, exp })
    const known = batch.issued.get(tenant)
    if (known) {
      known.lines.push(line)
      known.at = at
    } else batch.issued.set(tenant, { lines: [line], at })
    return batch.done
  }

  /** Notes who fetched which keys. Nobody waits for it; if it cannot be written, the next fetch notes it again. */
  noteFetch(tenant: string, party: string, kids: readonly string[], at: number): void {
    const batch = this.#open()
    for (const kid of kids) batch.fetches.push({ tenant, party, kid, at })
  }

  /** Who fetched which keys of the tenants from `first` to `last`, and when for the first time. */
  async fetchesOf(first: string, last: string): Promise<Map<string, Fetched[]>> {
    const sql = 'SELECT tenant, party, kid, first_at AS at FROM fetches WHERE tenant >= ? AND tenant <= ?'
    const rows = await this.#store.all<Fetched & { tenant: string }>(sql, first, last)
    return Map.groupBy(rows, (row) => row.tenant)
  }

  /** Forgets assertions that are refused for their age alone, and fetches of half a year ago. */
  async forget(now: number): Promise<void> {
    await this.#store.change(async (tx) => {
      await tx.run('DELETE FROM assertions WHERE expires < ?', now - SKEW)
      await tx.run('DELETE FROM fetches WHERE last_at < ?', now - FETCHES_KEPT)
    })
  }

  /** Waits until everything asked for so far is written, or has failed. */
  async settled(): Promise<void> {
    await this.#batch?.done.catch(() => {})
    await this.#writing
  }

  #open(): Batch {
    if (this.#batch) return this.#batch
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Who awaits it sees the failure; a batch of notes alone has nobody.
    promise.catch(() => {})
    const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error))
    this.#batch = { assertions: [], issued: new Map(), fetches: [], done: promise, settle }
    const write = () => {
      this.#writing = this.#writing.then(() => this.#write())
    }
    if (this.#lastTook < QUICK) setImmediate(write)
    else setTimeout(write, Math.min(LONGEST_PAUSE, this.#lastTook * PAUSE))
    return this.#batch
  }

  async #write(): Promise<void> {
    const batch = this.#batch
    if (!batch) return
    this.#batch = null
    const started = performance.now()
    try {
      await this.#store.change((tx) => writeBatch(tx, batch))
      batch.settle()
    } catch (error) {
      batch.settle(error)
    }
    this.#lastTook = performance.now() - started
  }
}

async function writeBatch(tx: Writer, { assertions, issued, fetches }: Batch): Promise<void> {
  for (const assertion of assertions) {
    const sql = 'INSERT INTO assertions (tenant, id, expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
    assertion.taken = (await tx.run(sql, assertion.tenant, assertion.id, assertion.expires)) === 1
  }
  if (issued.size > 0) await appendIssued(tx, issued)
  if (fetches.length > 0) await noteFetches(tx, fetches)
}

type Head = { tenant: string; seq: number; digest: string }

/** The first row of a tenant's log follows nothing. */
export const NO_ROW = hash('sha256', '', 'base64url')

/** The digest of a row of the issuance log, over everything that it says and the row before. */
export const issuanceDigest = (tenant: string, seq: number, prev: string, entries: string): string =>
  hash('sha256', `${tenant}\n${seq}\n${prev}\n${entries}`, 'base64url')

async function appendIssued(tx: Writer, issued: ReadonlyMap<string, Lines>): Promise<void> {
  const heads = await headsOf(tx, [...issued.keys()])
  const rows = [...issued].map(([tenant, { lines, at }]) => {
    const { seq, digest: prev } = heads.get(tenant) ?? { seq: 0, digest: NO_ROW }
    const entries = lines.join('\n')
    return { tenant, seq: seq + 1, prev, entries, tokens: lines.length, at }
  })
  await tx.insert(
    'INSERT INTO issuance (tenant, seq, prev, entries, tokens, at) VALUES',
    rows.map(({ tenant, seq, prev, entries, tokens, at }) => [tenant, seq, prev, entries, tokens, at]),
  )
  await tx.insert(
    'INSERT INTO issuance_heads (tenant, seq, digest) VALUES',
    rows.map(({ tenant, seq, prev, entries }) => [tenant, seq, issuanceDigest(tenant, seq, prev, entries)]),
    'ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq, digest = excluded.digest',
  )
}

/** A database asked once for many tenants; statements of a few sizes are prepared again and again. */
const AT_ONCE = 32

async function headsOf(tx: Writer, tenants: readonly string[]): Promise<Map<string, Head>> {
  const heads = new Map<string, Head>()
  for (let from = 0; from < tenants.length; from += AT_ONCE) {
    const some = tenants.slice(from, from + AT_ONCE)
    const places = Array.from({ length: some.length === 1 ? 1 : AT_ONCE }, () => '?').join(', ')
    const padded = some.length === 1 ? some : [...some, ...new Array<string>(AT_ONCE - some.length).fill('')]
    const sql = `SELECT tenant, seq, digest FROM issuance_heads WHERE tenant IN (${places})`
    for (const head of await tx.all<Head>(sql, ...padded)) heads.set(head.tenant, head)
  }
  return heads
}

function noteFetches(tx: Writer, fetches: readonly Fetch[]): Promise<void> {
  const newest = new Map(fetches.map((one) => [JSON.stringify([one.tenant, one.party, one.kid]), one]))
  return tx.insert(
    'INSERT INTO fetches (tenant, party, kid, first_at, last_at) VALUES',
    [...newest.values()].map(({ tenant, party, kid, at }) => [tenant, party, kid, at, at]),
    'ON CONFLICT (tenant, party, kid) DO UPDATE SET last_at = excluded.last_at',
  )
}
