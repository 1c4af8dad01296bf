import type { Review } from '../../../shared/contract/plan.ts'
import { Button } from '../../components/Button.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { readyFor, useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './plan.module.css'
import { SavePlan } from './SavePlan.tsx'
import { forgetDraft, useAct } from './use-plan.ts'

type ActsProps = { found: Review }

/** What may be done with a plan before it is held: print its script, rehearse it, keep it. */
export function Acts({ found }: ActsProps) {
  const { call } = useKeyrite()
  const { review } = text.plan
  const { act, pending, failure, forget } = useAct()
  const rehearsing = useRehearsing()
  if (found.kind === null) return <SavePlan found={found} />
  const print = async () => {
    const { address } = await call('openPage', { page: 'script', plan: found.text })
    if (address !== null) window.open(address, '_blank', 'noopener')
  }
  return (
    <div className={css.acts}>
      {failure && <FailureNotice failure={failure} onDismiss={forget} />}
      <Button wide onPress={() => act('print', print)} pending={pending === 'print'}>
        {review.print}
      </Button>
      {!rehearsing && <Rehearse found={found} />}
      <SavePlan found={found} />
    </div>
  )
}

/** The act due now: start the ceremony, or say what it waits for; rehearse where that is what people came for. */
export function Start({ found }: ActsProps) {
  const { go, overview } = useKeyrite()
  const { review } = text.plan
  const rehearsing = useRehearsing()
  if (found.kind === null) return null
  if (rehearsing) return <Rehearse found={found} due />
  const lacking = found.kind !== 'genesis' && !overview ? review.waitsVault : review.waitsProblems
  return (
    <Button
      kind="filled"
      waitsFor={found.problems.length > 0 ? lacking : undefined}
      onPress={() => {
        forgetDraft()
        go(readyFor({ doing: 'hold', folder: folderFor(found, overview?.folder), plan: found.text }))
      }}
    >
      {review.start}
    </Button>
  )
}

function Rehearse({ found, due = false }: ActsProps & { due?: boolean }) {
  const { call, overview } = useKeyrite()
  const { review } = text.plan
  const { act, pending, failure, forget } = useAct()
  const rehearse = () =>
    call('sit', { doing: 'rehearse', folder: folderFor(found, overview?.folder), plan: found.text })
  return (
    <>
      {failure && <FailureNotice failure={failure} onDismiss={forget} />}
      <Button
        wide={!due}
        kind={due ? 'filled' : 'plain'}
        onPress={() => act('rehearse', rehearse)}
        pending={pending === 'rehearse'}
      >
        {due ? review.rehearseIt : review.rehearse}
      </Button>
    </>
  )
}

/** Where it is held: in the vault that is open; a genesis makes one of its own. */
const folderFor = ({ kind }: Review, open: string | undefined): string | null =>
  kind === 'genesis' ? null : (open ?? null)

/** Whoever came to try it first. */
function useRehearsing(): boolean {
  const { at } = useKeyrite()
  return at.screen === 'plan' && at.rehearse === true
}
