import { Hidden } from './Page.tsx'

export type HiddenTableProps = {
  caption: string
  heads: readonly string[]
  /** The first cell names its row. */
  rows: readonly { id: string; cells: readonly (string | null)[] }[]
}

/** What a chart shows, as a table for screen readers alone. */
export function HiddenTable({ caption, heads, rows }: HiddenTableProps) {
  return (
    <Hidden as="div">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, cells: [name, ...cells] }) => (
            <tr key={id}>
              <th scope="row">{name}</th>
              {cells.map((cell, index) => (
                <td key={heads[index + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Hidden>
  )
}
