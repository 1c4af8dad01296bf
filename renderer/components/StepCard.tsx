import { type ReactNode, useId } from 'react'
import { text } from '../text/index.ts'
import { Checkbox } from './Choice.tsx'
import { classes } from './classes.ts'
import { clock } from './format.ts'
import { Page } from './Page.tsx'
import { Status, type StatusKind } from './Status.tsx'
import css from './StepCard.module.css'

export type StepCardProps = {
  title: ReactNode
  lead?: ReactNode
  /** The step's number: another one brings the focus to the title. */
  step: number
  children: ReactNode
}

/** One step: its rows all visible, the current one operable. */
export function StepCard({ title, lead, step, children }: StepCardProps) {
  return (
    <Page title={title} lead={lead} subject={step} ruled>
      {children}
    </Page>
  )
}

export type StepRowKind = 'readAloud' | 'do' | 'observe' | 'initial'

export type StepRowProps = {
  kind: StepRowKind
  /** Who acts: "Administrator", "Three custodians". */
  who?: ReactNode
  status?: StatusKind | undefined
  /** The status in words; without it the kind's own word. */
  said?: string | undefined
  /** False until it is this row's turn, and again when it is over: nothing in it can be operated. */
  operable?: boolean
  children: ReactNode
}

/** A row of a step in the hanging margin. All of a row that cannot be operated stays readable. */
export function StepRow({ kind, who, status, said, operable = true, children }: StepRowProps) {
  const heading = useId()
  return (
    <section className={css.row} aria-labelledby={heading}>
      <div className={css.margin}>
        <h2 id={heading}>{text.steps[kind]}</h2>
        {who && <p>{who}</p>}
        {status && status !== 'todo' && (
          <p className={css.status}>
            <Status kind={status}>{said ?? text.status[status]}</Status>
          </p>
        )}
      </div>
      <fieldset className={css.thing} disabled={!operable} aria-labelledby={heading}>
        {children}
      </fieldset>
    </section>
  )
}

/** What somebody says to everyone in the room; the quotation mark hangs in the margin. */
export function ReadAloud({ children }: { children: ReactNode }) {
  const { open, close } = text.language.quote
  return (
    <p className={css.aloud}>
      <span className={css.quote}>{open}</span>
      {children}
      {close}
    </p>
  )
}

export type ObservationProps = {
  children: ReactNode
  seen: boolean
  onSee: (seen: boolean) => void
  disabled?: boolean
}

/** Something that somebody has seen with their own eyes. */
export function Observation({ children, seen, onSee, disabled }: ObservationProps) {
  return (
    <Checkbox checked={seen} onChange={onSee} disabled={disabled ?? false}>
      {children}
    </Checkbox>
  )
}

/** Observations or initials beside one another. */
export function Across({ children }: { children: ReactNode }) {
  return <div className={css.across}>{children}</div>
}

export type InitialsProps = {
  who: string
  value: string
  onChange: (value: string) => void
  /** When they were written; they then stand and cannot be changed. */
  at?: number | undefined
  disabled?: boolean
}

/** Initials of one person: four letters at most. */
export function Initials({ who, value, onChange, at, disabled }: InitialsProps) {
  return (
    <span className={css.initials}>
      <input
        className={classes(css.box, at !== undefined && css.written)}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        maxLength={4}
        autoComplete="off"
        spellCheck={false}
        readOnly={at !== undefined}
        disabled={disabled}
        aria-label={text.steps.initialOf(who)}
      />
      <span>
        {who}
        {at !== undefined && (
          <>
            <br />
            <Status kind="done">{text.steps.initialled(clock(at))}</Status>
          </>
        )}
      </span>
    </span>
  )
}
