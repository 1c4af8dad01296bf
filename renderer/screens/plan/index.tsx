import type { Choices } from '../../../shared/contract/plan.ts'
import { Framed } from '../../app/Framed.tsx'
import { Waiting } from '../../app/Waiting.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Chooser } from './Chooser.tsx'
import { PlanForm } from './PlanForm.tsx'
import { PlanText } from './PlanText.tsx'
import { Reviewing } from './Reviewing.tsx'
import { useChoices, usePlan } from './use-plan.ts'

/** Chooses what a ceremony is for, fills in its plan, and reviews what it will mean. */
export function PlanScreen() {
  const { choices, failure } = useChoices()
  if (failure)
    return (
      <Framed title={text.plan.name}>
        <FailureNotice failure={failure} />
      </Framed>
    )
  return choices ? <Planning choices={choices} /> : <Waiting />
}

function Planning({ choices }: { choices: Choices }) {
  const { at } = useKeyrite()
  const state = usePlan(at.screen === 'plan' ? at.start : undefined, choices)
  if (state.stage === 'review') return <Reviewing state={state} />
  if (state.stage === 'form' && state.editing)
    return <PlanForm state={state} editing={state.editing} choices={choices} />
  if (state.stage === 'text') return <PlanText state={state} />
  return <Chooser state={state} />
}
