import type { Isolation } from '../../../shared/contract/records.ts'
import { text } from '../../text/index.ts'
import css from './evidence.module.css'

const words = text.evidence.isolation

/** Up to here each pair has a cell of its own; beyond it the field says the same. */
const CELLS = 40
const SIDE = 320
const NAMES = 120

/** Each tenant against each other: the diagonal is its own, everything else should be empty. */
export function Matrix({ isolation }: { isolation: Isolation }) {
  const { tenants, shared } = isolation
  if (tenants.length < 2) return null
  const place = new Map(tenants.map(({ tenant }, index) => [tenant, index]))
  const pairs = shared.flatMap(({ first, second }) => {
    const [one, other] = [place.get(first), place.get(second)]
    return one === undefined || other === undefined ? [] : [`${one}:${other}`, `${other}:${one}`]
  })
  const said = `${words.label}. ${shared.length > 0 ? words.shared(shared.length) : words.apart(tenants.length)}`
  return (
    <figure className={css.matrix}>
      {tenants.length <= CELLS ? (
        <Cells names={tenants.map(({ name }) => name)} crossed={new Set(pairs)} said={said} />
      ) : (
        <Field count={tenants.length} crossed={pairs} said={said} />
      )}
      <Key crossed={pairs.length > 0} />
    </figure>
  )
}

type CellsProps = { names: readonly string[]; crossed: ReadonlySet<string>; said: string }

function Cells({ names, crossed, said }: CellsProps) {
  const size = Math.max(10, Math.min(32, Math.floor(SIDE / names.length)))
  const side = names.length * size
  const numbers = names.map((_, index) => index)
  return (
    <svg viewBox={`0 0 ${NAMES + side} ${side}`} width={NAMES + side} height={side} role="img" aria-label={said}>
      {numbers.map((row) => (
        <g key={row}>
          <text className={css.label} x={NAMES - 10} y={row * size + size / 2 + 4} textAnchor="end">
            {short(names[row] ?? '')}
          </text>
          {numbers.map((column) => (
            <Cell
              key={column}
              x={NAMES + column * size}
              y={row * size}
              size={size}
              look={row === column ? 'own' : crossed.has(`${row}:${column}`) ? 'something' : 'nothing'}
            />
          ))}
        </g>
      ))}
    </svg>
  )
}

const short = (name: string): string => (name.length > 15 ? `${name.slice(0, 14)}…` : name)

type CellProps = { x: number; y: number; size: number; look: 'own' | 'nothing' | 'something' }

/** Shape before colour: filled, hairline, diamond. */
function Cell({ x, y, size, look }: CellProps) {
  const half = size / 2
  return (
    <>
      <rect className={css[look]} x={x + 1.5} y={y + 1.5} width={size - 3} height={size - 3} rx="2" />
      {look === 'something' && (
        <path
          className={css.wrong}
          d={`M${x + half} ${y + 3}l${half - 3} ${half - 3}l${3 - half} ${half - 3}l${3 - half} ${3 - half}z`}
        />
      )}
    </>
  )
}

function Field({ count, crossed, said }: { count: number; crossed: readonly string[]; said: string }) {
  const at = (index: string | undefined) => ((Number(index) + 0.5) / count) * SIDE
  return (
    <svg viewBox={`-6 -6 ${SIDE + 12} ${SIDE + 12}`} width={SIDE} height={SIDE} role="img" aria-label={said}>
      <rect className={css.nothing} width={SIDE} height={SIDE} />
      <line className={css.diagonal} x1="0" y1="0" x2={SIDE} y2={SIDE} />
      {crossed.map((pair) => {
        const [row, column] = pair.split(':')
        return <path key={pair} className={css.wrong} d={`M${at(column)} ${at(row) - 5}l5 5l-5 5l-5-5z`} />
      })}
    </svg>
  )
}

function Key({ crossed }: { crossed: boolean }) {
  const looks = crossed ? (['own', 'nothing', 'something'] as const) : (['own', 'nothing'] as const)
  return (
    <ul className={css.key}>
      {looks.map((look) => (
        <li key={look}>
          <svg width="16" height="16" aria-hidden="true">
            <Cell x={0} y={0} size={16} look={look} />
          </svg>
          {words[look]}
        </li>
      ))}
    </ul>
  )
}
