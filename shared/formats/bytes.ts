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

export const sha256 = (data: Uint8Array | string): Bytes =>
  nobleSha256(typeof data === 'string' ? utf8(data) : data) as Bytes

/** SHA-256 as 43 base64url characters: how every digest in Keyrite's files is written. */
export const digest = (data: Uint8Array | string): string => toBase64url(sha256(data))

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export function toBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * Decodes base64url (RFC 4648 section 5, no padding). Refuses anything but the canonical spelling: other alphabets,
 * padding, white space and non-zero trailing bits are `format-invalid`.
 */
export function fromBase64url(text: string): Bytes {
  const refuse = () => new KeyriteError('format-invalid', 'A base64url value is not in its canonical spelling.')
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw refuse()
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at)
  if (toBase64url(bytes) !== text) throw refuse()
  return bytes
}

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
