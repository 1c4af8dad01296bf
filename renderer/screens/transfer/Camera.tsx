import { Button, Buttons } from '../../components/Button.tsx'
import { FailureNotice, Notice } from '../../components/Notice.tsx'
import { Progress } from '../../components/Progress.tsx'
import { text } from '../../text/index.ts'
import css from './transfer.module.css'
import { type CameraState, type Reading, useCamera } from './use-camera.ts'

type CameraProps = {
  /** Why it cannot be switched on yet. */
  waitsFor: string | undefined
  onSaved: () => void
  onOpen: (name: string) => void
}

/** Reads the QR codes of one file and writes it to the medium. */
export function Camera({ waitsFor, onSaved, onOpen }: CameraProps) {
  const { state, video, start, stop } = useCamera(onSaved)
  const words = text.transfer.camera
  const on = state.at === 'starting' || state.at === 'reading'
  return (
    <>
      <div className={css.camera} hidden={!on}>
        <video ref={video} className={css.picture} aria-label={words.picture} muted playsInline />
        <div className={css.read}>{on && <State state={state} />}</div>
      </div>
      {!on && <State state={state} />}
      <div className={css.acts}>
        <Buttons>
          {on ? (
            <Button onPress={stop}>{words.stop}</Button>
          ) : (
            <Button onPress={start} waitsFor={waitsFor} pending={state.at === 'saving'}>
              {words.start}
            </Button>
          )}
          {state.at === 'done' && (
            <Button kind="filled" onPress={() => onOpen(state.name)}>
              {text.transfer.files.open}
            </Button>
          )}
        </Buttons>
      </div>
    </>
  )
}

function State({ state }: { state: CameraState }) {
  const words = text.transfer.camera
  switch (state.at) {
    case 'off':
      return null
    case 'starting':
      return <p role="status">{words.starting}</p>
    case 'reading':
      return <ReadSoFar reading={state.reading} strange={state.strange} />
    case 'saving':
      return <ReadSoFar reading={state.reading} strange={null} />
    case 'done':
      return (
        <Notice tone="done" title={words.done(state.name)}>
          {words.doneWords}
        </Notice>
      )
    case 'no-picture':
      return (
        <Notice tone="warn" title={words[state.why]}>
          {words[`${state.why}Words`]}
        </Notice>
      )
    case 'failed':
      return <FailureNotice failure={state.failure} />
  }
}

const SHOWN = 12

function ReadSoFar({ reading, strange }: { reading: Reading | null; strange: string | null }) {
  const words = text.transfer.camera
  return (
    <>
      {!reading && <p role="status">{words.waiting}</p>}
      {reading && (
        <Progress
          label={words.reading(reading.name)}
          done={reading.seen}
          of={reading.total}
          words={reading.missing.length > 0 ? words.missing(someOf(reading.missing)) : words.saving}
        />
      )}
      {strange !== null && (
        <Notice tone="warn" title={words.strange}>
          {strange}
        </Notice>
      )}
    </>
  )
}

function someOf(missing: readonly number[]): string {
  const shown = missing.slice(0, SHOWN).join(', ')
  return missing.length > SHOWN ? text.transfer.camera.more(shown, missing.length - SHOWN) : shown
}
