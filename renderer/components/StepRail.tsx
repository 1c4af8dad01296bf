import { useState } from 'react'
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import { clock } from './format.ts'
import { Hidden } from './Page.tsx'
import { Rail } from './Rail.tsx'
import { Status, StatusShape } from './Status.tsx'
import css from './StepRail.module.css'

export type RailStep = {
  number: number
  name: string
  state: 'done' | 'now' | 'todo' | 'skipped'
  /** When it was finished. */
  at?: number | undefined
  /** The red line stands before this step: it and those after it cannot be taken back. */
  noWayBack?: boolean | undefined
}

export type RailPart = { number: number; name: string; steps: readonly RailStep[] }

export type StepRailProps = { parts: readonly RailPart[]; minutesLeft?: number | undefined }

/** Where we are: parts that fold, their steps with a status in words. On narrow screens one line that opens. */
export function StepRail({ parts, minutesLeft }: StepRailProps) {
  const steps = parts.flatMap((part) => part.steps)
  const now = steps.find((step) => step.state === 'now')
  const left = minutesLeft === undefined ? '' : text.steps.minutesLeft(minutesLeft)
  const head = (
    <span className={css.head}>
      <strong>{position(steps, now)}</strong>
      <span className={css.current}>{now?.name}</span>
      <span className={css.left}>{left}</span>
    </span>
  )
  return (
    <Rail label={text.steps.rail} line={head}>
      <ol className={css.parts}>
        {parts.map((part) => (
          <Part key={part.number} part={part} />
        ))}
      </ol>
    </Rail>
  )
}

function position(steps: readonly RailStep[], now: RailStep | undefined): string {
  if (now) return text.steps.position(now.number, steps.length)
  return steps.some((step) => step.state === 'todo') ? text.steps.before(steps.length) : text.steps.after(steps.length)
}

/** The current part stands open; anybody may open another one and look. */
function Part({ part }: { part: RailPart }) {
  const current = part.steps.some((step) => step.state === 'now')
  const [asked, setAsked] = useState<boolean | null>(null)
  const done = part.steps.filter((step) => step.state !== 'todo' && step.state !== 'now').length
  return (
    <li className={css.part}>
      <Disclosure isExpanded={asked ?? current} onExpandedChange={setAsked}>
        <Heading level={3} className={classes(css.heading)}>
          <Button slot="trigger" className={classes(css.trigger)}>
            <span>{part.number}</span>
            <span>{part.name}</span>
            <span className={css.tally}>
              {done > 0 || current
                ? text.steps.partDone(done, part.steps.length)
                : text.steps.partAhead(part.steps.length)}
            </span>
          </Button>
        </Heading>
        <DisclosurePanel>
          <ol className={css.steps}>
            {part.steps.map((step) => (
              <Step key={step.number} step={step} />
            ))}
          </ol>
        </DisclosurePanel>
      </Disclosure>
    </li>
  )
}

function Step({ step }: { step: RailStep }) {
  return (
    <li className={css.stepItem}>
      {step.noWayBack && (
        <p className={css.line}>
          <StatusShape kind="danger" />
          <span>{text.steps.noWayBack}</span>
        </p>
      )}
      <div className={classes(css.step, css[step.state])} {...(step.state === 'now' ? { 'aria-current': 'step' } : {})}>
        <span className={css.number}>{step.number}</span>
        <span className={css.name}>{step.name}</span>
        <StepStatus step={step} />
      </div>
    </li>
  )
}

function StepStatus({ step: { state, at } }: { step: RailStep }) {
  if (state === 'todo') return <Hidden>{text.status.todo}</Hidden>
  return (
    <span className={css.status}>
      <Status kind={state}>
        {state === 'done' && at !== undefined ? text.status.doneAt(clock(at)) : text.status[state]}
      </Status>
    </span>
  )
}
