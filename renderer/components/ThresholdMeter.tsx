import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import { Status } from './Status.tsx'
import css from './ThresholdMeter.module.css'

/** Somebody who fills a slot, and what is said of that: "Approved 09:52". */
export type Given = { name: string; said: string }

export type ThresholdMeterProps = {
  /** "2 of 3 approvals". */
  sentence: string
  /** How many there are to choose from, and how many are enough. */
  enough: string
  /** Who fills a slot, in order. */
  given: readonly Given[]
  /** M: how many are needed. */
  need: number
  /** Who may still fill the next one. */
  candidates: readonly string[]
}

/** A sentence, then M slots: solid with name and what is said, or dashed with those who may fill it. */
export function ThresholdMeter({ sentence, enough, given, need, candidates }: ThresholdMeterProps) {
  return (
    <div className={css.meter}>
      <p className={css.head} role="status">
        <span className={css.sentence}>{sentence}</span>
        <span className={css.enough}>{enough}</span>
      </p>
      <Slots given={given} open={Math.max(0, need - given.length)} candidates={candidates} />
    </div>
  )
}

type SlotsProps = { given: readonly Given[]; open?: number; candidates?: readonly string[] }

/** The slots alone. */
export function Slots({ given, open = 0, candidates = [] }: SlotsProps) {
  return (
    <ol className={css.slots}>
      {given.map(({ name, said }) => (
        <li key={name} className={classes(css.slot, css.solid)}>
          <span className={css.name}>{name}</span>
          <Status kind="done">{said}</Status>
        </li>
      ))}
      {Array.from({ length: open }, (_, index) => index).map((index) => (
        <li key={index} className={css.slot}>
          <span className={css.name}>{index === 0 ? text.quorum.oneMore : text.quorum.thenOneMore}</span>
          <Status kind="waiting">{text.quorum.anyOf(candidates)}</Status>
        </li>
      ))}
    </ol>
  )
}

/** The same in one line, for a narrow column: "2 of 3 custodians" above a bar in M parts. */
export function ThresholdBar({ present, need }: { present: number; need: number }) {
  const slots = Array.from({ length: need }, (_, index) => index)
  return (
    <div className={css.small}>
      <p className={css.smallHead}>{text.quorum.custodians(present, need)}</p>
      <svg width="100%" height="10" aria-hidden="true">
        {slots.map((index) => (
          <svg key={index} x={`${(index / need) * 100}%`} width={`${100 / need}%`} height="10" aria-hidden="true">
            <rect className={index < present ? css.barDone : css.barOpen} x="1" y="0.5" width="97%" height="9" rx="2" />
          </svg>
        ))}
      </svg>
    </div>
  )
}
