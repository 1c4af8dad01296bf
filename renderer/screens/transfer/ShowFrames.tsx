import { useEffect, useState } from 'react'
import type { Failure } from '../../client.ts'
import { Button, Buttons } from '../../components/Button.tsx'
import { FailureNotice } from '../../components/Notice.tsx'
import { Page } from '../../components/Page.tsx'
import { QrCode } from '../../components/QrCode.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import css from './transfer.module.css'

/** A camera needs so long for each. */
const EVERY_MS = 1_500
const SIDE = 480

/** One file as QR codes that follow one another, for a camera elsewhere. */
export function ShowFrames({ name, onBack }: { name: string; onBack: () => void }) {
  const { frames, failure } = useFrames(name)
  const { at, running, setRunning, step } = useTurning(frames.length)
  const words = text.transfer.show
  const frame = frames[at]
  return (
    <Page title={words.title} lead={<span className={css.fileName}>{name}</span>} ruled>
      {failure && (
        <div className={css.failed}>
          <FailureNotice failure={failure} />
        </div>
      )}
      <div className={css.show}>
        {frame && (
          <div className={css.frame}>
            <QrCode content={frame} label={words.label(name, at + 1, frames.length)} size={SIDE} />
          </div>
        )}
        <div className={css.turning}>
          {frame && <p className={css.count}>{words.frame(at + 1, frames.length)}</p>}
          {frames.length > 1 && <p className={css.quiet}>{words.order}</p>}
          <Buttons>
            {frames.length > 1 && (
              <>
                <Button onPress={() => step(-1)}>{words.back}</Button>
                <Button onPress={() => setRunning(!running)}>{running ? words.pause : words.run}</Button>
                <Button onPress={() => step(1)}>{words.next}</Button>
              </>
            )}
            <Button kind="quiet" onPress={onBack}>
              {words.stop}
            </Button>
          </Buttons>
        </div>
      </div>
    </Page>
  )
}

function useFrames(name: string) {
  const { call } = useKeyrite()
  const [frames, setFrames] = useState<readonly string[]>([])
  const [failure, setFailure] = useState<Failure | null>(null)
  useEffect(() => {
    let gone = false
    call('qrFrames', { name }).then(
      (told) => !gone && setFrames(told.frames),
      (error: Failure) => !gone && setFailure(error),
    )
    return () => {
      gone = true
    }
  }, [call, name])
  return { frames, failure }
}

/** Turns by itself unless the system asks for less motion; turning by hand stops it. */
function useTurning(total: number) {
  const [at, setAt] = useState(0)
  const [running, setRunning] = useState(() => !matchMedia('(prefers-reduced-motion: reduce)').matches)
  useEffect(() => {
    if (!running || total < 2) return
    const timer = setInterval(() => setAt((now) => (now + 1) % total), EVERY_MS)
    return () => clearInterval(timer)
  }, [running, total])
  const step = (by: number) => {
    setRunning(false)
    setAt((now) => (now + by + total) % total)
  }
  return { at, running, setRunning, step }
}
