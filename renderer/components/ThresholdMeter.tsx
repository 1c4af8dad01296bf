import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import { clock } from './format.ts'
import { Status } from './Status.tsx'
import css from './ThresholdMeter.module.css'

export type Given = { name: string; at: number }

export type ThresholdMeterProps = {
  /** Who has approved, in order. */
  given: readonly Given[]
  /** M: how many are needed. */
  need: number
  /** Who may still give the next one. */
  candidates: readonly string[]
}

/** "2 of 3 approvals", then M slots: solid with name and time, or dashed with those who may fill it. */
export function ThresholdMeter({ given, need, candidates }: ThresholdMeterProps) {
  const open = Array.from({ length: Math.max(0, need - given.length) }, (_, index) => index)
  return (
    <div className={css.meter}>
      <p className={css.head} role="status">
        <span className={css.sentence}>{text.quorum.approvals(given.length, need)}</span>
        <span className={css.enough}>{text.quorum.ofThoseHere(given.length + candidates.length, need)}</span>
      </p>
      <ol className={css.slots}>
        {given.map(({ name, at }) => (
          <li key={name} className={classes(css.slot, css.solid)}>
            <span className={css.name}>{name}</span>
            <Status kind="done">{text.quorum.approved(clock(at))}</Status>
          </li>
        ))}
        {open.map((index) => (
          <li key={index} className={css.slot}>
            <span className={css.name}>{index === 0 ? text.quorum.oneMore : text.quorum.thenOneMore}</span>
            <Status kind="waiting">{text.quorum.anyOf(candidates)}</Status>
          </li>
        ))}
      </ol>
    </div>
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
