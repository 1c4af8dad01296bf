import { useState } from 'react'
import type { Review } from '../../../shared/contract/plan.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog } from '../../components/Dialog.tsx'
import { TextField } from '../../components/Field.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { Status } from '../../components/Status.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { useAct } from './use-plan.ts'

/** Keeps the plan beside the vaults, under a name of its own. */
export function SavePlan({ found }: { found: Review }) {
  const { call } = useKeyrite()
  const { review } = text.plan
  const [open, setOpen] = useState(false)
  const [name, setName] = useState(found.kind ?? 'plan')
  const [saved, setSaved] = useState<string | null>(null)
  const { act, pending, failure, forget } = useAct()
  const close = () => {
    setOpen(false)
    forget()
  }
  const save = () =>
    act('save', async () => {
      setSaved((await call('savePlan', { name: name.trim(), text: found.text })).name)
      setOpen(false)
    })
  return (
    <>
      <Button wide onPress={() => setOpen(true)}>
        {review.save}
      </Button>
      <span role="status">{saved !== null && <Status kind="done">{review.savedAs(saved)}</Status>}</span>
      <Dialog
        title={review.saveTitle}
        open={open}
        onClose={close}
        actions={
          <>
            <Button kind="filled" onPress={save} pending={pending === 'save'}>
              {review.save}
            </Button>
            <Button onPress={close}>{review.cancel}</Button>
          </>
        }
      >
        {failure && <FailureNotice failure={failure} />}
        <TextField
          label={review.saveLabel}
          hint={review.saveHint}
          value={name}
          onChange={setName}
          maxLength={121}
          mono
          takesFocus
          onEnter={save}
        />
      </Dialog>
    </>
  )
}
