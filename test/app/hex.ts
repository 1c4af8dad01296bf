import { toBase64url } from '../../shared/formats/bytes.ts'
import { words } from '../../shared/formats/fingerprint.ts'

/** The 24 words of a digest that is shown as hex groups: what the other side reads aloud. */
export const fromHexGroups = (groups: readonly string[]): string[] =>
  words(toBase64url(Uint8Array.from(groups.join('').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))))
