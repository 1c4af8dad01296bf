import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import { HiddenTable } from './HiddenTable.tsx'
import css from './IsolationMatrix.module.css'
import { Status } from './Status.tsx'

/** A token of one tenant at the verifier of another, by their places in the list. */
export type Crossing = { token: number; verifier: number }

export type IsolationMatrixProps = {
  tenants: readonly string[]
  /** How many pairs were tried; 0 before the first run. */
  tried: number
  /** Tokens that another tenant accepted. There should be none. */
  crossings: readonly Crossing[]
  /** Tenants whose own verifier refused their token. */
  ownRefused: readonly number[]
}

/** Up to here every pair has a cell of its own; beyond it a field with a diagonal. */
const CELLS = 40

/** Every tenant's token at every tenant's verifier: only the diagonal accepts. */
export function IsolationMatrix(props: IsolationMatrixProps) {
  const { tenants, tried, crossings, ownRefused } = props
  const wrong = crossings.length + ownRefused.length
  const said =
    tried === 0
      ? text.matrix.notTried
      : wrong > 0
        ? text.matrix.wrong(crossings.length, ownRefused.length)
        : text.matrix.allApart(tenants.length, tried)
  return (
    <figure className={css.matrix}>
      <p className={css.verdict}>
        <Status kind={tried === 0 ? 'waiting' : wrong > 0 ? 'danger' : 'done'}>{said}</Status>
      </p>
      {tried > 0 && (tenants.length <= CELLS ? <Cells {...props} said={said} /> : <Field {...props} said={said} />)}
      {tried > 0 && <Key wrong={wrong > 0} />}
      {wrong > 0 && <WrongTable {...props} />}
    </figure>
  )
}

type DrawnProps = IsolationMatrixProps & { said: string }

function Cells({ tenants, crossings, ownRefused, said }: DrawnProps) {
  const size = Math.max(14, Math.min(28, Math.floor(480 / tenants.length)))
  const names = 20 + 7 * Math.max(...tenants.map((name) => short(name).length))
  const side = tenants.length * size
  const crossed = new Set(crossings.map(({ token, verifier }) => `${token}:${verifier}`))
  const middle = (index: number) => names + index * size + size / 2 + 4
  return (
    <div className={css.scroll}>
      <svg
        className={css.cells}
        width={names + side + names / 2}
        height={names + side}
        role="img"
        aria-label={`${text.matrix.title}. ${said}`}
      >
        {tenants.map((name, row) => (
          <g key={name}>
            <text className={css.name} x={names - 10} y={middle(row)} textAnchor="end">
              {short(name)}
            </text>
            <text className={css.name} transform={`translate(${middle(row)} ${names - 8}) rotate(-60)`}>
              {short(name)}
            </text>
            {tenants.map((other, column) => (
              <Cell
                key={other}
                x={names + column * size}
                y={names + row * size}
                size={size}
                look={lookOf(row, column, crossed, ownRefused)}
              />
            ))}
          </g>
        ))}
      </svg>
    </div>
  )
}

type Look = 'own' | 'refused' | 'crossed' | 'ownRefused'

function lookOf(row: number, column: number, crossed: ReadonlySet<string>, ownRefused: readonly number[]): Look {
  if (row !== column) return crossed.has(`${row}:${column}`) ? 'crossed' : 'refused'
  return ownRefused.includes(row) ? 'ownRefused' : 'own'
}

/** Shape before colour: a filled square accepts, a hairline square refuses, a diamond is wrong. */
function Cell({ x, y, size, look }: { x: number; y: number; size: number; look: Look }) {
  const half = size / 2
  const inner = size - 3
  return (
    <>
      <rect className={classes(css.cell, css[look])} x={x + 1.5} y={y + 1.5} width={inner} height={inner} rx="1.5" />
      {(look === 'crossed' || look === 'ownRefused') && (
        <path
          className={css.wrong}
          d={`M${x + half} ${y + 2}L${x + size - 2} ${y + half}L${x + half} ${y + size - 2}L${x + 2} ${y + half}Z`}
        />
      )}
    </>
  )
}

const short = (name: string): string => (name.length > 16 ? `${name.slice(0, 15)}…` : name)

const SIDE = 360

/** Too many for cells: the diagonal as a line, and a diamond wherever something is wrong. */
function Field({ tenants, crossings, ownRefused, said }: DrawnProps) {
  const at = (index: number) => ((index + 0.5) / tenants.length) * SIDE
  const wrong = [...crossings, ...ownRefused.map((index) => ({ token: index, verifier: index }))]
  return (
    <svg
      className={css.field}
      width={SIDE}
      height={SIDE}
      viewBox={`-4 -4 ${SIDE + 8} ${SIDE + 8}`}
      role="img"
      aria-label={`${text.matrix.title}. ${said}`}
    >
      <rect className={css.ground} width={SIDE} height={SIDE} />
      <line className={css.diagonal} x1="0" y1="0" x2={SIDE} y2={SIDE} />
      {wrong.map(({ token, verifier }) => (
        <path
          key={`${token}:${verifier}`}
          className={css.wrong}
          d={`M${at(verifier)} ${at(token) - 5}l5 5l-5 5l-5-5Z`}
        />
      ))}
    </svg>
  )
}

function Key({ wrong }: { wrong: boolean }) {
  const looks: Look[] = wrong ? ['own', 'refused', 'crossed'] : ['own', 'refused']
  return (
    <ul className={css.key}>
      {looks.map((look) => (
        <li key={look}>
          <svg width="16" height="16" aria-hidden="true">
            <Cell x={0} y={0} size={16} look={look} />
          </svg>
          {text.matrix[look]}
        </li>
      ))}
    </ul>
  )
}

function WrongTable({ tenants, crossings, ownRefused }: IsolationMatrixProps) {
  const name = (index: number) => tenants[index] ?? ''
  return (
    <HiddenTable
      caption={text.matrix.title}
      heads={[text.matrix.tokenOf, text.matrix.verifierOf]}
      rows={[
        ...crossings.map(({ token, verifier }) => ({
          id: `${token}:${verifier}`,
          cells: [name(token), `${name(verifier)}: ${text.matrix.crossed}`],
        })),
        ...ownRefused.map((index) => ({
          id: `own ${index}`,
          cells: [name(index), `${name(index)}: ${text.matrix.ownRefused}`],
        })),
      ]}
    />
  )
}
