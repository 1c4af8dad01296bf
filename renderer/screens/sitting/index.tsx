import { useState } from 'react'
import type { Sitting } from '../../../shared/contract/sitting.ts'
import { Framed } from '../../app/Framed.tsx'
import { StepRail } from '../../components/StepRail.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { Asked } from './Asked.tsx'
import { ActPlace, AskedBy, useAsking } from './act.tsx'
import { Foot } from './Foot.tsx'
import { Gathering } from './Gathering.tsx'
import { Over } from './Over.tsx'
import { minutesLeft, railOf } from './rail.ts'

/** The ceremony, from the first person at the keyboard to its signed record. */
export function SittingScreen() {
  const { sitting } = useKeyrite()
  return sitting && <Room sitting={sitting} />
}

function Room({ sitting }: { sitting: Sitting }) {
  const asking = useAsking(sitting)
  const [place, setPlace] = useState<HTMLElement | null>(null)
  const over = sitting.phase !== 'gathering' && sitting.phase !== 'running'
  return (
    <AskedBy value={asking}>
      <ActPlace value={place}>
        <Framed
          title={text.sitting.kinds[sitting.kind]}
          id={sitting.ceremony ?? undefined}
          note={[sitting.vault.name, text.sitting.note[sitting.doing]].filter(Boolean).join(', ')}
          left={<StepRail parts={railOf(sitting)} minutesLeft={over ? undefined : minutesLeft(sitting)} />}
          footer={<Foot sitting={sitting} place={setPlace} />}
        >
          <Phase sitting={sitting} />
        </Framed>
      </ActPlace>
    </AskedBy>
  )
}

function Phase({ sitting }: { sitting: Sitting }) {
  if (sitting.phase === 'gathering') return <Gathering sitting={sitting} />
  if (sitting.phase === 'running') return <Asked sitting={sitting} />
  return <Over sitting={sitting} />
}
