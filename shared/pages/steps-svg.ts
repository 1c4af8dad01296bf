import { type Html, html } from './page.ts'
import { spellTime } from './words.ts'

/** The steps of a ceremony: evenly spaced numbers above, and where each falls on the clock below. */

export type DrawnStep = { at: number; approved: boolean }

const WIDTH = 720
const EDGE = 12
const TOP = 26
const AXIS = 74

/** Draws the steps over the time from `from` to `to`. A diamond is a step that custodians approved. */
export function drawSteps(steps: readonly DrawnStep[], from: number, to: number): Html {
  const room = WIDTH - 2 * EDGE
  const slot = (index: number) => EDGE + (room * (index + 0.5)) / Math.max(1, steps.length)
  const clock = (at: number) => EDGE + (to > from ? (room * (at - from)) / (to - from) : room / 2)
  const every = Math.ceil(steps.length / 36)
  const leader = (step: DrawnStep, index: number) => {
    const x = round(slot(index))
    return html`<path class="leader" d="M${x} ${TOP + 7}V${TOP + 12}L${round(clock(step.at))} ${AXIS - 5}V${AXIS}"/>`
  }
  const sign = (step: DrawnStep, index: number) => {
    const x = round(slot(index))
    const shape = step.approved
      ? html`<path class="solid" d="M${x} ${TOP - 6}l6 6-6 6-6-6z"/>`
      : html`<circle class="dot" cx="${x}" cy="${TOP}" r="4.5"/>`
    return html`${shape}${index % every === 0 ? html`<text class="mid" x="${x}" y="12">${index + 1}</text>` : null}`
  }
  return html`<figure><div class="scroll"><svg class="drawing" viewBox="0 0 ${WIDTH} ${AXIS + 26}" role="img" aria-label="The steps on the clock; the table below says the same.">
${steps.map(leader)}<path class="axis" d="M${EDGE} ${AXIS}H${WIDTH - EDGE}M${EDGE} ${AXIS - 5}v10M${WIDTH - EDGE} ${AXIS - 5}v10"/>
${steps.map(sign)}
<text class="q" x="${EDGE}" y="${AXIS + 20}">${spellTime(from)}</text><text class="q end" x="${WIDTH - EDGE}" y="${AXIS + 20}">${spellTime(to)}</text>
</svg></div></figure>
${steps.some((step) => step.approved) ? LEGEND : null}`
}

const LEGEND = html`<p class="legend"><span><svg class="drawing" viewBox="0 0 22 12" aria-hidden="true"><path class="solid" d="M11 0l6 6-6 6-6-6z"/></svg>approved by custodians</span></p>
`

export const round = (value: number): number => Math.round(value * 10) / 10
