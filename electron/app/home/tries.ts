import { KeyriteError, must } from '../../../shared/errors.ts'
import type { UnlockedPerson } from '../../vault/people.ts'

/** Wrong passphrases in a row make whoever types wait, so that nobody tries many at this window. */

const WRONG_MAX = 5
const WAIT = 10

export class Tries {
  readonly #elapsed: () => number
  /** By folder: how many were wrong since one was right, and until when nobody tries. */
  readonly #wrong = new Map<string, { count: number; until: number }>()

  /** `elapsed` counts seconds on a clock that nobody can set. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /** Tries a passphrase of `name`; null says that it is wrong. Code `passphrase-wrong`, untried while people must wait. */
  async try(folder: string, name: string, attempt: () => Promise<UnlockedPerson | null>): Promise<UnlockedPerson> {
    const { count, until } = this.#wrong.get(folder) ?? { count: 0, until: 0 }
    const left = until - this.#elapsed()
    must(left <= 0, 'passphrase-wrong', `${count} wrong passphrases in a row: this one was not tried.`, {
      hint: `Wait ${left === 1 ? 'one more second' : `${left} more seconds`}, then type it again.`,
    })
    const by = await attempt()
    if (by) {
      this.#wrong.delete(folder)
      return by
    }
    throw this.#oneMore(folder, name, count + 1)
  }

  #oneMore(folder: string, name: string, count: number): KeyriteError {
    const wait = count >= WRONG_MAX
    this.#wrong.set(folder, { count, until: wait ? this.#elapsed() + WAIT : 0 })
    return new KeyriteError(
      'passphrase-wrong',
      `That passphrase does not open what is sealed for ${name}.`,
      wait ? { hint: `${count} in a row were wrong: wait ten seconds, then type it again.` } : {},
    )
  }
}
