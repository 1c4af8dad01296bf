import { type ReactNode, useId, useState } from 'react'
import { Button } from 'react-aria-components'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import css from './Rail.module.css'

export type RailProps = { label: string; line: ReactNode; children: ReactNode }

/** The left column: its first line always, the rest below it; on narrow screens the rest opens on demand. */
export function Rail({ label, line, children }: RailProps) {
  const [open, setOpen] = useState(false)
  const body = useId()
  return (
    <nav className={classes(css.rail, open && css.open)} aria-label={label}>
      <div className={css.line}>
        {line}
        <Button
          className={classes(css.toggle)}
          aria-expanded={open}
          aria-controls={body}
          onPress={() => setOpen(!open)}
        >
          {open ? text.frame.hide : text.frame.show}
        </Button>
      </div>
      <div id={body} className={css.body}>
        {children}
      </div>
    </nav>
  )
}

export type NavItem = { id: string; name: string; note?: ReactNode }

export type SideNavProps = {
  /** The screens, with the one shown now. */
  items: readonly NavItem[]
  current: string
  onGo: (id: string) => void
  /** Above the screens: the vaults at hand. */
  top?: ReactNode
  /** Below them: what this session may do, and the way to end it. */
  foot?: ReactNode
  label: string
}

/** The left column of home: vaults, screens, what this session may do. */
export function SideNav({ items, current, onGo, top, foot, label }: SideNavProps) {
  const here = items.find((item) => item.id === current)?.name
  const line = (
    <span className={css.brandLine}>
      <span className={css.brand}>Keyrite</span>
      <span className={css.here}>{here}</span>
    </span>
  )
  return (
    <Rail label={label} line={line}>
      <div className={css.side}>
        {top && <div className={css.top}>{top}</div>}
        <ul>
          {items.map((item) => (
            <li key={item.id}>
              <Button
                className={classes(css.item, item.id === current && css.itemNow)}
                onPress={() => onGo(item.id)}
                {...(item.id === current ? { 'aria-current': 'page' } : {})}
              >
                {item.name}
                {item.note && <span className={css.itemNote}>{item.note}</span>}
              </Button>
            </li>
          ))}
        </ul>
        {foot && <div className={css.foot}>{foot}</div>}
      </div>
    </Rail>
  )
}

export type VaultCardProps = {
  name: string
  note: ReactNode
  practice?: boolean
  current?: boolean
  onOpen?: () => void
}

/** One vault at hand in the left column. */
export function VaultCard({ name, note, practice, current, onOpen }: VaultCardProps) {
  return (
    <Button
      className={classes(css.vault, current && css.vaultNow)}
      {...(current ? { 'aria-current': 'true' } : {})}
      {...(onOpen ? { onPress: onOpen } : {})}
    >
      <span className={css.vaultName}>{name}</span>
      <span className={css.vaultNote}>{note}</span>
      {practice && <span className={css.practice}>{text.frame.practice}</span>}
    </Button>
  )
}
