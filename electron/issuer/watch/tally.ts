import type { Sample } from './exposition.ts'

/**
 * Counts by labels, in bounded memory and cheap enough for every request. The first label is the tenant: each tenant has
 * at most `perFirst` series of its own; what goes beyond is counted under `other`, so that the sum stays right.
 */

export const OTHER = 'other'
const SEPARATOR = '\0'

export type TallyCaps = { perFirst: number; total: number }
export const TALLY_CAPS: TallyCaps = { perFirst: 200, total: 200_000 }

/** What was counted since the last time: the joined labels and by how much. */
export type TallyDelta = [key: string, count: number][]

export class Tally {
  readonly #caps: TallyCaps
  readonly #counts = new Map<string, number>()
  readonly #perFirst = new Map<string, number>()

  constructor(caps: TallyCaps = TALLY_CAPS) {
    this.#caps = caps
  }

  get size(): number {
    return this.#counts.size
  }

  add(...labels: readonly string[]): void {
    this.#count(labels.join(SEPARATOR), 1)
  }

  /** Gives all that was counted, and starts from nothing. */
  take(): TallyDelta {
    const taken = [...this.#counts]
    this.#counts.clear()
    this.#perFirst.clear()
    return taken
  }

  merge(delta: TallyDelta): void {
    for (const [key, count] of delta) this.#count(key, count)
  }

  *samples(): Generator<Sample> {
    for (const [key, count] of this.#counts) yield [key.split(SEPARATOR), count]
  }

  /** Forgets every series whose first label is not among `known`. */
  keep(known: ReadonlySet<string>): void {
    for (const first of [...this.#perFirst.keys()]) if (!known.has(first)) this.#perFirst.delete(first)
    for (const key of [...this.#counts.keys()]) if (!known.has(firstOf(key))) this.#counts.delete(key)
  }

  #count(key: string, count: number): void {
    const before = this.#counts.get(key)
    if (before !== undefined) this.#counts.set(key, before + count)
    else this.#begin(key, count)
  }

  #begin(key: string, count: number): void {
    const first = firstOf(key)
    const own = this.#perFirst.get(first) ?? 0
    const full = own >= this.#caps.perFirst || this.#counts.size >= this.#caps.total
    const name = full ? [first, ...key.split(SEPARATOR).slice(1).fill(OTHER)].join(SEPARATOR) : key
    const before = this.#counts.get(name)
    // Twice the cap is more tenants than a runtime can have.
    if (before === undefined && this.#counts.size >= 2 * this.#caps.total) return
    if (before === undefined) this.#perFirst.set(first, own + 1)
    this.#counts.set(name, (before ?? 0) + count)
  }
}

const firstOf = (key: string): string => {
  const end = key.indexOf(SEPARATOR)
  return end < 0 ? key : key.slice(0, end)
}
