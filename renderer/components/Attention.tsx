import type { ReactNode } from 'react'
import css from './Attention.module.css'
import { Status, type StatusKind } from './Status.tsx'

export type AttentionItem = {
  id: string
  status: StatusKind
  /** "Due by 16 June" */
  said: string
  title: string
  words?: ReactNode
  /** A `Button` of kind `link`. */
  action?: ReactNode
}

/** What needs somebody: why, what, and the way there. */
export function AttentionList({
  title,
  items,
  rest,
}: {
  title: string
  items: readonly AttentionItem[]
  rest: ReactNode
}) {
  return (
    <section>
      <h2>{title}</h2>
      <ul className={css.list}>
        {items.map(({ id, status, said, title: name, words, action }) => (
          <li key={id} className={css.item}>
            <Status kind={status}>{said}</Status>
            <h3>{name}</h3>
            {words && <p className={css.words}>{words}</p>}
            {action}
          </li>
        ))}
      </ul>
      <p className={css.rest}>{rest}</p>
    </section>
  )
}

export type PresenceRow = { id: string; name: string; status: StatusKind; said: string }

/** Who is needed, and whether they are here: a name and a status a row. */
export function PresenceList({ title, people }: { title: string; people: readonly PresenceRow[] }) {
  return (
    <section>
      <h2>{title}</h2>
      <ul>
        {people.map(({ id, name, status, said }) => (
          <li key={id} className={css.person}>
            <span>{name}</span>
            <Status kind={status}>{said}</Status>
          </li>
        ))}
      </ul>
    </section>
  )
}

export type VerdictProps = { status: StatusKind; said: string; note?: ReactNode; children: ReactNode }

/** One judgement and the sentence that explains it: "No outage", and until when. */
export function Verdict({ status, said, note, children }: VerdictProps) {
  return (
    <div className={css.verdict}>
      <p className={css.judgement}>
        <Status kind={status}>{said}</Status>
      </p>
      <div className={css.why}>
        {children}
        {note && <p className={css.words}>{note}</p>}
      </div>
    </div>
  )
}
