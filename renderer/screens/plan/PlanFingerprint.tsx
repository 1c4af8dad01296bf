import { useState } from 'react'
import type { Fingerprint } from '../../../shared/contract/common.ts'
import { Button } from '../../components/Button.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'

/** The digest of the plan's exact text: half of it to recognise, all of it to compare with the printed script. */
export function PlanFingerprint({ digest }: { digest: Fingerprint }) {
  const { review } = text.plan
  const [all, setAll] = useState(false)
  const rows = [0, 4, 8, 12].slice(0, all ? 4 : 2)
  const numbered = digest.words.map((word, index) => ({ number: index + 1, word }))
  return (
    <section aria-labelledby="plan-fingerprint">
      <h2 id="plan-fingerprint">{review.fingerprint}</h2>
      <p className={css.digest}>
        {rows.map((first) => (
          <span key={first}>{digest.hex.slice(first, first + 4).join(' ')} </span>
        ))}
      </p>
      {!all && <p className={css.quiet}>{review.fingerprintHalf}</p>}
      <ol className={css.digestWords} aria-label={review.words}>
        {numbered.slice(0, all ? 24 : 4).map(({ number, word }) => (
          <li key={number}>
            <span className={css.quiet}>{number}</span> {word}
          </li>
        ))}
      </ol>
      <Button kind="link" onPress={() => setAll(!all)}>
        {all ? review.showHalf : review.showAll}
      </Button>
    </section>
  )
}
