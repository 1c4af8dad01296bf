import { useEffect, useState } from 'react'
import type { Review } from '../../../shared/contract/plan.ts'
import { Framed } from '../../app/Framed.tsx'
import { Button } from '../../components/Button.tsx'
import { FooterBar } from '../../components/Frame.tsx'
import { Announcer, FailureNotice } from '../../components/Notice.tsx'
import { Page } from '../../components/Page.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Acts, Start } from './Acts.tsx'
import { Needs } from './Needs.tsx'
import { PlanFingerprint } from './PlanFingerprint.tsx'
import css from './plan.module.css'
import { Reviewed } from './Reviewed.tsx'
import { asFailure, type PlanState } from './use-plan.ts'

/** The review of a plan: what it will mean, who is needed, and the ways on. */
export function Reviewing({ state }: { state: PlanState }) {
  const { review: found, failure } = useReview(state.text)
  const { kinds, name, notStarted, review: words } = text.plan
  const title = found?.kind ? kinds[found.kind].title : name
  return (
    <Framed
      title={title}
      note={notStarted}
      right={found && <Beside found={found} />}
      footer={<ReviewFooter state={state} found={found} />}
    >
      <Announcer polite={found || failure ? '' : words.checking} />
      {failure && <FailureNotice failure={failure} />}
      {found ? <Reviewed found={found} /> : !failure && <Page title={title} lead={words.checking} subject="checking" />}
    </Framed>
  )
}

function useReview(plan: string) {
  const { call } = useKeyrite()
  const [review, setReview] = useState<Review | null>(null)
  const [failure, setFailure] = useState<ReturnType<typeof asFailure> | null>(null)
  useEffect(() => {
    let over = false
    call('reviewPlan', { text: plan }).then(
      (found) => over || setReview(found),
      (error) => over || setFailure(asFailure(error)),
    )
    return () => {
      over = true
    }
  }, [call, plan])
  return { review, failure }
}

function Beside({ found }: { found: Review }) {
  return (
    <div className={css.aside}>
      {found.kind && <Needs found={found} />}
      <PlanFingerprint digest={found.digest} />
      <Acts found={found} />
    </div>
  )
}

function ReviewFooter({ state, found }: { state: PlanState; found: Review | null }) {
  const { review } = text.plan
  return (
    <FooterBar act={found && <Start found={found} />}>
      <Button kind="quiet" onPress={state.change}>
        {review.back}
      </Button>
    </FooterBar>
  )
}
