import { ArrowDown, ArrowUp } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { Button } from 'react-aria-components'
import { classes } from './classes.ts'
import { Hidden } from './Page.tsx'
import css from './Table.module.css'

export type Column<Row> = {
  id: string
  name: string
  cell: (row: Row, index: number) => ReactNode
  /** What sorting compares; without it the column does not sort. */
  sortBy?: (row: Row) => string | number
  align?: 'start' | 'end'
  /** The row's own name: read aloud with each of its cells. Bold. */
  head?: boolean
  /** Said to screen readers alone. */
  quiet?: boolean
  nowrap?: boolean
}

export type TableProps<Row> = {
  /** What the table is, for screen readers. */
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row, index: number) => string | number
  empty?: ReactNode
}

type Order = { column: string; down: boolean }

/** A table with hairlines. Columns with `sortBy` sort; a long list is better served by `VirtualList`. */
export function Table<Row>({ label, columns, rows, keyOf, empty }: TableProps<Row>) {
  const [order, setOrder] = useState<Order | null>(null)
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: wide tables scroll sideways, so the keyboard must reach them
    <section className={css.scroll} aria-label={label} tabIndex={0}>
      <table className={css.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <HeadCell key={column.id} column={column} order={order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(rows, columns, order).map((row, index) => (
            <tr key={keyOf(row, index)}>
              {columns.map((column) => (
                <Cell key={column.id} column={column}>
                  {column.cell(row, index)}
                </Cell>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

type Look = Pick<Column<unknown>, 'align' | 'head' | 'nowrap'>

function Cell({ column, children }: { column: Look; children: ReactNode }) {
  const look = classes(column.align === 'end' && css.end, column.nowrap && css.nowrap)
  if (!column.head) return <td className={look}>{children}</td>
  return (
    <th scope="row" className={look}>
      {children}
    </th>
  )
}

type HeadCellProps<Row> = { column: Column<Row>; order: Order | null; onOrder: (order: Order) => void }

function HeadCell<Row>({ column, order, onOrder }: HeadCellProps<Row>) {
  const mine = order?.column === column.id ? order : null
  const look = classes(column.align === 'end' && css.end)
  if (!column.sortBy)
    return (
      <th scope="col" className={look}>
        {column.quiet ? <Hidden>{column.name}</Hidden> : column.name}
      </th>
    )
  return (
    <th scope="col" className={look} aria-sort={mine ? (mine.down ? 'descending' : 'ascending') : 'none'}>
      <Button
        className={classes(css.sort)}
        onPress={() => onOrder({ column: column.id, down: mine ? !mine.down : false })}
      >
        {column.name}
        {mine && (mine.down ? <ArrowDown size={13} aria-hidden="true" /> : <ArrowUp size={13} aria-hidden="true" />)}
      </Button>
    </th>
  )
}

function sorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: Order | null): readonly Row[] {
  const by = columns.find((column) => column.id === order?.column)?.sortBy
  if (!order || !by) return rows
  const compare = (one: string | number, other: string | number) =>
    typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other))
  return rows.toSorted((one, other) => compare(by(one), by(other)) * (order.down ? -1 : 1))
}
