/** How often one party's fetches are written down, in seconds; another key set is written at once. */
const EVERY = 60
/**
 * Parties of one tenant that are told apart beside the registered ones; others count as those who did not say who they
 * are. Strangers' names, however many, must not take the place of a party that the tenant knows.
 */
const MOST = 64

/** Decides which fetches of a key set are worth writing down, and under which name. Names are what strangers say. */
export class Noted {
  readonly #last = new Map<string, { kids: readonly string[]; at: number }>()
  readonly #isRegistered: (party: string) => boolean

  constructor(isRegistered: (party: string) => boolean) {
    this.#isRegistered = isRegistered
  }

  /** The name to write, or null for a fetch that tells nothing new. */
  take(party: string, kids: readonly string[], now: number): string | null {
    const apart = this.#last.has(party) || this.#last.size < MOST || this.#isRegistered(party)
    const name = apart ? party : ''
    const last = this.#last.get(name)
    if (last && now - last.at < EVERY && same(last.kids, kids)) return null
    this.#last.set(name, { kids, at: now })
    return name
  }
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((kid, at) => kid === b[at]))
