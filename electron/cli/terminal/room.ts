import { randomInt } from 'node:crypto'
import type { PersonName } from '../../../shared/domain/roster.ts'
import { must } from '../../../shared/errors.ts'
import type { Reporter } from '../../app/reporter.ts'
import type { Room } from '../../app/wiring.ts'
import { atTerminal, clackPrompter, type Streams } from './clack.ts'
import { TerminalDesk } from './desk.ts'
import type { Prompter } from './prompter.ts'

/** The room in which people sit at this terminal. */

const STREAMS: Streams = { input: process.stdin, output: process.stderr }

/** Whether people can be asked here at all: a terminal, and nobody said --no-input. */
export const canAsk = (options: Record<string, unknown>, streams = STREAMS): boolean =>
  options['input'] !== false && atTerminal(streams)

/**
 * The terminal of this process. `wanted` says what would be asked; with --no-input or without a terminal that is the
 * error. Code `passphrase-missing`.
 */
export function terminalFor(options: Record<string, unknown>, wanted: string, streams = STREAMS): Prompter {
  must(
    canAsk(options, streams),
    'passphrase-missing',
    `People would be asked here for ${wanted}, and nobody can be asked.`,
    {
      hint: 'Run it at a terminal without --no-input, or give --passphrases with one file per person.',
    },
  )
  if (options['color'] === false) process.env['NO_COLOR'] = '1'
  return clackPrompter(streams)
}

/** A ceremony's room with people at the table instead of software. `room` stays as it is otherwise. */
export function seat(
  room: Room,
  ask: Prompter,
  who: { people(): readonly PersonName[]; present(): readonly string[] },
): Room {
  const { now, headCard, reporter } = room
  const desk = new TerminalDesk({
    prompter: ask,
    ...who,
    now,
    random: (below) => randomInt(below),
    ...(headCard && { headCard }),
  })
  return { ...room, desk, reporter: { ...reporter, say: quieter(reporter, now) } }
}

/** What was found in a step stood on the screen a moment ago; after it only that it is recorded. */
const quieter =
  (reporter: Reporter, now: () => number): Reporter['say'] =>
  (text) => {
    const [, title] = /^ {2}✓ ([^:]+):/.exec(text) ?? []
    reporter.say(title ? `  ✓ ${title}: recorded ${new Date(now() * 1000).toISOString().slice(11, 16)} UTC` : text)
  }
