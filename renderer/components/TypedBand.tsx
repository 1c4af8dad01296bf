import type { ReactNode } from 'react'
import { Fields } from './Field.tsx'
import css from './TypedBand.module.css'

/** A band below a page in which somebody types what was heard or read: title, why, and the fields side by side. */
export function TypedBand({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <section className={css.band} aria-label={title}>
      <header className={css.head}>
        <h2>{title}</h2>
        {note && <span className={css.note}>{note}</span>}
      </header>
      <Fields>{children}</Fields>
    </section>
  )
}
