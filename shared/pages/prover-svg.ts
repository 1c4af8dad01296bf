import { type Html, html } from './page.ts'
import { type Row, type Span, type Timeline, wrap } from './prover-timeline.ts'
import { round } from './steps-svg.ts'
import { spellTime } from './words.ts'

/** The timeline of a counterexample: numbers above, spans below, and what happens at each number. */

const WIDTH = 752
const LEFT = 190
const RIGHT = 740
const HEAD = 62
const ROW = 28
const BAR = 14
const LINE = 19

/** A counterexample as an SVG file of its own, in black on white, for screen and paper. */
export function renderProofSvg(timeline: Timeline): string {
  const { from, to, rows, moments } = timeline
  const x = (at: number) => round(LEFT + ((RIGHT - LEFT) * (at - from)) / (to - from))
  const bottom = HEAD + rows.length * ROW
  const room = RIGHT - LEFT
  const place = (index: number) => round(LEFT + (room * (index + 0.5)) / moments.length)
  const said = ['', ...wrap(timeline.why, 104), '', LEGEND]
  const lineAt = (index: number) => bottom + 30 + index * LINE
  const height = lineAt(moments.length + said.length)
  const drawn = html`<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="-10 -10 ${WIDTH + 20} ${height + 10}" role="img" aria-label="How a relying party comes to reject a token; the lines below the drawing say the same.">
<style>${STYLE}</style><rect class="sheet" x="-10" y="-10" width="100%" height="100%"/>
<defs><pattern id="announced" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatchline" d="M0 0V5"/></pattern></defs>
${rows.map((row, index) => drawRow(row, HEAD + index * ROW, x))}
${moments.map(({ at }, index) => html`<path class="leader" d="M${place(index)} 20V26L${x(at)} ${HEAD - 8}V${bottom + 4}"/><circle class="dot" cx="${place(index)}" cy="12" r="9"/><text class="mid" x="${place(index)}" y="16.5">${index + 1}</text>\n`)}
<path class="axis" d="M0 ${bottom + 4}H${RIGHT}"/>
${moments.map(({ at, text }, index) => html`<text x="0" y="${lineAt(index)}">${index + 1}</text><text x="18" y="${lineAt(index)}">${spellTime(at)}</text><text x="${LEFT + 60}" y="${lineAt(index)}">${cut(text, 84)}</text>\n`)}
${said.map((line, index) => html`<text x="0" y="${lineAt(moments.length + index)}">${line}</text>\n`)}</svg>`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${drawn.text}\n`
}

const LEGEND =
  'Hatched: announced. Full: signing, or a token. Thin: retired, or a key set on its way. Empty: a key set in use.'

const CLASSES: Record<Span['kind'], 'hatch' | 'solid' | 'thin' | 'next'> = {
  announced: 'hatch',
  signing: 'solid',
  retired: 'thin',
  'on the way': 'thin',
  held: 'next',
  token: 'solid',
}

function drawRow({ label, spans }: Row, top: number, x: (at: number) => number): Html {
  const middle = top + ROW / 2
  const shape = ({ from, to, kind }: Span): Html => {
    const name = CLASSES[kind]
    const [left, right] = [x(from), x(to)]
    if (name === 'thin') return html`<path class="thin" d="M${left} ${middle}H${right}"/>`
    const fill = name === 'hatch' ? html` fill="url(#announced)"` : null
    return html`<rect class="${name}" x="${left}" y="${middle - BAR / 2}" width="${round(Math.max(1, right - left))}" height="${BAR}"${fill}/>`
  }
  return html`<text class="b" x="0" y="${middle + 4}">${cut(label, 28)}</text>${spans.map(shape)}
`
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

const STYLE = `.drawing{font:13px Georgia,'Times New Roman',serif;fill:#000}.sheet{fill:#fff}.b{font-weight:600}.mid{text-anchor:middle}
.axis,.leader,.dot{stroke:#000;fill:none}.leader{stroke-width:.7}.dot{fill:#fff}.hatch,.solid,.next{stroke:#000}
.hatchline{stroke:#000;stroke-width:1.4}.solid{fill:#000}.next{fill:#fff}.thin{stroke:#000;stroke-width:3;fill:none}`
