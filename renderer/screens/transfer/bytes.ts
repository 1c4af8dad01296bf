import { toBase64url } from '../../../shared/formats/bytes.ts'
import { text } from '../../text/index.ts'

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const
const STEP = 1024

/** "640 bytes", "14 KB", "1.4 MB", "29 GB": one decimal where it says something. */
export function spellBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < STEP ? 0 : Math.floor(Math.log(bytes) / Math.log(STEP)))
  const value = bytes / STEP ** power
  const digits = power > 0 && value < 10 ? 1 : 0
  return `${value.toLocaleString(text.language.locale, { maximumFractionDigits: digits })} ${UNITS[power]}`
}

/** The digest that sixteen groups of four hex digits spell, as the fingerprint block takes it. */
export const digestOf = (groups: readonly string[]): string =>
  toBase64url(Uint8Array.from(groups.join('').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))
