import { decodeQR } from 'qr/decode.js'

/** The camera of this machine: pictures in, texts of QR codes out. */

/** Why there is no picture, by what browsers call it. */
export type NoPicture = 'denied' | 'absent' | 'busy'

/** Between two looks at the picture, so that the page stays quick. */
const EVERY_MS = 60
/** What a frame of version 20 needs to be read from an arm's length. */
const WANTED = { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } }

/**
 * Shows the camera in `video` and gives every text that it reads, many times over, until `signal` says stop. Rejects with
 * what the browser says where there is no picture.
 */
export async function watchCamera(
  video: HTMLVideoElement,
  signal: AbortSignal,
  hear: (text: string) => void,
): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: WANTED })
  const end = () => {
    for (const track of stream.getTracks()) track.stop()
  }
  if (signal.aborted) return end()
  signal.addEventListener('abort', end)
  video.srcObject = stream
  await video.play()
  const read = pictureReader()
  const turn = (): void => {
    if (signal.aborted) return
    const text = read(video)
    if (text !== null) hear(text)
    setTimeout(turn, EVERY_MS)
  }
  turn()
}

export function whyOf(error: unknown): NoPicture {
  const { name } = error as DOMException
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'absent' : 'busy'
}

/** Reads the QR code in what a camera shows now; null while there is none. */
function pictureReader(): (video: HTMLVideoElement) => string | null {
  const canvas = document.createElement('canvas')
  const pen = canvas.getContext('2d', { willReadFrequently: true })
  return (video) => {
    const { videoWidth: width, videoHeight: height } = video
    if (!pen || width === 0 || height === 0) return null
    canvas.width = width
    canvas.height = height
    pen.drawImage(video, 0, 0)
    try {
      return decodeQR({ width, height, data: pen.getImageData(0, 0, width, height).data })
    } catch {
      // Nothing to read in this picture; the next one comes in a moment.
      return null
    }
  }
}
