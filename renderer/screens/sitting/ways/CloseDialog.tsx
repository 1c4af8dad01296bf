import { useState } from 'react'
import type { Sitting } from '../../../../shared/contract/sitting.ts'
import { Button, Buttons } from '../../../components/Button.tsx'
import { Dialog } from '../../../components/Dialog.tsx'
import { TextField } from '../../../components/Field.tsx'
import { useKeyrite } from '../../../state.tsx'
import { text } from '../../../text/index.ts'
import { Refused } from '../act.tsx'
import { useCalling } from '../calling.ts'
import { begunForGood } from '../rail.ts'
import { reasonProblem } from './reason.ts'

const words = text.sitting.close
type Props = { sitting: Sitting; open: boolean; onClose: () => void }

/** Closes the ceremony with a reason, after saying what that erases. */
export function CloseDialog({ sitting, open, onClose }: Props) {
  const begun = begunForGood(sitting)
  return (
    <Dialog title={words.title} open={open} onClose={onClose}>
      {begun ? <MustFinish title={begun.title} onClose={onClose} /> : <Form sitting={sitting} onClose={onClose} />}
    </Dialog>
  )
}

const MustFinish = ({ title, onClose }: { title: string; onClose: () => void }) => (
  <>
    <p>{words.mustFinish(title)}</p>
    <Buttons>
      <Button onPress={onClose}>{words.no}</Button>
    </Buttons>
  </>
)

function Form({ sitting, onClose }: Omit<Props, 'open'>) {
  const { call } = useKeyrite()
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const { run, pending, failure } = useCalling((given: string) => call('closeCeremony', { reason: given }))
  const close = async () => {
    setTried(true)
    if (reasonProblem(reason)) return
    if (await run(reason.trim())) onClose()
  }
  return (
    <>
      {sitting.ceremony === null ? (
        <p>{words.before}</p>
      ) : (
        <>
          <p>{words.lead}</p>
          <p>{words.erases}</p>
          <p>{words.keeps}</p>
        </>
      )}
      <TextField
        label={words.reason}
        value={reason}
        onChange={setReason}
        error={tried ? reasonProblem(reason) : undefined}
        maxLength={500}
        takesFocus
        onEnter={close}
      />
      <Refused failure={failure} />
      <Buttons>
        <Button kind="danger" onPress={close} pending={pending}>
          {words.yes}
        </Button>
        <Button onPress={onClose}>{words.no}</Button>
      </Buttons>
    </>
  )
}
