import { join } from 'node:path'
import type { Gives } from '../../../shared/contract/contract.ts'
import { fromFrames, QR_FILE_MAX, toFrames } from '../../../shared/formats/qr-frames.ts'
import { readFileGuarded } from '../../files/read.ts'
import { writeNewFile } from '../../files/write.ts'
import { type AppContext, carrying } from '../context.ts'
import { onMedium } from './medium-files.ts'

/** Small files as QR codes: out to a camera elsewhere, in from a screen elsewhere. */

/** A file of the medium as texts for QR codes. Codes of `readFileGuarded` and `toFrames`. */
export function framesOf(app: AppContext, name: string): Gives<'qrFrames'> {
  return { frames: toFrames(name, readFileGuarded(onMedium(app, name), QR_FILE_MAX)) }
}

/** Writes the file that these texts are to the medium. Codes of `fromFrames` and `writeNewFile`. */
export function takeFrames(app: AppContext, frames: readonly string[]): Gives<'takeQr'> {
  const folder = carrying(app)
  const { name, content } = fromFrames(frames)
  writeNewFile(join(folder, name), content)
  return { name }
}
