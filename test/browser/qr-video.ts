import { closeSync, openSync, writeSync } from 'node:fs'
import encodeQR from 'qr'

/** A film of QR codes, as a camera would see them on another screen: Chromium plays it in place of a camera. */

const WIDTH = 640
const HEIGHT = 480
const PER_SECOND = 10
/** Grey, as a screen in a lit room is never quite black or white. */
const PAPER = 225
const INK = 30
const DESK = 120

/** Writes a YUV4MPEG2 film that shows each text for `pictures` pictures, one after another; Chromium begins it anew at its end. */
export function filmOf(texts: readonly string[], path: string, pictures = 4): void {
  const file = openSync(path, 'w')
  try {
    writeSync(file, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F${PER_SECOND}:1 Ip A1:1 C420jpeg\n`)
    for (const text of texts) {
      const picture = pictureOf(text)
      for (let shown = 0; shown < pictures; shown++) {
        writeSync(file, 'FRAME\n')
        writeSync(file, picture)
      }
    }
  } finally {
    closeSync(file)
  }
}

/** Luminance, then colours at half the size: none. */
function pictureOf(text: string): Uint8Array {
  const picture = new Uint8Array(WIDTH * HEIGHT * 1.5).fill(128).fill(DESK, 0, WIDTH * HEIGHT)
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: 4 })
  const scale = Math.floor(HEIGHT / modules.length)
  const side = modules.length * scale
  const [left, top] = [Math.floor((WIDTH - side) / 2), Math.floor((HEIGHT - side) / 2)]
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const dark = modules[Math.floor(y / scale)]?.[Math.floor(x / scale)]
      picture[(top + y) * WIDTH + left + x] = dark ? INK : PAPER
    }
  return picture
}
