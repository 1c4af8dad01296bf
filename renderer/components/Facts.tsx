import type { ReactNode } from 'react'
import { classes } from './classes.ts'
import css from './Facts.module.css'

export type Fact = { label: string; value: ReactNode; mono?: boolean }

/** Label and value, one below the other; `ruled` draws hairlines between them. */
export function Facts({ facts, ruled }: { facts: readonly Fact[]; ruled?: boolean }) {
  return (
    <dl className={classes(css.facts, ruled && css.ruled)}>
      {facts.map(({ label, value, mono }) => (
        <div key={label} className={css.fact}>
          <dt>{label}</dt>
          <dd className={mono ? css.mono : undefined}>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Nothing is here, why, and what would bring something. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.empty}>
      <p className={css.emptyTitle}>{title}</p>
      {children && <div className={css.emptyWords}>{children}</div>}
      {action && <div className={css.emptyAction}>{action}</div>}
    </div>
  )
}
