import type { Sitting } from '../../../shared/contract/sitting.ts'
import { Button } from '../../components/Button.tsx'
import { utcClock } from '../../components/format.ts'
import { Section } from '../../components/Page.tsx'
import { text } from '../../text/index.ts'
import { Act, Refused } from './act.tsx'
import { useLeave } from './leave.ts'
import css from './sitting.module.css'

/** What stands on the screen however a sitting ended. */

const words = text.sitting.over

/** What the engine said of each step, for whoever wants to read back. */
export function Log({ sitting: { said } }: { sitting: Sitting }) {
  if (said.length === 0) return null
  return (
    <Section title={words.log}>
      <dl className={css.log}>
        {said.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
          <Line key={index} {...line} />
        ))}
      </dl>
    </Section>
  )
}

const Line = ({ at, text: said }: Sitting['said'][number]) => (
  <>
    <dt>{utcClock(at)}</dt>
    <dd>{said.replace(/^\s*✓\s*/, '').trim()}</dd>
  </>
)

/** The one act that is left. */
export function Home() {
  const { leave, pending, failure } = useLeave()
  return (
    <>
      <Refused failure={failure} />
      <Act>
        <Button kind="filled" onPress={() => leave()} pending={pending}>
          {words.toHome}
        </Button>
      </Act>
    </>
  )
}
