import { z } from 'zod'
import { KeyriteError } from '../errors.ts'
import { fromUtf8 } from './bytes.ts'
import { idSchema, uuidSchema } from './common.ts'
import { KB, parseAs } from './json.ts'
import { p256JwkSchema, splitCompact } from './jws.ts'

/** A `.share` file: one custodian's share of one epoch on their own medium, still a JWE to them, and one line feed. */

export const SHARE_FILE_MAX = 16 * KB

export const shareFile = (jwe: string): string => `${jwe}\n`

/** The JWE of such a file, not opened yet. Code `format-invalid` for any other form. */
export function parseShareFile(bytes: Uint8Array): string {
  const text = fromUtf8(bytes)
  if (!/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){4}\n$/.test(text))
    throw new KeyriteError('format-invalid', 'This is not a file of Keyrite with one share.')
  return text.slice(0, -1)
}

const headerSchema = z.strictObject({
  alg: z.literal('ECDH-ES'),
  enc: z.literal('A256GCM'),
  typ: z.string().max(64),
  kid: idSchema,
  epk: p256JwkSchema,
  vault: uuidSchema,
  person: idSchema,
  part: z.string().regex(/^share \d{1,6}$/),
})

/** Whose share of which vault and epoch a JWE says it is; opening it proves it. Code `jose-refused`. */
export function shareHeader(jwe: string): { vaultId: string; person: string; epoch: number } {
  const { header } = splitCompact(jwe, 5, SHARE_FILE_MAX)
  const { vault, person, part } = parseAs(headerSchema, header, 'share', 'jose-refused')
  return { vaultId: vault, person, epoch: Number(part.slice('share '.length)) }
}
