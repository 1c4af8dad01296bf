import type { ReactNode } from 'react'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import css from './Status.module.css'

export type StatusKind =
  | 'done'
  | 'now'
  | 'todo'
  | 'waiting'
  | 'warn'
  | 'due'
  | 'danger'
  | 'open'
  | 'closed'
  | 'ends'
  | 'skipped'

/** Word, shape, then colour: the shape differs for every kind, so that nothing depends on seeing colours. */
export function Status({ kind, children }: { kind: StatusKind; children?: ReactNode }) {
  return (
    <span className={classes(css.status, css[kind])}>
      <StatusShape kind={kind} />
      <span>{children ?? text.status[kind]}</span>
    </span>
  )
}

const SHAPES: Record<StatusKind, ReactNode> = {
  done: <path d="M2.5 7.5 5.5 10.5 11.5 3.5" />,
  closed: <path d="M2.5 7.5 5.5 10.5 11.5 3.5" />,
  now: (
    <>
      <circle cx="7" cy="7" r="5.5" />
      <circle cx="7" cy="7" r="2.6" className={css.filled} />
    </>
  ),
  todo: <circle cx="7" cy="7" r="5" />,
  waiting: <circle cx="7" cy="7" r="5" />,
  warn: <path d="M7 1.6 13 12.4H1ZM7 5.4V8.6M7 10.3V10.5" />,
  due: (
    <>
      <circle cx="7" cy="7" r="5.5" />
      <path d="M7 1.5V7L10.9 10.9" />
    </>
  ),
  danger: <path d="M7 1 13 7 7 13 1 7Z" className={css.filled} />,
  open: <path d="M11.2 3.4A5.2 5.2 0 1 0 12.2 7.6" />,
  ends: <path d="M1.5 7H12M8 3 12 7 8 11" />,
  skipped: <path d="M2 7H12" />,
}

/** The shape alone, where the word stands elsewhere; screen readers skip it. */
export function StatusShape({ kind }: { kind: StatusKind }) {
  return (
    <svg className={classes(css.shape, css[kind])} width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      {SHAPES[kind]}
    </svg>
  )
}
