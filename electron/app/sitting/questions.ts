import type { Answer, Question } from '../../../shared/contract/sitting.ts'
import { isKeyriteError, KeyriteError } from '../../../shared/errors.ts'

/** One question at a time, between an engine that waits and people who answer when they are ready. */

type Without<Q> = Q extends unknown ? Omit<Q, 'id'> : never
export type Draft = Without<Question>
type DraftOf<A extends Draft['ask']> = Extract<Draft, { ask: A }>

/** What an answer comes to: what was asked for, or the question stays, changed. */
export type Taken<T, D> = { done: T } | { again: Partial<D> }

type Open = {
  question: Question
  take: (answer: Answer) => Promise<void>
  reject: (error: unknown) => void
}

export class Questions {
  readonly #changed: () => void
  #open: Open | null = null
  #next = 1
  #busy = false
  /** Thrown at the next question, because nothing is asked at the moment. */
  #waiting: Error | null = null

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get question(): Question | null {
    return this.#open?.question ?? null
  }

  /** Asks, and gives what `take` makes of the answers. Throws what `take` throws, or what interrupts it. */
  ask<A extends Draft['ask'], T>(
    draft: DraftOf<A>,
    take: (answer: Answer, question: DraftOf<A>) => Promise<Taken<T, DraftOf<A>>> | Taken<T, DraftOf<A>>,
  ): Promise<T> {
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting) return Promise.reject(waiting)
    return new Promise<T>((resolve, reject) => {
      let current = draft
      const end = () => {
        this.#open = null
      }
      const show = () => {
        this.#open = { question: { id: this.#next++, ...current } as unknown as Question, take: taking, reject: failed }
      }
      const failed = (error: unknown) => {
        end()
        reject(error)
      }
      const taking = async (answer: Answer) => {
        try {
          const taken = await take(answer, current)
          // Somebody may have stopped it meanwhile: then there is nothing to answer any more.
          if (this.#open?.take !== taking) return
          if ('done' in taken) {
            end()
            resolve(taken.done)
          } else {
            current = { ...current, ...taken.again }
            show()
          }
        } catch (error) {
          // An answer that does not fit is the answerer's matter; anything else ends what was asked.
          if (isKeyriteError(error, 'usage-invalid') || isKeyriteError(error, 'people-invalid')) throw error
          if (this.#open?.take === taking) failed(error)
        }
      }
      show()
      this.#changed()
    })
  }

  /**
   * Answers the question with this id. Each is answered once: while an answer is looked at, and after it, its id is
   * refused. Code `usage-invalid`.
   */
  async answer(id: number, answer: Answer): Promise<void> {
    const open = this.#open
    if (!open || this.#busy || open.question.id !== id)
      throw new KeyriteError('usage-invalid', 'This question is not asked any more.')
    this.#busy = true
    try {
      await open.take(answer)
    } finally {
      this.#busy = false
      this.#changed()
    }
  }

  /** Ends the question in force, or else the next one, with an error. */
  interrupt(error: Error): void {
    if (this.#open) this.#open.reject(error)
    else this.#waiting = error
    this.#changed()
  }
}

/** An answer that does not belong to the question. */
export function unexpected(): never {
  throw new KeyriteError('usage-invalid', 'This answers another question than the one asked.')
}
