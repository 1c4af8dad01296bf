import { isKeyriteError, KeyriteError, must } from '../errors.ts'
import { type Bytes, concat, fromUtf8, sha256, toHex, utf8 } from './bytes.ts'
import { KB } from './json.ts'

/**
 * A small file as numbered texts for QR codes, shown one after the other and read by a camera in any order:
 *
 *     KR1/NUMBER/TOTAL/DIGEST/LENGTH/NAME CONTENT
 *
 * DIGEST is the first half of the file's SHA-256 in hex, the same on every frame of a file; LENGTH says how many characters
 * NAME has. Name and content are Base45 (RFC 9285), so that a frame needs no more than the 45 characters which QR codes
 * write in eleven bits a pair. A frame proves nothing about who made it: the file inside is checked like any other.
 */

/** The largest file that is shown as QR codes. */
export const QR_FILE_MAX = 64 * KB
/** What version 20 with error correction M holds: large enough for few frames, coarse enough for a plain camera. */
export const QR_FRAME_MAX = 970
export const QR_VERSION_MAX = 20
/** A file name that every system takes, and that a plan can name. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/
const FRAME = /^KR1\/([1-9]\d{0,2})\/([1-9]\d{0,2})\/([0-9A-F]{32})\/([1-9]\d{0,2})\/([0-9A-Z $%*+\-./:]+)$/

/**
 * The frames of a file. Codes: `file-too-large`; `file-refused` for an empty file, or a name with anything but letters,
 * digits, dots, hyphens and underscores.
 */
export function toFrames(name: string, content: Uint8Array): string[] {
  must(FILE_NAME.test(name), 'file-refused', `“${name}” cannot be shown as QR codes under this name.`, {
    hint: 'Give the file a name of letters, digits, dots, hyphens and underscores.',
  })
  must(content.length > 0, 'file-refused', `${name} is empty: there is nothing to show.`)
  must(content.length <= QR_FILE_MAX, 'file-too-large', `${name} is larger than the 64 KB that QR codes carry.`, {
    hint: 'Carry this file on a medium.',
  })
  const named = toBase45(utf8(name))
  const digest = digestOf(content)
  const fixed = `KR1/999/999/${digest}/${named.length}/${named}`.length
  const step = Math.floor((QR_FRAME_MAX - fixed) / 3) * 2
  const total = Math.ceil(content.length / step)
  return Array.from({ length: total }, (_, index) => {
    const part = content.subarray(index * step, (index + 1) * step)
    return `KR1/${index + 1}/${total}/${digest}/${named.length}/${named}${toBase45(part)}`
  })
}

export type Frame = { number: number; total: number; digest: string; name: string; part: Bytes }

/** Reads one frame. Code `format-invalid` for anything that is none. */
export function parseFrame(text: string): Frame {
  const found = text.length <= QR_FRAME_MAX ? FRAME.exec(text) : null
  must(found, 'format-invalid', 'This QR code is no part of a file from Keyrite.', OTHER)
  const [, number = '', total = '', digest = '', length = '', rest = ''] = found
  const frame = { number: Number(number), total: Number(total), digest }
  must(
    frame.number <= frame.total,
    'format-invalid',
    'This QR code counts itself beyond the last one of its file.',
    OTHER,
  )
  const name = fromUtf8(fromBase45(rest.slice(0, Number(length))))
  must(FILE_NAME.test(name), 'format-invalid', 'This QR code belongs to a file with a name that is not allowed.', OTHER)
  return { ...frame, name, part: fromBase45(rest.slice(Number(length))) }
}

const OTHER = { hint: 'Show the QR codes of one file from Keyrite.' }

/** Puts frames together as a camera reads them: in any order, each as often as it comes. */
export class FrameReader {
  readonly #parts = new Map<number, Frame>()
  #first: Frame | null = null

