import type { Sitting } from '../../../shared/contract/sitting.ts'
import { MarginRow, Page } from '../../components/Page.tsx'
import { text } from '../../text/index.ts'
import { Home, Log } from './Ending.tsx'
import { Finished } from './Finished.tsx'
import css from './sitting.module.css'

const words = text.sitting.over
type Props = { sitting: Sitting }

/** How it ended: what happened, what is kept, what next. */
export function Over({ sitting }: Props) {
  if (sitting.phase === 'finished' && sitting.result) return <Finished sitting={sitting} result={sitting.result} />
  return (
    <Page title={titleOf(sitting)} subject={sitting.phase} ruled>
      <MarginRow margin={words.happened}>
        <p className={css.consequence}>{happened(sitting)}</p>
      </MarginRow>
      <MarginRow margin={words.kept}>
        <p className={css.measure}>{kept(sitting)}</p>
        {sitting.ceremony !== null && <p className={css.small}>{steps(sitting)}</p>}
      </MarginRow>
      <MarginRow margin={words.next}>
        <p className={css.measure}>{nextOf(sitting)}</p>
      </MarginRow>
      <Log sitting={sitting} />
      <Home />
    </Page>
  )
}

function titleOf({ phase, ceremony, problem }: Sitting): string {
  if (phase === 'closed') return ceremony === null ? words.closedPlain : words.closed(ceremony)
  if (phase === 'paused') return ceremony === null ? words.pausedBefore : words.paused
  if (problem?.code === 'comparison-failed') return words.differs
  return ceremony === null ? words.failedBefore : words.failed
}

function happened({ phase, problem }: Sitting): string {
  if (phase === 'closed') return words.closedHappened
  return problem?.message ?? words.paused
}

function kept({ phase, problem, result }: Sitting): string {
  if (phase === 'closed') return `${words.closedKept} ${words.erased(result?.erased ?? 0)}`
  return problem?.lost ?? words.pauseKept
}

/** Before it began there is nothing to go on with. */
function nextOf({ phase, ceremony, problem }: Sitting): string {
  if (phase === 'closed') return words.closedNext
  if (phase === 'paused' && ceremony === null) return words.pausedBeforeNext
  return problem?.hint ?? words.pauseNext
}

const steps = (sitting: Sitting): string =>
  words.steps(sitting.steps.filter(({ status }) => status === 'done').length, sitting.steps.length)
