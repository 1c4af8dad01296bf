import { useContext } from 'react'
import type { Question, Sitting } from '../../../shared/contract/sitting.ts'
import { Page } from '../../components/Page.tsx'
import { Progress } from '../../components/Progress.tsx'
import { text } from '../../text/index.ts'
import { AskedContext, subjectOf, Waiting } from './act.tsx'
import { Agreement } from './ask/Agreement.tsx'
import { Comparison } from './ask/Comparison.tsx'
import { Confirmation } from './ask/Confirmation.tsx'
import { HeadCard } from './ask/HeadCard.tsx'
import { PlanSeen } from './ask/PlanSeen.tsx'
import { Secret } from './ask/Secret.tsx'
import { StepView } from './ask/StepView.tsx'
import { Watches } from './ask/Watches.tsx'
import { stepNow } from './rail.ts'

/** What is asked now; while nothing is, what the machine does. */
export function Asked({ sitting }: { sitting: Sitting }) {
  const question = useContext(AskedContext)?.question ?? null
  if (question) return <View key={subjectOf(question)} sitting={sitting} question={question} />
  if (stepNow(sitting)?.status === 'now') return <StepView sitting={sitting} question={null} />
  return <Preparing sitting={sitting} />
}

function View({ sitting, question }: { sitting: Sitting; question: Question }) {
  switch (question.ask) {
    case 'plan':
      return <PlanSeen sitting={sitting} question={question} />
    case 'time':
      return <Watches sitting={sitting} question={question} />
    case 'head-card':
      return <HeadCard sitting={sitting} question={question} />
    case 'compare':
      return <Comparison sitting={sitting} question={question} />
    case 'confirm':
      return <Confirmation sitting={sitting} question={question} />
    case 'secret':
      return <Secret sitting={sitting} question={question} />
    case 'agree':
      return <Agreement sitting={sitting} question={question} />
    default:
      return <StepView sitting={sitting} question={question} />
  }
}

/** Between the questions that come before the first step. */
function Preparing({ sitting: { progress } }: { sitting: Sitting }) {
  return (
    <Page title={text.sitting.workingTitle} takesFocus={false}>
      {progress ? (
        <Progress label={progress.label} done={progress.done} of={progress.of} />
      ) : (
        <Waiting when>{text.sitting.working}</Waiting>
      )}
    </Page>
  )
}
