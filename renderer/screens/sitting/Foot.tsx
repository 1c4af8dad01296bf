import { useState } from 'react'
import type { Sitting } from '../../../shared/contract/sitting.ts'
import { Button } from '../../components/Button.tsx'
import { FooterBar } from '../../components/Frame.tsx'
import { text } from '../../text/index.ts'
import { useLeave } from './leave.ts'
import { begunForGood } from './rail.ts'
import css from './sitting.module.css'
import { CloseDialog } from './ways/CloseDialog.tsx'
import { DeviationDialog } from './ways/DeviationDialog.tsx'
import { PauseDialog } from './ways/PauseDialog.tsx'

const words = text.sitting.foot
type Props = { sitting: Sitting; place: (element: HTMLElement | null) => void }
type Open = 'note' | 'pause' | 'close' | null

/** Quiet ways out at the left; the act due now at the right. */
export function Foot({ sitting, place }: Props) {
  const act = <div ref={place} className={css.act} />
  return (
    <FooterBar act={act}>
      {sitting.phase === 'running' && <Ways sitting={sitting} />}
      {sitting.phase === 'gathering' && <Leave />}
    </FooterBar>
  )
}

function Leave() {
  const { leave, pending } = useLeave()
  return (
    <Button kind="quiet" onPress={() => leave()} pending={pending}>
      {words.leave}
    </Button>
  )
}

function Ways({ sitting }: { sitting: Sitting }) {
  const [open, setOpen] = useState<Open>(null)
  const close = () => setOpen(null)
  const begun = sitting.ceremony !== null
  return (
    <>
      <span className={css.ways}>
        <Button kind="quiet" onPress={() => setOpen('note')}>
          {sitting.noted > 0 ? words.noted(sitting.noted) : words.note}
        </Button>
        <Button kind="quiet" onPress={() => setOpen('pause')}>
          {words.pause}
        </Button>
        <Button kind="quiet" onPress={() => setOpen('close')}>
          {words.close}
        </Button>
      </span>
      <span className={css.safe}>{safe(sitting, begun)}</span>
      <DeviationDialog sitting={sitting} open={open === 'note'} onClose={close} />
      <PauseDialog begun={begun} open={open === 'pause'} onClose={close} />
      <CloseDialog sitting={sitting} open={open === 'close'} onClose={close} />
    </>
  )
}

/** What stopping now would mean. */
const safe = (sitting: Sitting, begun: boolean): string => {
  if (sitting.question?.ask === 'confirm') return words.untouched
  if (!begun) return words.before
  return begunForGood(sitting) ? words.notSafe : words.safe
}
