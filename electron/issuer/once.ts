import type { Soon } from './service.ts'

/**
 * Remembers the answers of a question by name; many who ask at the same time make it asked once. What there is not, and
 * what failed, is asked for again.
 */
export class Once<T> {
  readonly #known = new Map<string, Soon<T | null>>()
  readonly #ask: (name: string) => Promise<T | null>

  constructor(ask: (name: string) => Promise<T | null>) {
    this.#ask = ask
  }

  get(name: string): Soon<T | null> {
    const found = this.#known.get(name)
    if (found !== undefined) return found
    const asked = this.#ask(name).then(
      (answer) => {
        if (answer === null) this.#known.delete(name)
        else this.#known.set(name, answer)
        return answer
      },
      (error: unknown) => {
        this.#known.delete(name)
        throw error
      },
    )
    this.#known.set(name, asked)
    return asked
  }
}
