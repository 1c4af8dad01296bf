import type { KeyTimes } from '../domain/key.ts'
import { type Html, html, type Part } from './page.ts'
import { round } from './steps-svg.ts'
import { monthName, spellDate } from './words.ts'

/** The timeline of one tenant's keys: hatched announced, solid signing, dashed may extend, thin retired, today's line. */

export type DrawnKey = {
  label: string
  /** A word on the right: the key's state. */
  state: string
  times: Pick<KeyTimes, 'announceAt' | 'signFrom' | 'signUntil' | 'extendUntil' | 'removeAt'>
  /** When the key was named compromised: its bar ends there. */
  stopped: number | null
  /** When its vault copy was destroyed. */
  destroyed: number | null
}

const WIDTH = 752
const LEFT = 172
const RIGHT = 640
const HEAD = 26
const ROW = 30
const BAR = 16

/** Draws `keys` with the line of `now`. `id` keeps the hatch pattern of each drawing on a page its own. */
export function drawSchedule(id: string, keys: readonly DrawnKey[], now: number): Html {
  const from = Math.min(now, ...keys.map((key) => key.times.announceAt))
  const to = Math.max(now, ...keys.map((key) => key.times.removeAt)) + 1
  const x = (at: number) => round(LEFT + ((RIGHT - LEFT) * (Math.min(Math.max(at, from), to) - from)) / (to - from))
  const bottom = HEAD + keys.length * ROW
  const today = x(now)
  const anchor = today > RIGHT - 60 ? 'end' : today < LEFT + 60 ? '' : 'mid'
  return html`<figure><div class="scroll"><svg class="drawing" viewBox="0 0 ${WIDTH} ${bottom + 24}" role="img" aria-label="Schedule of the keys; the table below says the same.">
<defs><pattern id="${id}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatchline" d="M0 0V5"/></pattern></defs>
${ticks(from, to).map(({ at, label }) => html`<text class="q" x="${x(at)}" y="14">${label}</text><path class="hair" d="M${x(at)} 19V${bottom}"/>`)}
<path class="axis" d="M0 ${HEAD - 4}H${WIDTH}"/>
${keys.map((key, index) => drawKey(id, key, HEAD + index * ROW, x, now))}
<path class="halo" d="M${today} ${HEAD - 4}V${bottom + 6}"/><path class="today" d="M${today} ${HEAD - 4}V${bottom + 6}"/>
<text class="${anchor}" x="${today}" y="${bottom + 20}">today, ${spellDate(now)}</text>
</svg></div></figure>
`
}

function drawKey(id: string, key: DrawnKey, top: number, x: (at: number) => number, now: number): Html {
  const { announceAt, signFrom, signUntil, extendUntil, removeAt } = key.times
  const y = top + (ROW - BAR) / 2
  const middle = top + ROW / 2
  const end = Math.min(signUntil, key.stopped ?? signUntil)
  const bar = (name: string, a: number, b: number, fill?: string): Part =>
    b > a
      ? html`<rect class="${name}" x="${x(a)}" y="${y}" width="${round(Math.max(1, x(b) - x(a)))}" height="${BAR}" rx="2"${fill ? html` fill="url(#${fill})"` : null}/>`
      : null
  return html`<text class="b" x="0" y="${middle + 4}">${short(key.label)}</text>
${bar('hatch', announceAt, Math.min(signFrom, key.stopped ?? signFrom), id)}${bar(now < signFrom ? 'next' : 'solid', signFrom, end)}${
  key.stopped === null ? bar('dash', signUntil, extendUntil) : null
}<path class="thin" d="M${x(key.stopped ?? extendUntil)} ${middle}H${x(removeAt)}"/>
${key.stopped === null ? null : html`<path class="cut" d="M${x(key.stopped)} ${y - 3}v${BAR + 6}"/>`}${
  key.destroyed === null ? null : html`<path class="gone" d="M${x(key.destroyed)} ${middle - 6}l6 6-6 6-6-6z"/>`
}<text class="q" x="${RIGHT + 16}" y="${middle + 4}">${key.state}</text>
`
}

const short = (label: string): string => (label.length > 26 ? `${label.slice(0, 25)}…` : label)

/** Firsts of months, thinned to at most seven; the year stands at the first one and at each January. */
function ticks(from: number, to: number): { at: number; label: string }[] {
  const start = new Date(from * 1000)
  const months: number[] = []
  for (let month = start.getUTCMonth() + 1; months.length < 1200; month++) {
    const at = Date.UTC(start.getUTCFullYear(), month, 1) / 1000
    if (at >= to) break
    months.push(at)
  }
  const every = Math.ceil(months.length / 7)
  return months
    .filter((_, index) => index % every === 0)
    .map((at, index) => {
      const date = new Date(at * 1000)
      const year = index === 0 || date.getUTCMonth() < every ? ` ${date.getUTCFullYear()}` : ''
      return { at, label: `${monthName(date.getUTCMonth())}${year}` }
    })
}

const sample = (shape: Html): Html => html`<svg class="drawing" viewBox="0 0 22 12" aria-hidden="true">${shape}</svg>`

/** What the shapes mean; once for all drawings of a page. */
export const SCHEDULE_LEGEND = html`<p class="legend">
<span>${sample(html`<defs><pattern id="legend" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatchline" d="M0 0V5"/></pattern></defs><rect class="hatch" x=".5" y=".5" width="21" height="11" rx="2" fill="url(#legend)"/>`)}announced</span>
<span>${sample(html`<rect class="solid" x=".5" y=".5" width="21" height="11" rx="2"/>`)}signing</span>
<span>${sample(html`<rect class="next" x=".5" y=".5" width="21" height="11" rx="2"/>`)}next</span>
<span>${sample(html`<rect class="dash" x=".5" y=".5" width="21" height="11" rx="2"/>`)}may extend</span>
<span>${sample(html`<path class="thin" d="M0 6H22"/>`)}retired</span>
<span>${sample(html`<path class="cut" d="M11 0V12"/>`)}named compromised</span>
<span>${sample(html`<path class="gone" d="M11 1l5 5-5 5-5-5z"/>`)}vault’s copy destroyed</span>
</p>
`
