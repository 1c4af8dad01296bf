import type { Readable, Writable } from 'node:stream'
import { type CANCEL_SYMBOL, confirm, isCancel, multiselect, password, select, text } from '@clack/prompts'
import type { Unanswered } from '../../app/hold.ts'
import { type Choice, NoAnswer, type Prompter } from './prompter.ts'

/** Questions on a real terminal, on stderr: stdout stays data. `ACCESSIBLE=1` gives static output for screen readers. */

export type Streams = { input: Readable & { isTTY?: boolean }; output: Writable & { isTTY?: boolean } }

/** Ten minutes without a key, then everything that was unlocked is forgotten. */
export const IDLE_SECONDS = 600

/** Where nothing stays behind: shown here, neither the screen nor its history keeps it. */
const OTHER_SCREEN = '\x1b[?1049h\x1b[H'
const BACK = '\x1b[?1049l'
/** Options shown at a time: with question and instructions they fit 24 rows. */
const MOST_SHOWN = 12

export const atTerminal = ({ input, output }: Streams): boolean => input.isTTY === true && output.isTTY === true

/** Asks on these streams. Every question throws `NoAnswer` on Escape, Ctrl-C, or after `idle` seconds without a key. */
export function clackPrompter({ input, output }: Streams, idle = IDLE_SECONDS): Prompter {
  const ask = <T>(question: (common: Common) => Promise<T | typeof CANCEL_SYMBOL>) =>
    answered({ input, output }, idle, question)
  const prompter: Prompter = {
    say: (words) => void output.write(`${words}\n`),
    reveal: async (words) => {
      output.write(`${OTHER_SCREEN}${words}\n\n`)
      try {
        await ask((common) => text({ ...common, message: 'Press Enter to take this off the screen.' }))
      } finally {
        output.write(BACK)
      }
    },
    line: async (message, { placeholder, initial, check } = {}) => {
      const given = await ask((common) =>
        text({
          ...common,
          message,
          ...(placeholder !== undefined && { placeholder }),
          ...(initial !== undefined && { initialValue: initial }),
          validate: (typed) => check?.(typed?.trim() ?? ''),
        }),
      )
      return (given ?? '').trim()
    },
    secret: async (message, check) =>
      (await ask((common) =>
        password({ ...common, message, clearOnError: true, validate: (typed) => check?.(typed ?? '') }),
      )) ?? '',
    yes: (message, { yes = 'Yes', no = 'No', initial = false } = {}) =>
      ask((common) => confirm({ ...common, message, active: yes, inactive: no, initialValue: initial })),
    choose: <T extends string>(message: string, choices: readonly Choice<T>[], initial?: T) =>
      ask<string>((common) =>
        select<string>({
          ...common,
          message,
          options: [...choices],
          maxItems: MOST_SHOWN,
          showInstructions: false,
          ...(initial !== undefined && { initialValue: initial }),
        }),
      ) as Promise<T>,
    several: <T extends string>(message: string, choices: readonly Choice<T>[]) =>
      ask<string[]>((common) =>
        multiselect<string>({ ...common, message, options: [...choices], maxItems: MOST_SHOWN, required: true }),
      ) as Promise<T[]>,
  }
  return prompter
}

type Common = Streams & { signal: AbortSignal }

/** One question: knows which key ended it, and gives up when nobody types. */
async function answered<T>(
  streams: Streams,
  idle: number,
  question: (common: Common) => Promise<T | typeof CANCEL_SYMBOL>,
): Promise<T> {
  const { input } = streams
  const giveUp = new AbortController()
  let why: Unanswered = 'idle'
  let timer = setTimeout(() => giveUp.abort(), idle * 1000)
  const onKey = (_: unknown, key: { name?: string; ctrl?: boolean } | undefined) => {
    why = key?.name === 'escape' ? 'escape' : 'stop'
    clearTimeout(timer)
    timer = setTimeout(() => {
      why = 'idle'
      giveUp.abort()
    }, idle * 1000)
  }
  input.prependListener('keypress', onKey)
  try {
    const answer = await question({ ...streams, signal: giveUp.signal })
    if (isCancel(answer)) throw new NoAnswer(why)
    return answer as T
  } finally {
    clearTimeout(timer)
    input.off('keypress', onKey)
  }
}
