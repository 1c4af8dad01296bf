import type { Review } from '../../../shared/contract/plan.ts'
import { Button } from '../../components/Button.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { readyFor, useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'
import { useAct } from './use-plan.ts'

/** Print the script, rehearse it, start. What cannot be started says what it waits for. */
export function Acts({ found }: { found: Review }) {
  const { call, go, overview, at } = useKeyrite()
  const rehearsing = at.screen === 'plan' && at.rehearse === true
  const { review } = text.plan
  const { act, pending, failure, forget } = useAct()
  const folder = found.kind === 'genesis' ? null : (overview?.folder ?? null)
  if (found.kind === null) return null
  const waits =
    found.problems.length > 0
      ? found.kind !== 'genesis' && !overview
        ? review.waitsVault
        : review.waitsProblems
      : undefined
  const print = async () => {
    const { address } = await call('openPage', { page: 'script', plan: found.text })
    if (address !== null) window.open(address, '_blank', 'noopener')
  }
  const rehearse = () => call('sit', { doing: 'rehearse', folder, plan: found.text })
  return (
    <div className={css.acts}>
      {failure && <FailureNotice failure={failure} onDismiss={forget} />}
      <Button wide onPress={() => act('print', print)} pending={pending === 'print'}>
        {review.print}
      </Button>
      <Button
        wide
        kind={rehearsing ? 'filled' : 'plain'}
        onPress={() => act('rehearse', rehearse)}
        pending={pending === 'rehearse'}
      >
        {rehearsing ? review.rehearseIt : review.rehearse}
      </Button>
      <Button
        wide
        kind={rehearsing ? 'plain' : 'filled'}
        waitsFor={waits}
        waitsPlace="below"
        onPress={() => go(readyFor({ doing: 'hold', folder, plan: found.text }))}
      >
        {review.start}
      </Button>
    </div>
  )
}
