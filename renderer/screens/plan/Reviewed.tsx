import type { Review } from '../../../shared/contract/plan.ts'
import { Page, Section } from '../../components/Page.tsx'
import { Status } from '../../components/Status.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'
import { Schedules } from './Schedules.tsx'
import { Script } from './Script.tsx'

/** The middle of a review: the verdict, the schedules, what the plan says and what will be done. */
export function Reviewed({ found }: { found: Review }) {
  const { kinds, review } = text.plan
  const title = found.kind ? review.title(kinds[found.kind].title) : review.unread
  return (
    <Page title={title} subject="review" ruled>
      <Verdict found={found} />
      {found.schedule.length > 0 && <Schedules schedule={found.schedule} tenants={found.tenants} />}
      <Section title={review.saysTitle}>
        <pre className={css.lines}>{found.lines.join('\n')}</pre>
      </Section>
      {found.steps.length > 0 && <Script steps={found.steps} minutes={found.minutes} />}
    </Page>
  )
}

/** What stands against it, each with its place; or that nothing does, and how far that was looked at. */
function Verdict({ found }: { found: Review }) {
  const { overview } = useKeyrite()
  const { review } = text.plan
  const { problems } = found
  const checked = found.kind !== 'genesis' && overview
  if (problems.length > 0)
    return (
      <div className={css.verdict} role="alert">
        <p className={css.verdictHead}>
          <Status kind="danger">{found.kind ? review.fitsNot : review.problems(problems.length)}</Status>
        </p>
        <div>
          <p>{found.kind ? review.against(problems.length) : review.unreadLead}</p>
          <ul className={css.problems}>
            {problems.map(({ place, message }) => (
              <li key={`${place} ${message}`}>
                <p>{message}</p>
                <p className={css.quiet}>
                  {place === '' ? review.whole : review.place}
                  {place !== '' && <code>{place}</code>}
                </p>
              </li>
            ))}
          </ul>
        </div>
      </div>
    )
  return (
    <div className={css.verdict}>
      <p className={css.verdictHead}>
        <Status kind="done">{checked ? review.fits : review.complete}</Status>
      </p>
      <p>{checked ? review.fitsVault(overview.name) : review.fitsNew}</p>
    </div>
  )
}
