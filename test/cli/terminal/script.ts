import type { Unanswered } from '../../../electron/app/hold.ts'
import { NoAnswer, type Prompter } from '../../../electron/cli/terminal/prompter.ts'

/** People who answer from a list: each question must be the one expected, in order. */

type Given = string | boolean | readonly string[] | { none: Unanswered } | ((script: Script) => string)
export type Line = readonly [question: RegExp | string, answer: Given]

export const ESC = { none: 'escape' } as const
export const CTRL_C = { none: 'stop' } as const
export const IDLE = { none: 'idle' } as const

export class Script implements Prompter {
  readonly said: string[] = []
  /** What was shown only for a moment. */
  readonly revealed: string[] = []
  readonly asked: string[] = []
  #lines: Line[]

  constructor(lines: readonly Line[]) {
    this.#lines = [...lines]
  }

  get left(): number {
    return this.#lines.length
  }

  say(text: string): void {
    this.said.push(text)
  }

  async reveal(text: string): Promise<void> {
    this.revealed.push(text)
  }

  async line(question: string, { check }: Parameters<Prompter['line']>[1] = {}): Promise<string> {
    return this.#checked(question, check)
  }

  async secret(question: string, check?: Parameters<Prompter['secret']>[1]): Promise<string> {
    return this.#checked(question, check)
  }

  async yes(question: string): Promise<boolean> {
    return this.#next(question) === true
  }

  async choose<T extends string>(question: string, choices: readonly { value: T }[]): Promise<T> {
    const given = this.#next(question)
    const found = choices.find(({ value }) => value === given)
    if (!found)
      throw new Error(`“${question}” offers ${choices.map(({ value }) => value).join(', ')}, not ${String(given)}`)
    return found.value
  }

  async several<T extends string>(question: string, choices: readonly { value: T }[]): Promise<T[]> {
    const given = this.#next(question)
    return choices.map(({ value }) => value).filter((value) => Array.isArray(given) && given.includes(value))
  }

  /** What a check refuses is said, and the next line answers the same question again. */
  #checked(question: string, check: ((typed: string) => string | undefined) | undefined): string {
    for (;;) {
      const given = this.#next(question)
      if (typeof given !== 'string') throw new Error(`“${question}” wants text`)
      const wrong = check?.(given)
      if (wrong === undefined) return given
      this.said.push(wrong)
    }
  }

  #next(question: string): Given {
    this.asked.push(question)
    const [expected, answer] = this.#lines.shift() ?? []
    if (expected === undefined || answer === undefined) throw new Error(`Nobody expected “${question}”`)
    const fits = typeof expected === 'string' ? question.includes(expected) : expected.test(question)
    if (!fits) throw new Error(`“${question}” was asked where ${String(expected)} was expected`)
    if (typeof answer === 'function') return answer(this)
    if (typeof answer === 'object' && 'none' in answer) throw new NoAnswer(answer.none)
    return answer
  }
}
