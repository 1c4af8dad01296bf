import { KeyriteError } from '../../../shared/errors.ts'
import type { Unanswered } from '../../app/hold.ts'

/** How people at a terminal are asked. The desk is written against this, so that a test can give the answers. */

/** What is wrong with what was typed, in one sentence; undefined when it is right. */
export type Check = (typed: string) => string | undefined

export type Choice<T extends string = string> = { value: T; label: string; hint?: string }

export type Prompter = {
  say(text: string): void
  /** Shows what must not stay on the screen or in its history, waits for Enter, and takes it away. */
  reveal(text: string): Promise<void>
  line(question: string, options?: { placeholder?: string; initial?: string; check?: Check }): Promise<string>
  /** Never shown: each character stands as a mark. */
  secret(question: string, check?: Check): Promise<string>
  yes(question: string, words?: { yes?: string; no?: string; initial?: boolean }): Promise<boolean>
  choose<T extends string>(question: string, choices: readonly Choice<T>[], initial?: T): Promise<T>
  several<T extends string>(question: string, choices: readonly Choice<T>[]): Promise<T[]>
}

/** A question that got no answer, as every prompter says it. Code `interrupted`. */
export class NoAnswer extends KeyriteError {
  readonly why: Unanswered

  constructor(why: Unanswered) {
    super('interrupted', why === 'idle' ? 'Nobody typed anything for ten minutes.' : 'Stopped at the keyboard.')
    this.why = why
  }
}

type Asked = 'reveal' | 'line' | 'secret' | 'yes' | 'choose' | 'several'

/** The same prompter, but Escape leads to `menu` and back to the question; Ctrl-C and idling end with `stopped`. */
export function withMenu(prompter: Prompter, menu: () => Promise<void>, stopped: (why: Unanswered) => Error): Prompter {
  const again = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        if (error.why !== 'escape') throw stopped(error.why)
        await menu()
      }
    }
  }
  const asking: Pick<Prompter, Asked> = {
    reveal: (text) => again(() => prompter.reveal(text)),
    line: (question, options) => again(() => prompter.line(question, options)),
    secret: (question, check) => again(() => prompter.secret(question, check)),
    yes: (question, words) => again(() => prompter.yes(question, words)),
    choose: (question, choices, initial) => again(() => prompter.choose(question, choices, initial)),
    several: (question, choices) => again(() => prompter.several(question, choices)),
  }
  return { say: (text) => prompter.say(text), ...asking }
}
