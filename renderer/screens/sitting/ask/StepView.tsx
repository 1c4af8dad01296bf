import type { ReactNode } from 'react'
import type { Question, Sitting, SittingStep } from '../../../../shared/contract/sitting.ts'
import { Button } from '../../../components/Button.tsx'
import { Progress } from '../../../components/Progress.tsx'
import type { StatusKind } from '../../../components/Status.tsx'
import { ReadAloud, StepCard, StepRow } from '../../../components/StepCard.tsx'
import { text } from '../../../text/index.ts'
import { Act, type Of, Refused, useAnswering, Waiting } from '../act.tsx'
import { numberOf, stepNow } from '../rail.ts'
import css from '../sitting.module.css'
import { Approval, ApprovalPage } from './Approval.tsx'
import { Dice } from './Dice.tsx'
import { Initial } from './Initial.tsx'

const words = text.sitting.step

/** The questions that are asked inside a step; null while the machine does its part of it. */
type InStep = Of<'begin' | 'initial' | 'approve' | 'dice'> | null
type Row = 'readAloud' | 'do' | 'observe'
type Props = { sitting: Sitting; step: SittingStep; question: InStep }

/** One step: read aloud, do, observe, initial. All are to be seen, the one due now can be operated. */
export function StepView({ sitting, question }: { sitting: Sitting; question: InStep }) {
  const step = stepOf(sitting, question)
  if (!step) return question?.ask === 'approve' ? <ApprovalPage question={question} /> : null
  return <Card key={step.id} sitting={sitting} step={step} question={question} />
}

/** What is approved outside of the script, such as its closing, stands by itself. */
function stepOf(sitting: Sitting, question: InStep): SittingStep | undefined {
  if (question?.ask === 'begin' || question?.ask === 'initial')
    return sitting.steps.find(({ id }) => id === question.step)
  const now = stepNow(sitting)
  return question?.ask !== 'approve' || (now && question.title.startsWith(now.title)) ? now : undefined
}

const rowOf = (question: Question | null): Row => {
  if (question?.ask === 'begin') return 'readAloud'
  return question?.ask === 'initial' ? 'observe' : 'do'
}

const ORDER: readonly Row[] = ['readAloud', 'do', 'observe']

function Card({ sitting, step, question }: Props) {
  const row = rowOf(question)
  const status = (of: Row): StatusKind => {
    const [at, now] = [ORDER.indexOf(of), ORDER.indexOf(row)]
    return at < now ? 'done' : at === now ? 'now' : 'todo'
  }
  const who = text.sitting.who[step.who]
  return (
    <StepCard title={step.title} step={numberOf(sitting, step.id)}>
      <StepRow
        kind="readAloud"
        who={text.sitting.who.administrator}
        status={status('readAloud')}
        operable={row === 'readAloud'}
      >
        <ReadAloud>{step.readAloud}</ReadAloud>
      </StepRow>
      <StepRow
        kind="do"
        who={step.quorum ? words.quorum(sitting.threshold) : who}
        status={status('do')}
        operable={row === 'do'}
      >
        <p className={css.measure}>{step.do}</p>
        {step.noWayBack && <p className={css.small}>{words.noWayBack}</p>}
        <Doing sitting={sitting} question={question} />
      </StepRow>
      <StepRow kind="observe" who={text.sitting.who.everyone} status={status('observe')} operable={row === 'observe'}>
        <p className={css.measure}>{step.observe}</p>
        {question?.ask === 'initial' && <Found observed={question.observed} />}
      </StepRow>
      <StepRow kind="initial" who={text.steps.initialHint} operable={row === 'observe'}>
        {question?.ask === 'initial' ? (
          <Initial question={question} step={numberOf(sitting, step.id)} />
        ) : (
          <p className={css.small}>{words.afterwards}</p>
        )}
      </StepRow>
      {question?.ask === 'begin' && <Begin />}
    </StepCard>
  )
}

function Doing({ sitting, question }: Pick<Props, 'sitting' | 'question'>): ReactNode {
  if (question?.ask === 'approve')
    return (
      <div className={css.after}>
        <Approval question={question} />
      </div>
    )
  if (question?.ask === 'dice')
    return (
      <div className={css.after}>
        <Dice question={question} />
      </div>
    )
  if (question) return null
  const { progress } = sitting
  if (progress) return <Progress label={progress.label} done={progress.done} of={progress.of} />
  return <Waiting when>{text.sitting.working}</Waiting>
}

const Found = ({ observed }: { observed: string }) => (
  <dl className={css.found}>
    <dt>{words.found}</dt>
    <dd>{observed}</dd>
  </dl>
)

function Begin() {
  const { give, pending, failure } = useAnswering()
  return (
    <>
      <Refused failure={failure} />
      <Act>
        <Button kind="filled" onPress={() => give({ give: 'begin' })} pending={pending}>
          {words.begin}
        </Button>
      </Act>
    </>
  )
}
