import { Button } from '../../../components/Button.tsx'
import { Dialog } from '../../../components/Dialog.tsx'
import { useKeyrite } from '../../../state.tsx'
import { text } from '../../../text/index.ts'
import { Refused } from '../act.tsx'
import { useCalling } from '../calling.ts'

const words = text.sitting.pause
type Props = { begun: boolean; open: boolean; onClose: () => void }

/** Stops where it stands; what is kept is said before anything is. */
export function PauseDialog({ begun, open, onClose }: Props) {
  const { call } = useKeyrite()
  const { run, pending, failure } = useCalling(() => call('pause', { why: 'asked' }))
  const pause = async () => {
    if (await run('')) onClose()
  }
  const actions = (
    <>
      <Button kind="filled" onPress={pause} pending={pending}>
        {words.yes}
      </Button>
      <Button onPress={onClose}>{words.no}</Button>
    </>
  )
  return (
    <Dialog title={words.title} open={open} onClose={onClose} actions={actions}>
      <p>{words.text}</p>
      {!begun && <p>{words.before}</p>}
      <Refused failure={failure} />
    </Dialog>
  )
}
