/** How often one party's fetches are written down, in seconds; another key set is written at once. */
const EVERY = 60
/** Parties of one tenant that are told apart; others count as those who did not say who they are. */
const MOST = 64

/** Decides which fetches of a key set are worth writing down, and under which name. Names are what strangers say. */
export class Noted {
  readonly #last = new Map<string, { kids: readonly string[]; at: number }>()

  /** The name to write, or null for a fetch that tells nothing new. */
  take(party: string, kids: readonly string[], now: number): string | null {
    const name = this.#last.has(party) || this.#last.size < MOST ? party : ''
    const last = this.#last.get(name)
    if (last && now - last.at < EVERY && same(last.kids, kids)) return null
    this.#last.set(name, { kids, at: now })
    return name
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((kid, at) => kid === b[at]))
