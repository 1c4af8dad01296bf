import { REFETCH_SECONDS } from '../formats/trust-policy.ts'
import type { Fetch } from './fetch.ts'
import type { TrustedKey } from './key-set.ts'
import type { IssuerTrust } from './policy.ts'
import { Denied } from './reasons.ts'
import { type Loaded, type LoadOptions, loadKeySet } from './sources.ts'

/** The key sets that are known, one entry per issuer: a kid means nothing without the issuer whose it is. */

export type KeySetOptions = {
  fetch: Fetch
  /** Seconds since 1970 UTC. */
  now: () => number
  /** For one fetch; 5 seconds unless told. */
  timeoutMs?: number
}

/** After a first fetch failed, so that a short outage at the start stays short. */
const RETRY_SECONDS = 5

type Known = Loaded & { freshUntil: number; staleUntil: number }
type Entry = {
  known: Known | null
  fetchedAt: number
  attemptedAt: number | null
  failure: Denied | null
  pending: Promise<void> | null
  /** The highest `iat` of a signed set; stays when the set itself is used no more. */
  newestIat: number
}

export class KeySets {
  readonly #entries = new Map<string, Entry>()
  readonly #options: LoadOptions

  constructor({ fetch, now, timeoutMs = 5000 }: KeySetOptions) {
    this.#options = { fetch, now, timeoutMs }
  }

  /**
   * The key of this issuer with this kid, fetching its set where none is known or where the kid is new, but never more
   * often than every 30 seconds, and once for everybody who waits. Throws `Denied`: `key-unknown`, or why there is no set.
   */
  async keyOf(trust: IssuerTrust, kid: string): Promise<TrustedKey> {
    const entry = this.#entryOf(trust.issuer)
    if (!this.#isFresh(entry)) await this.#refresh(trust, entry)
    const key = this.#usable(entry).keys.get(kid)
    if (key) return key
    await this.#refresh(trust, entry)
    const fetched = this.#usable(entry).keys.get(kid)
    if (fetched) return fetched
    throw entry.failure ?? new Denied('key-unknown')
  }

  #entryOf(issuer: string): Entry {
    const found = this.#entries.get(issuer)
    if (found) return found
    const made = { known: null, fetchedAt: 0, attemptedAt: null, failure: null, pending: null, newestIat: 0 }
    this.#entries.set(issuer, made)
    return made
  }

  /** A clock that went back says nothing about age. */
  #isFresh({ known, fetchedAt }: Entry): boolean {
    const now = this.#options.now()
    return known !== null && fetchedAt <= now && now < known.freshUntil
  }

  #isDue({ known, attemptedAt }: Entry): boolean {
    const now = this.#options.now()
    return attemptedAt === null || now < attemptedAt || now - attemptedAt >= (known ? REFETCH_SECONDS : RETRY_SECONDS)
  }

  /** Fetches where it is time to; otherwise leaves everything as it is. Never throws what `Denied` can say. */
  #refresh(trust: IssuerTrust, entry: Entry): Promise<void> {
    if (entry.pending) return entry.pending
    if (!this.#isDue(entry)) return Promise.resolve()
    entry.attemptedAt = this.#options.now()
    entry.pending = this.#load(trust, entry).finally(() => {
      entry.pending = null
    })
    return entry.pending
  }

  async #load(trust: IssuerTrust, entry: Entry): Promise<void> {
    const { cacheFor, staleFor } = trust.keys
    try {
      const loaded = await loadKeySet(trust, entry.newestIat, this.#options)
      const fetchedAt = this.#options.now()
      const age = Math.max(REFETCH_SECONDS, Math.min(cacheFor, loaded.maxAge ?? cacheFor))
      const until = loaded.signed?.until ?? Number.POSITIVE_INFINITY
      const freshUntil = Math.min(fetchedAt + age, until)
      entry.known = { ...loaded, freshUntil, staleUntil: Math.min(fetchedAt + age + staleFor, until) }
      entry.fetchedAt = fetchedAt
      entry.newestIat = loaded.signed?.iat ?? 0
      entry.failure = null
    } catch (error) {
      if (!(error instanceof Denied)) throw error
      entry.failure = error
    }
  }

  /** A set past its time serves on only while the server does not answer: a bad answer is not an outage. */
  #usable(entry: Entry): Known {
    const { known, failure, fetchedAt } = entry
    if (known && this.#isFresh(entry)) return known
    const now = this.#options.now()
    const stale = failure?.reason === 'key-set-unavailable' && known && fetchedAt <= now && now < known.staleUntil
    if (stale) return known
    throw failure ?? new Denied('key-set-expired')
  }
}
