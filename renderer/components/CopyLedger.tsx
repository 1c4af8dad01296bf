import type { ReactNode } from 'react'
import { text } from '../text/index.ts'
import css from './CopyLedger.module.css'
import { Section } from './Page.tsx'
import { Status } from './Status.tsx'
import { type Column, Table } from './Table.tsx'

export type LedgerCopy = {
  id: string
  /** "Backup 6" */
  name: string
  /** "Safe A, Custodian 2" */
  where: string
  /** "Shredded 13:31, attested by the holder" */
  evidence: string
  state: 'closed' | 'open' | 'ends'
  /** In place of the state's own word: "Closed: attested". */
  stateWords?: string | undefined
}

export type CopyLedgerProps = {
  copies: readonly LedgerCopy[]
  title?: string
  /** Below the rows: which certificate follows from them. */
  children?: ReactNode
}

/** Every known copy of a private key: where, on what evidence, in which state; totals above. */
export function CopyLedger({ copies, title, children }: CopyLedgerProps) {
  return (
    <Section title={title ?? text.copies.title} aside={<Totals copies={copies} />}>
      <Table
        label={title ?? text.copies.title}
        columns={COLUMNS}
        rows={copies}
        keyOf={(copy) => copy.id}
        empty={<p>{text.copies.none}</p>}
      />
      {children && <p className={css.outcome}>{children}</p>}
    </Section>
  )
}

const COLUMNS: Column<LedgerCopy>[] = [
  {
    id: 'number',
    name: text.copies.number,
    quiet: true,
    cell: (_, index) => <span className={css.number}>{index + 1}</span>,
  },
  { id: 'copy', name: text.copies.copy, head: true, nowrap: true, cell: (copy) => copy.name },
  { id: 'where', name: text.copies.holder, cell: (copy) => copy.where },
  { id: 'evidence', name: text.copies.evidence, cell: (copy) => copy.evidence },
  {
    id: 'state',
    name: text.copies.state,
    nowrap: true,
    cell: ({ state, stateWords }) => <Status kind={state}>{stateWords ?? text.status[state]}</Status>,
  },
]

function Totals({ copies }: { copies: readonly LedgerCopy[] }) {
  const of = (state: LedgerCopy['state']) => copies.filter((copy) => copy.state === state).length
  const totals = [
    { count: of('closed'), words: text.copies.closed },
    { count: of('ends'), words: text.copies.ends(of('ends')) },
    { count: of('open'), words: text.copies.open(of('open')) },
  ].filter(({ count }) => count > 0)
  return totals.map(({ count, words }, index) => (
    <span key={words}>
      {index > 0 && <span className={css.dot}>·</span>}
      <strong>{count}</strong> {words}
    </span>
  ))
}
