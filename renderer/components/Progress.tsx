import { Label, ProgressBar } from 'react-aria-components'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import css from './Progress.module.css'

export type ProgressProps = {
  label: string
  done: number
  of: number
  /** What is under way: "Making the key of Contoso". */
  words?: string | undefined
}

/** A determinate bar with words: how much is done, and what is under way. */
export function Progress({ label, done, of, words }: ProgressProps) {
  const share = of > 0 ? Math.min(1, done / of) : 0
  return (
    <ProgressBar
      className={classes(css.progress)}
      value={done}
      maxValue={Math.max(of, 1)}
      valueLabel={text.notices.progress(done, of)}
    >
      <Label className={classes(css.label)}>{label}</Label>
      <span className={css.value}>{text.notices.progress(done, of)}</span>
      <svg className={css.track} width="100%" height="8" aria-hidden="true">
        <rect className={css.rail} width="100%" height="8" rx="2" />
        <rect className={css.bar} width={`${share * 100}%`} height="8" rx="2" />
      </svg>
      <span className={css.words}>{words ?? '\u00a0'}</span>
    </ProgressBar>
  )
}
