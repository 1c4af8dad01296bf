import { type Html, html } from './page.ts'
import { spellClock, spellTime } from './words.ts'

/** A ceremony against the clock: its start, the span of each step, approvals, deviations, its end. */

export type DrawnStep = { title: string; from: number; to: number; approved: boolean }
export type Drawing = { from: number; to: number; steps: readonly DrawnStep[]; deviations: readonly number[] }

const WIDTH = 720
const EDGE = 6
/** Where the clock begins: left of it stand the names of the steps. */
const LEFT = 304
const TOP = 26
const ROW = 20
/** Seconds between two marks of the axis: the first that leaves at most six of them. */
const MARKS = [60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200]
const DAY = 86_400
/** Labels of two deviations nearer than this would cover each other. */
const NEAR = 16

/** Draws a ceremony. Bars are steps; a diamond is an act that custodians approved, a flag a deviation, by its letter. */
export function drawSteps({ from, to, steps, deviations }: Drawing): Html {
  const room = WIDTH - LEFT - EDGE
  const clock = (at: number) => round(LEFT + (to > from ? (room * (at - from)) / (to - from) : 0))
  const axis = TOP + steps.length * ROW + 6
  const height = axis + 44
  const row = (step: DrawnStep, index: number) => {
    const y = TOP + index * ROW
    const x = clock(step.from)
    const end = Math.max(clock(step.to), x + 2)
    return html`<text x="0" y="${y + 13}"><tspan class="q">${index + 1}</tspan></text><text x="22" y="${y + 13}">${step.title}</text><path class="hair" d="M${LEFT} ${y + 9.5}H${WIDTH - EDGE}"/><path class="bar" d="M${x} ${y + 5}H${round(end)}v9H${x}z"/>${
      step.approved ? html`<path class="act" d="M${round(end)} ${y + 3}l6.5 6.5-6.5 6.5-6.5-6.5z"/>` : null
    }
`
  }
  return html`<figure class="keep"><div class="scroll"><svg class="drawing" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="The steps on the clock; the list below says the same.">
${steps.map(row)}${flags(deviations.map(clock), axis)}<path class="axis" d="M${LEFT} ${axis}H${WIDTH - EDGE}M${LEFT} ${axis - 5}v10M${WIDTH - EDGE} ${axis - 5}v10"/>
${marks(from, to).map((at) => html`<path class="axis" d="M${clock(at)} ${axis}v5"/><text class="q mid" x="${clock(at)}" y="${axis + 18}">${clockWords(at)}</text>\n`)}<text x="${LEFT}" y="${axis + 36}">${spellTime(from)}</text><text class="end" x="${WIDTH - EDGE}" y="${axis + 36}">${spellEnd(from, to)}</text>
</svg></div>${legend(
    steps.some((step) => step.approved),
    deviations.length > 0,
  )}</figure>
`
}

/** A flag on a dashed line through every row; where two would touch, the later one stands a little to the right. */
function flags(places: readonly number[], axis: number): Html {
  let last = Number.NEGATIVE_INFINITY
  const drawn = places.map((x, index) => {
    const shown = Math.min(Math.max(x, last + NEAR), WIDTH - EDGE)
    last = shown
    return html`<path class="flagline" d="M${round(shown)} 18L${x} ${TOP}V${axis}"/><path class="flag" d="M${round(shown - 5)} 14h10l-5 7z"/><text class="mid b" x="${round(shown)}" y="11">${letter(index)}</text>
`
  })
  return html`${drawn}`
}

/** a, b … z, then 27, 28 … */
export const letter = (index: number): string => (index < 26 ? String.fromCharCode(97 + index) : String(index + 1))

function marks(from: number, to: number): number[] {
  const span = to - from
  const step = MARKS.find((one) => span / one <= 6) ?? DAY * Math.ceil(span / DAY / 6)
  const found: number[] = []
  for (let at = Math.ceil((from + 1) / step) * step; at < to; at += step) found.push(at)
  // A mark too near the ends would cover them.
  return found.filter((at) => at - from > span / 12 && to - at > span / 12)
}

/** "14:05", and at midnight the day. */
const clockWords = (at: number): string =>
  at % DAY === 0 ? (spellTime(at).split(',')[0] ?? '') : spellClock(at).slice(0, 5)

const spellEnd = (from: number, to: number): string =>
  Math.floor(from / DAY) === Math.floor(to / DAY) ? spellClock(to) : spellTime(to)

const LEGEND_STEP = html`<span><svg class="drawing" width="22" height="12" viewBox="0 0 22 12" aria-hidden="true"><path class="bar" d="M1 2h20v8H1z"/></svg>a step, from the one before it</span>`
const LEGEND_ACT = html`<span><svg class="drawing" width="22" height="12" viewBox="0 0 22 12" aria-hidden="true"><path class="act" d="M11 .5l5.5 5.5-5.5 5.5L5.5 6z"/></svg>approved by custodians</span>`
const LEGEND_FLAG = html`<span><svg class="drawing" width="22" height="12" viewBox="0 0 22 12" aria-hidden="true"><path class="flag" d="M6 2h10l-5 8z"/></svg>a deviation, by its letter</span>`

const legend = (acts: boolean, deviations: boolean): Html =>
  html`<figcaption class="legend">${LEGEND_STEP}${acts ? LEGEND_ACT : null}${deviations ? LEGEND_FLAG : null}</figcaption>`

export const round = (value: number): number => Math.round(value * 10) / 10
