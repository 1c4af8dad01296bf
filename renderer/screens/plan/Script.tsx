import type { PlanStep } from '../../../shared/contract/plan.ts'
import { Section } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'

/** Every step in order: who acts, how long it takes, and where no way leads back. */
export function Script({ steps, minutes }: { steps: readonly PlanStep[]; minutes: number }) {
  const { review } = text.plan
  const who = (one: PlanStep['who']) => (one === 'everyone' ? review.everyone : review.role[one])
  return (
    <Section title={review.stepsTitle} aside={review.steps(steps.length, minutes)}>
      <ol className={css.steps}>
        {steps.map((step, index) => (
          <li key={step.id} className={css.step}>
            <span className={css.number}>{index + 1}</span>
            <div>
              <p className={css.stepName}>{step.title}</p>
              <p className={css.quiet}>{step.do}</p>
              {step.noWayBack && (
                <p className={css.noWayBack}>
                  <Status kind="danger">{review.noWayBack}</Status>
                </p>
              )}
            </div>
            <p className={css.quiet}>
              {who(step.who)}
              {step.quorum && `; ${review.quorum}`}
            </p>
          </li>
        ))}
      </ol>
    </Section>
  )
}
