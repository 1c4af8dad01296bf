import type { Status } from '../status.ts'
import type { Facts } from './gauges.ts'

/** One look at the runtime. */
export type Look = { status: Status; facts: Facts | null; ready: boolean }

export type LookOptions = {
  /** Reads the state from the store; when it fails the store counts as unreachable. */
  look: () => Promise<Look> | Look
  /**
   * A look serves scrapes for so many milliseconds; 15 seconds unless told, and four times as long as it took: looking
   * at very many tenants never takes more than a fifth of this process.
   */
  lookEvery?: number
  /** A look that takes longer counts as a store that cannot be reached; a minute unless told. */
  lookTimeout?: number
}

/** How long the first scrape waits for its look, in milliseconds; Prometheus gives up after ten seconds. */
const FIRST_LOOK = 5000

/** Looks again when a scrape finds the last look too old. Only the very first scrape waits for one. */
export class Looks {
  readonly #look: LookOptions['look']
  readonly #every: number
  readonly #timeout: number
  readonly #seen: (look: Look) => void
  #health: { reachable: boolean; ready: boolean } | null = null
  #takenAt: number | null = null
  #took = 0
  #running: { since: number; done: Promise<void> } | null = null

  constructor({ look, lookEvery = 15_000, lookTimeout = 60_000 }: LookOptions, seen: (look: Look) => void) {
    this.#look = look
    this.#every = lookEvery
    this.#timeout = lookTimeout
    this.#seen = seen
  }

  /** What the last look came to; null before there was one. */
  get health(): { reachable: boolean; ready: boolean } | null {
    return this.#health
  }

  /** Seconds since the last look that succeeded; null before there was one. */
  get age(): number | null {
    return this.#takenAt === null ? null : (performance.now() - this.#takenAt) / 1000
  }

  async refresh(): Promise<void> {
    const now = performance.now()
    const old = this.#takenAt === null || now - this.#takenAt >= Math.max(this.#every, 4 * this.#took)
    if (!this.#running && old) this.#begin(now)
    const running = this.#running
    if (!running) return
    const patience = Math.min(this.#timeout, FIRST_LOOK) - (now - running.since)
    if (this.#takenAt === null && patience > 0) await Promise.race([running.done, after(patience)])
    if (this.#running && performance.now() - running.since >= this.#timeout) this.#unreachable()
  }

  #begin(since: number): void {
    const done = this.#take().then(() => {
      this.#took = performance.now() - since
      this.#running = null
    })
    this.#running = { since, done }
  }

  async #take(): Promise<void> {
    try {
      const seen = await this.#look()
      this.#health = { reachable: true, ready: seen.ready }
      this.#seen(seen)
      this.#takenAt = performance.now()
    } catch {
      this.#unreachable()
    }
  }

  #unreachable(): void {
    this.#health = { reachable: false, ready: false }
  }
}

const after = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
