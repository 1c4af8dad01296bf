import { KeyriteError } from '../errors.ts'
import { type Bytes, concat } from './bytes.ts'

/** As much DER (X.690 section 10) as a certificate of ours needs: one-byte tags, definite lengths in their shortest form. */

/** `raw` is the whole value with its tag and length. */
export type DerValue = { tag: number; content: Bytes; raw: Bytes }

const unreadable = () => new KeyriteError('format-invalid', 'This is not DER.')

/** The values that stand one after the other. Code `format-invalid` for anything that is not DER, or left over. */
export function readDer(bytes: Bytes): DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const { start, end } = lengthAt(bytes, at)
    values.push({ tag: bytes[at] ?? 0, content: bytes.subarray(start, end), raw: bytes.subarray(at, end) })
    at = end
  }
  return values
}

/** Exactly one value with this tag. */
export function readOne(bytes: Bytes, tag: number): DerValue {
  const [only, ...more] = readDer(bytes)
  if (only?.tag !== tag || more.length > 0) throw unreadable()
  return only
}

/** The members of a constructed value, exactly these tags in this order. */
export function membersOf<const T extends readonly number[]>(value: DerValue, tags: T): { [K in keyof T]: DerValue } {
  const members = readDer(value.content)
  if (members.length !== tags.length || members.some(({ tag }, at) => tag !== tags[at])) throw unreadable()
  return members as { [K in keyof T]: DerValue }
}

function lengthAt(bytes: Bytes, at: number): { start: number; end: number } {
  const tag = bytes[at] ?? 0
  const first = bytes[at + 1] ?? 0x80
  const more = first < 0x80 ? 0 : first & 0x7f
  // 0x80 is the indefinite form; no certificate of ours needs three bytes of length.
  if ((tag & 0x1f) === 0x1f || first === 0x80 || more > 2) throw unreadable()
  let length = more === 0 ? first : 0
  for (const byte of bytes.subarray(at + 2, at + 2 + more)) length = length * 256 + byte
  const start = at + 2 + more
  const shortest = more === 0 || length >= (more === 1 ? 0x80 : 0x100)
  if (!shortest || start + length > bytes.length) throw unreadable()
  return { start, end: start + length }
}

/** One value. */
export function writeDer(tag: number, ...parts: Uint8Array[]): Bytes {
  const content = concat(...parts)
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concat(Uint8Array.of(tag, ...head), content)
}

/** Bytes written as hex digits. */
export const fromHex = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
