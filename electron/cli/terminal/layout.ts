import type { PersonName, Role } from '../../../shared/domain/roster.ts'
import type { Step } from '../../../shared/domain/script.ts'
import { hexGroups, words } from '../../../shared/formats/fingerprint.ts'
import { ROLE_WORDS } from '../../../shared/pages/parts.ts'

/** What stands on the screen: plain lines for 80 columns, so that nothing is lost in black and white or read aloud. */

export const WIDTH = 78
const LABEL = 14

/** Breaks at spaces; a word longer than a line stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length > width && line !== '') {
      lines.push(line)
      line = word
    } else line = longer
  }
  return line === '' ? lines : [...lines, line]
}

/** Text in lines of the screen, indented by two. */
export const paragraph = (text: string): string =>
  wrap(text, WIDTH - 2)
    .map((line) => `  ${line}`)
    .join('\n')

/** A name in the margin and its text beside it. */
export function labelled(rows: readonly (readonly [string, string])[]): string {
  return rows
    .flatMap(([name, text]) =>
      wrap(text, WIDTH - LABEL - 2).map((line, index) => `  ${(index === 0 ? name : '').padEnd(LABEL)}${line}`),
    )
    .join('\n')
}

export const whoActs = (who: Step['who']): string => (who === 'everyone' ? 'Everyone' : ROLE_WORDS[who])

/** A step before it is done: number and title, who acts, read aloud, do. */
export function stepCard(step: Omit<Step, 'act'>, place: { number: number; of: number }): string {
  const title = `Step ${place.number} of ${place.of}: ${step.title}`
  const rows: [string, string][] = [
    ['Who acts', whoActs(step.who)],
    ['Read aloud', `“${step.readAloud}”`],
    ['Do', step.do],
    ['Observe', step.observe],
    ['Takes about', `${step.minutes} min${step.quorum ? '; custodians approve it one after another' : ''}`],
  ]
  const warning = step.noWayBack ? `\n\n${paragraph('◆ No way back after this step.')}` : ''
  return `\n${rule()}\n${title}\n\n${labelled(rows)}${warning}\n`
}

export const rule = (): string => '─'.repeat(WIDTH)

/** "██ ░░ ░░  1 of 3": a slot for each that is needed, filled or not, and the same in words. */
export function meter(done: number, needed: number, what: string): string {
  const slots = Array.from({ length: needed }, (_, index) => (index < done ? '██' : '░░')).join(' ')
  const missing = needed - done
  const rest = missing > 0 ? `${missing === 1 ? 'One more' : `${missing} more`} needed.` : 'Enough.'
  return `  ${slots}  ${done} of ${needed} ${what}. ${rest}`
}

export const roleWord = (role: Role): string => ROLE_WORDS[role].toLowerCase()

/** "Ada Lovelace, custodian" */
export const named = ({ name, role }: PersonName): string => `${name}, ${roleWord(role)}`

/** Sixteen groups in four rows with the number of the first group of each. */
export function hexRows(digest: string): string {
  const groups = hexGroups(digest)
  return [0, 4, 8, 12].map((at) => `  ${String(at + 1).padStart(2)}  ${groups.slice(at, at + 4).join('  ')}`).join('\n')
}

/** 24 numbered words in four columns, down each column; the words at `covered` must come from the voice. */
export function wordRows(digest: string, covered: readonly number[] = []): string {
  const cells = words(digest).map((word, index) => {
    const shown = covered.includes(index) ? '?????' : word
    return `${String(index + 1).padStart(2)} ${shown}`.padEnd(15)
  })
  return [0, 1, 2, 3, 4, 5]
    .map((row) => `  ${[0, 6, 12, 18].map((column) => cells[column + row] ?? '').join('')}`.trimEnd())
    .join('\n')
}
