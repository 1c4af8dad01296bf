import { join } from 'node:path'
import { isAlone } from '../../../shared/domain/script.ts'
import type { Reporter } from '../../app/reporter.ts'
import type { CeremonyResult } from '../../ceremony/steps.ts'
import type { Answer } from '../output.ts'

/** What `ceremony run`, `resume` and `abort` tell people, and what they read from their options. */

export function wordsOf(options: Record<string, unknown>): string[] {
  const given = options['confirm']
  return Array.isArray(given) ? given.map(String) : []
}

export function answerOf(result: CeremonyResult): Answer {
  // What one person does alone, the root signs with the next ceremony: it has no head card of its own.
  const names = [
    'record.html',
    ...(isAlone(result.kind) ? [] : ['head-card.html']),
    ...(result.kind === 'inventory' ? ['inventory.html'] : []),
  ]
  const pages = names.map((name) => join(result.recordFolder, name))
  const certificates = result.certificates.map((id) => `Certificate ${id} is in the same folder.`)
  const lines = [
    `${result.ceremony} is complete. Read, print and keep:`,
    ...pages.map((page) => `  ${page}`),
    ...certificates,
  ]
  return { data: result, text: lines.join('\n') }
}

const erasedInWords = (keys: number): string =>
  keys === 0
    ? 'It had made no keys'
    : keys === 1
      ? 'The one key it had made was erased'
      : `The ${keys} keys it had made were erased`

export const closedAnswer = (closed: { ceremony: string; erased: number }): Answer => ({
  data: closed,
  text: `${closed.ceremony} is closed. ${erasedInWords(closed.erased)}; what happened stays recorded: see "ceremony show ${closed.ceremony}".`,
})

/** Ctrl-C while no question is asked: what stands, and how to go on. Exit status 130. */
export function sayOnInterrupt(reporter: Reporter): () => void {
  const stop = () => {
    reporter.say('\nStopped. The steps marked above are recorded; of the step that was under way nothing is kept.')
    reporter.say(
      'Go on with "ceremony resume --accept-tail", or close it with "ceremony abort --accept-tail --reason WHY".',
    )
    process.exit(130)
  }
  process.once('SIGINT', stop)
  return () => process.off('SIGINT', stop)
}

/** Without a quorum of people at the machine, production ceremonies deserve a word. */
export function warnAutomated(reporter: Reporter, practice: boolean): void {
  if (!practice)
    reporter.say(
      'This is a production vault: the software approves for everybody whose passphrase file it was given, and the record says so.',
    )
}
