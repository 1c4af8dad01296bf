import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { KeyriteError } from '../errors.ts'

/** Bytes and their spellings. Synchronous and the same in Node, Electron and browsers. */

export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8 = (text: string): Bytes => encoder.encode(text) as Bytes

/** Decodes UTF-8; any malformed sequence is `format-invalid`. A byte order mark is kept, so that parsers refuse it. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch (cause) {
    throw new KeyriteError('format-invalid', 'The text is not valid UTF-8.', { cause })
  }
}

export function concat(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Where Node is, its own SHA-256 gives the same bytes many times as fast; browsers have no synchronous one. */
const node = globalThis.process?.getBuiltinModule?.('node:crypto')

export const sha256 = (data: Uint8Array | string): Bytes =>
  node ? new Uint8Array(node.hash('sha256', data, 'buffer')) : sha256InScript(data)

/** SHA-256 as 43 base64url characters: how every digest in Keyrite's files is written. */
export const digest = (data: Uint8Array | string): string =>
  node ? node.hash('sha256', data, 'base64url') : toBase64url(sha256InScript(data))

/** What browsers use. */
export const sha256InScript = (data: Uint8Array | string): Bytes =>
  nobleSha256(typeof data === 'string' ? utf8(data) : data) as Bytes

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** RFC 4648 section 5: the character of each six bits, and back. */
const SPELLING = utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
const NO_CHARACTER = 64
const VALUES = new Uint8Array(128).fill(NO_CHARACTER)
for (const [value, code] of SPELLING.entries()) VALUES[code] = value

export function toBase64url(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3))
  let [bits, held, at] = [0, 0, 0]
  for (const byte of bytes) {
    bits = ((bits & 0x3f) << 8) | byte
    for (held += 8; held >= 6; text[at++] = SPELLING[(bits >> held) & 0x3f] ?? 0) held -= 6
  }
  if (held > 0) text[at] = SPELLING[(bits << (6 - held)) & 0x3f] ?? 0
  return strictDecoder.decode(text)
}

/**
 * Decodes base64url (RFC 4648 section 5, no padding). Refuses anything but the canonical spelling: other alphabets,
 * padding, white space and non-zero trailing bits are `format-invalid`.
 */
export function fromBase64url(text: string): Bytes {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let [bits, held, at] = [0, 0, 0]
  for (let read = 0; read < text.length; read++) {
    const value = VALUES[text.charCodeAt(read)] ?? NO_CHARACTER
    if (value === NO_CHARACTER) throw notCanonical()
    bits = ((bits & 0x3f) << 6) | value
    held += 6
    if (held < 8) continue
    held -= 8
    bytes[at++] = bits >> held
  }
  // What is left are the bits that only one spelling leaves zero; six of them are a character too many.
  if (held === 6 || (bits & ((1 << held) - 1)) !== 0) throw notCanonical()
  return bytes
}

const notCanonical = () => new KeyriteError('format-invalid', 'A base64url value is not in its canonical spelling.')

/** Compares two byte strings without stopping at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}

/** Fills secrets with zeros after use. Shortens exposure; it is no guarantee of erasure. */
export function wipe(...secrets: (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0)
}
