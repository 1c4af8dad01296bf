import { type Timeline, wrap } from './prover-timeline.ts'
import { spellTime } from './words.ts'

const LABEL = 26
const WIDTH = 52
const SIGNS = { announced: '-', signing: '=', retired: '.', 'on the way': '.', held: '=', token: '=' } as const

/** A counterexample for a terminal: every span on a line, the numbers of the moments below, and what they are. */
export function proofText({ from, to, rows, moments, why }: Timeline): string {
  const column = (at: number) => Math.min(WIDTH - 1, Math.floor(((at - from) * WIDTH) / (to - from)))
  const drawn = rows.map(({ label, spans }) => {
    const cells = Array.from({ length: WIDTH }, () => ' ')
    for (const span of spans)
      cells.fill(SIGNS[span.kind], column(span.from), Math.max(column(span.from) + 1, column(span.to)))
    return `${label.slice(0, LABEL - 1).padEnd(LABEL)}${cells.join('')}`.trimEnd()
  })
  const numbers: string[][] = []
  moments.forEach(({ at }, index) => {
    const place = column(at)
    const line = numbers.find((cells) => cells[place] === ' ') ?? Array.from({ length: WIDTH }, () => ' ')
    if (!numbers.includes(line)) numbers.push(line)
    line[place] = String(index + 1)
  })
  return [
    ...drawn,
    ...numbers.map((cells) => `${' '.repeat(LABEL)}${cells.join('')}`.trimEnd()),
    `${' '.repeat(LABEL)}- announced   = signing, held, alive   . over, on the way`,
    '',
    ...moments.map(({ at, text }, index) => `${index + 1}  ${spellTime(at)}  ${text}`),
    '',
    ...wrap(why, LABEL + WIDTH),
  ].join('\n')
}
