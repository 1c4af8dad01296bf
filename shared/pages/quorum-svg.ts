import { type Html, html } from './page.ts'

/** The threshold as it is drawn: one slot for each custodian, filled where one approved, and a bar after the M-th. */

const SLOT = 12
const GAP = 4

/** @param given how many approved; @param needed M; @param all N */
export function drawQuorum(given: number, needed: number, all: number): Html {
  const width = all * (SLOT + GAP) + GAP
  const slots = Array.from({ length: all }, (_, index) => {
    const x = GAP + index * (SLOT + GAP)
    return html`<path class="${index < given ? 'slot given' : 'slot'}" d="M${x} 4h${SLOT}v${SLOT}h-${SLOT}z"/>`
  })
  const bar = needed * (SLOT + GAP) + GAP / 2
  return html`<svg class="quorum" width="${width}" height="20" viewBox="0 0 ${width} 20" role="img" aria-label="${given} of ${all} custodians approved; ${needed} are needed.">${slots}<path class="needed" d="M${bar} 0v20"/></svg>`
}
