import { useState } from 'react'
import type { Overview } from '../../../shared/contract/home.ts'
import { Button } from '../../components/Button.tsx'
import { Dialog } from '../../components/Dialog.tsx'
import { TextField } from '../../components/Field.tsx'
import { dayAndClock } from '../../components/format.ts'
import { Notice } from '../../components/Notice.tsx'
import { readyFor, useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'

type Open = NonNullable<Overview['openCeremony']>

/** A ceremony that was begun and not finished: where it stands, going on with it, or closing it. */
export function Resume({ folder, ceremony }: { folder: string; ceremony: Open }) {
  const { go } = useKeyrite()
  const [closing, setClosing] = useState(false)
  const words = text.home.resume
  return (
    <Notice
      tone="warn"
      title={words.title(ceremony.ceremony, text.app.kinds[ceremony.kind])}
      actions={
        <>
          <Button kind="filled" onPress={() => go(readyFor({ doing: 'resume', folder }))}>
            {words.go}
          </Button>
          {!ceremony.mustFinish && <Button onPress={() => setClosing(true)}>{words.close}</Button>}
        </>
      }
    >
      <p>{words.stands(ceremony.done, ceremony.of, ceremony.next)}</p>
      <p>{ceremony.mustFinish ? words.mustFinish : words.since(dayAndClock(ceremony.startedAt))}</p>
      {closing && <Closing folder={folder} ceremony={ceremony.ceremony} onLeave={() => setClosing(false)} />}
    </Notice>
  )
}

type ClosingProps = { folder: string; ceremony: string; onLeave: () => void }

function Closing({ folder, ceremony, onLeave }: ClosingProps) {
  const { go } = useKeyrite()
  const [reason, setReason] = useState('')
  const [tooShort, setTooShort] = useState(false)
  const words = text.home.closing
  const close = () => {
    const why = reason.trim()
    setTooShort(why.length < 3)
    if (why.length >= 3) go(readyFor({ doing: 'close', folder, reason: why }))
  }
  return (
    <Dialog
      open
      title={words.title(ceremony)}
      onClose={onLeave}
      actions={
        <>
          <Button kind="danger" onPress={close}>
            {words.go}
          </Button>
          <Button onPress={onLeave}>{words.cancel}</Button>
        </>
      }
    >
      <p>{words.body}</p>
      <TextField
        label={words.reason}
        hint={words.hint}
        value={reason}
        onChange={(words) => {
          setTooShort(false)
          setReason(words)
        }}
        maxLength={500}
        lines={3}
        error={tooShort ? words.tooShort : undefined}
        takesFocus
      />
    </Dialog>
  )
}
