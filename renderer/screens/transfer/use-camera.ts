import { useCallback, useEffect, useRef, useState } from 'react'
import { FrameReader } from '../../../shared/formats/qr-frames.ts'
import { Failure } from '../../client.ts'
import { useKeyrite } from '../../state.tsx'
import { type NoPicture, watchCamera, whyOf } from './camera.ts'

export type Reading = NonNullable<FrameReader['progress']>

export type CameraState =
  | { at: 'off' }
  | { at: 'starting' }
  /** `strange`: why the code seen last was not taken. */
  | { at: 'reading'; reading: Reading | null; strange: string | null }
  | { at: 'saving'; reading: Reading }
  | { at: 'done'; name: string }
  | { at: 'no-picture'; why: NoPicture }
  | { at: 'failed'; failure: Failure }

/** The camera, from the moment somebody switches it on until the file is whole, or it is switched off. */
export function useCamera(onSaved: () => void) {
  const { call } = useKeyrite()
  const [state, setState] = useState<CameraState>({ at: 'off' })
  const video = useRef<HTMLVideoElement>(null)
  const running = useRef<AbortController | null>(null)

  const release = useCallback(() => {
    if (!running.current) return
    running.current.abort()
    running.current = null
    // The engine that is gone needs not be told.
    call('camera', { on: false }).catch(() => {})
  }, [call])
  useEffect(() => release, [release])

  const save = async (frames: string[]) => {
    try {
      const { name } = await call('takeQr', { frames })
      setState({ at: 'done', name })
      onSaved()
    } catch (error) {
      setState(failedWith(error))
    }
  }

  const start = async () => {
    const control = new AbortController()
    running.current = control
    setState({ at: 'starting' })
    const hear = collect((reading, strange, whole) => {
      if (whole) release()
      setState(whole && reading ? { at: 'saving', reading } : { at: 'reading', reading, strange })
      if (whole) save(whole)
    })
    try {
      await call('camera', { on: true })
      if (video.current) await watchCamera(video.current, control.signal, hear)
      if (!control.signal.aborted)
        setState((now) => (now.at === 'starting' ? { at: 'reading', reading: null, strange: null } : now))
    } catch (error) {
      if (control.signal.aborted) return
      release()
      setState(failedWith(error))
    }
  }

  const stop = () => {
    release()
    setState({ at: 'off' })
  }
  return { state, video, start, stop }
}

const failedWith = (error: unknown): CameraState =>
  error instanceof Failure ? { at: 'failed', failure: error } : { at: 'no-picture', why: whyOf(error) }

/** Puts texts together; `whole` has every frame once none is missing any more. */
function collect(tell: (reading: Reading | null, strange: string | null, whole: string[] | null) => void) {
  const reader = new FrameReader()
  const frames: string[] = []
  return (text: string): void => {
    const { fresh, refused } = reader.offer(text)
    if (fresh) frames.push(text)
    const reading = reader.progress
    tell(reading, refused, reading?.missing.length === 0 ? frames : null)
  }
}