  /** The name of the file being read, the number of its frames, and which of them are still to come. */
  get progress(): { name: string; total: number; seen: number; missing: number[] } | null {
    if (!this.#first) return null
    const { name, total } = this.#first
    const missing = Array.from({ length: total }, (_, index) => index + 1).filter((number) => !this.#parts.has(number))
    return { name, total, seen: this.#parts.size, missing }
  }

  /**
   * Takes one text that was read. True where it brought something new. Code `format-invalid` for what is no frame, for a
   * frame of another file (named), and for another content under a number that was read before; what was taken stays.
   */
  take(text: string): boolean {
    const frame = parseFrame(text)
    const first = this.#first ?? frame
    const same = frame.digest === first.digest && frame.total === first.total && frame.name === first.name
    must(same, 'format-invalid', `This QR code belongs to another file: ${frame.name}, not ${first.name}.`, {
      hint: 'Show the QR codes of one file at a time, or start reading anew.',
    })
    const before = this.#parts.get(frame.number)
    const agrees = !before || toHex(before.part) === toHex(frame.part)
    must(agrees, 'format-invalid', `QR code ${frame.number} of ${first.name} was read with another content before.`, {
      hint: 'Start reading anew.',
    })
    this.#first = first
    this.#parts.set(frame.number, frame)
    return !before
  }

  /** As `take`, for whoever goes on reading: whether it was new, and why it was refused where it was. */
  offer(text: string): { fresh: boolean; refused: string | null } {
    try {
      return { fresh: this.take(text), refused: null }
    } catch (error) {
      if (!isKeyriteError(error)) throw error
      return { fresh: false, refused: error.message }
    }
  }

  /** The whole file. Code `format-invalid` while frames are missing, and where the content is not the one announced. */
  finish(): { name: string; content: Bytes } {
    const { progress } = this
    const first = this.#first
    must(progress && first, 'format-invalid', 'No QR code was read yet.')
    const [next] = progress.missing
    must(
      next === undefined,
      'format-invalid',
      `${first.name} is not whole: QR code ${next} of ${first.total} was not read yet.`,
    )
    const parts = [...this.#parts.values()].toSorted((one, other) => one.number - other.number)
    const content = concat(...parts.map(({ part }) => part))
    const whole = content.length <= QR_FILE_MAX && digestOf(content) === first.digest
    must(whole, 'format-invalid', `What was read of ${first.name} is not what its QR codes announce.`, {
      hint: 'Start reading anew.',
    })
    return { name: first.name, content }
  }
}

/** The file that these frames are, whatever their order. Codes of `FrameReader`. */
export function fromFrames(frames: readonly string[]): { name: string; content: Bytes } {
  const reader = new FrameReader()
  for (const frame of frames) reader.take(frame)
  return reader.finish()
}

const digestOf = (content: Uint8Array): string => toHex(sha256(content)).slice(0, 32).toUpperCase()

/** RFC 9285 section 4: two bytes are three characters, least significant first; a last single byte is two. */
const BASE45 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'

export function toBase45(bytes: Uint8Array): string {
  let text = ''
  const put = (value: number, count: number) => {
    for (let rest = value, at = 0; at < count; at++, rest = Math.floor(rest / 45)) text += BASE45[rest % 45]
  }
  for (let at = 0; at + 1 < bytes.length; at += 2) put((bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0), 3)
  if (bytes.length % 2 === 1) put(bytes.at(-1) ?? 0, 2)
  return text
}

/** Decodes Base45. Code `format-invalid` for other characters, a length that nothing encodes to, and values too large. */
export function fromBase45(text: string): Bytes {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at += 3) {
    const group = text.slice(at, at + 3)
    const values = [...group].map((character) => BASE45.indexOf(character))
    const value = values.reduceRight((sum, each) => sum * 45 + each, 0)
    const size = group.length - 1
    const allowed = size > 0 && !values.includes(-1) && value < 256 ** size
    if (!allowed) throw new KeyriteError('format-invalid', 'A QR code is damaged: its content is not Base45.')
    if (size === 2) bytes.push(value >> 8)
    bytes.push(value & 0xff)
  }
  return Uint8Array.from(bytes)
}
