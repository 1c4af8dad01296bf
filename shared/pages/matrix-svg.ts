import { type Html, html } from './page.ts'
import { round } from './steps-svg.ts'

/** The isolation matrix drawn small: a row for each tenant's token, a column for each tenant's verifier. */

const SIDE = 180
const MOST_CELLS = 40

/** Draws a matrix in which every foreign token was refused; a fleet too large for cells is one field with its diagonal. */
export function drawMatrix(tenants: number): Html {
  const size = SIDE / Math.max(1, tenants)
  const field = html`<rect class="cell" x="0" y="0" width="${SIDE}" height="${SIDE}"/><path class="today" d="M0 0L${SIDE} ${SIDE}"/>`
  const cells = Array.from({ length: tenants <= MOST_CELLS ? tenants : 0 }, (_, row) =>
    Array.from({ length: tenants }, (_, column) => {
      const own = row === column
      return html`<rect class="${own ? 'own' : 'cell'}" x="${round(column * size)}" y="${round(row * size)}" width="${round(size)}" height="${round(size)}"/>`
    }),
  )
  return html`<svg class="drawing matrix" viewBox="-1 -1 ${SIDE + 2} ${SIDE + 2}" width="${SIDE}" height="${SIDE}" role="img" aria-label="Only the diagonal, each tenant's own verifier, accepts.">${
    tenants <= MOST_CELLS ? cells : field
  }</svg>`
}
