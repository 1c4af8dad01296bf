import type { Command } from 'commander'
import { asKeyriteError } from '../../shared/errors.ts'
import type { Reporter } from '../app/reporter.ts'

/** How every command answers: stdout is data, stderr is for people; one JSON object with --json. */

export type Answer = {
  /** For --json, under `data`. */
  data: unknown
  /** For people, on stdout. */
  text: string
  /** Exit status when it is not 0 although the command did its work (a verification that found something). */
  exit?: number
}

type GlobalOptions = { json?: boolean; quiet?: boolean }

/** Wraps a command's work: prints its answer, or its error with code, loss and hint, and sets the exit status. */
export function answering(
  work: (args: string[], options: Record<string, unknown>, reporter: Reporter) => Promise<Answer>,
): (...all: unknown[]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command
    const options = command.optsWithGlobals<GlobalOptions & Record<string, unknown>>()
    const json = options.json === true
    try {
      const answer = await work(command.args, options, makeReporter(options.quiet === true || json))
      const ok = (answer.exit ?? 0) === 0
      process.stdout.write(json ? `${JSON.stringify({ ok, data: answer.data })}\n` : ensureLine(answer.text))
      process.exitCode = answer.exit ?? 0
    } catch (thrown) {
      process.exitCode = printError(thrown, json)
    }
  }
}

/** Prints an error the way `json` asks for and gives the exit status. */
export function printError(thrown: unknown, json: boolean): number {
  const error = asKeyriteError(thrown)
  if (json) {
    const { code, message, hint, lost } = error
    process.stdout.write(`${JSON.stringify({ ok: false, error: { code, message, hint, lost } })}\n`)
  } else {
    process.stderr.write(`${error.message}\n${error.lost}\n${error.hint}\n(${error.code})\n`)
  }
  if (process.env.KEYRITE_DEBUG && error.cause instanceof Error) process.stderr.write(`${error.cause.stack ?? ''}\n`)
  return error.exit
}

const ensureLine = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

/** Words for people on stderr; silent with --quiet. Progress bars are drawn only on a terminal. */
export function makeReporter(quiet: boolean): Reporter {
  const terminal = process.stderr.isTTY === true && !quiet
  return {
    say: (text) => {
      if (!quiet) process.stderr.write(`${text}\n`)
    },
    progress: (label, done, total) => {
      if (!terminal) return
      const width = 28
      const filled = Math.round((done / Math.max(1, total)) * width)
      process.stderr.write(`\r    ${label} ${'━'.repeat(filled)}${'─'.repeat(width - filled)} ${done} of ${total}`)
      if (done >= total) process.stderr.write('\r\x1b[K')
    },
  }
}
