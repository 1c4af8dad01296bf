import { useState } from 'react'
import type { Sitting } from '../../../../shared/contract/sitting.ts'
import { Button, Buttons } from '../../../components/Button.tsx'
import { Dialog } from '../../../components/Dialog.tsx'
import { TextField } from '../../../components/Field.tsx'
import { useKeyrite } from '../../../state.tsx'
import { text } from '../../../text/index.ts'
import { Refused } from '../act.tsx'
import { useCalling } from '../calling.ts'
import { reasonProblem } from './reason.ts'

const words = text.sitting.deviation
const FIELDS = ['expected', 'happened', 'action'] as const
type Deviation = Record<(typeof FIELDS)[number], string>
const EMPTY: Deviation = { expected: '', happened: '', action: '' }
type Props = { sitting: Sitting; open: boolean; onClose: () => void }

/** Anyone may say, at any step, that something did not go as the script says. */
export function DeviationDialog({ sitting, open, onClose }: Props) {
  return (
    <Dialog title={words.title} open={open} onClose={onClose}>
      <p>{words.lead}</p>
      {sitting.noted > 0 && <p role="status">{words.done(sitting.noted)}</p>}
      <Form onClose={onClose} />
    </Dialog>
  )
}

function Form({ onClose }: { onClose: () => void }) {
  const { call } = useKeyrite()
  const [typed, setTyped] = useState(EMPTY)
  const [tried, setTried] = useState(false)
  const { run, pending, failure } = useCalling((given: Deviation) => call('note', given))
  const note = async () => {
    setTried(true)
    if (FIELDS.some((name) => reasonProblem(typed[name]))) return
    if (await run(trimmed(typed))) onClose()
  }
  return (
    <>
      {FIELDS.map((name, index) => (
        <TextField
          key={name}
          label={words[name]}
          value={typed[name]}
          onChange={(value) => setTyped({ ...typed, [name]: value })}
          error={tried ? reasonProblem(typed[name]) : undefined}
          maxLength={500}
          takesFocus={index === 0}
          onEnter={note}
        />
      ))}
      <Refused failure={failure} />
      <Buttons>
        <Button kind="filled" onPress={note} pending={pending}>
          {words.note}
        </Button>
        <Button onPress={onClose}>{words.cancel}</Button>
      </Buttons>
    </>
  )
}

const trimmed = (typed: Deviation): Deviation => ({
  expected: typed.expected.trim(),
  happened: typed.happened.trim(),
  action: typed.action.trim(),
})
