import type { ReactNode } from 'react'
import { GridList, GridListItem, ListLayout, Virtualizer } from 'react-aria-components'
import { classes } from './classes.ts'
import css from './VirtualList.module.css'

export type VirtualListProps<Item extends { id: string }> = {
  label: string
  items: readonly Item[]
  /** Every row has this height in pixels. */
  rowHeight: number
  children: (item: Item) => ReactNode
  /** What a row is called when it is read aloud or found by typing. */
  nameOf: (item: Item) => string
  onOpen?: (item: Item) => void
  /** `page` grows to a whole screen and no more; `fill` takes the height of what it stands in. */
  height?: 'page' | 'fill'
  empty?: ReactNode
}

/** A list of thousands: only what is seen is on the page; arrow keys, Home, End and typing find every row. */
export function VirtualList<Item extends { id: string }>(props: VirtualListProps<Item>) {
  const { label, items, rowHeight, children, nameOf, onOpen, height = 'page', empty } = props
  const rows = Math.max(1, items.length)
  return (
    <Virtualizer layout={ListLayout} layoutOptions={{ rowHeight }}>
      <GridList
        aria-label={label}
        className={classes(css.list, css[height])}
        style={height === 'page' ? { height: rows * rowHeight } : {}}
        items={items}
        dependencies={[children]}
        renderEmptyState={() => <div className={css.empty}>{empty}</div>}
        onAction={(key) => {
          const item = items.find(({ id }) => id === key)
          if (item) onOpen?.(item)
        }}
      >
        {(item) => (
          <GridListItem id={item.id} textValue={nameOf(item)} className={classes(css.item, onOpen && css.opens)}>
            {children(item)}
          </GridListItem>
        )}
      </GridList>
    </Virtualizer>
  )
}
