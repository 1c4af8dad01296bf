import { toBase64url } from '../../../shared/formats/bytes.ts'

/** The digest whose hex groups these are, as 43 base64url characters. */
export const digestOf = (hex: readonly string[]): string =>
  toBase64url(Uint8Array.from(hex.join('').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
