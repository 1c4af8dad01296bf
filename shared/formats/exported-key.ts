import { z } from 'zod'
import { EXPORT_FORMATS, type ExportFormat } from '../domain/events.ts'
import { lintKey } from '../domain/lint.ts'
import { must } from '../errors.ts'
import { type Bytes, fromBase64url, fromUtf8 } from './bytes.ts'
import { digestSchema, uuidSchema } from './common.ts'
import { thumbprint } from './fingerprint.ts'
import { KB, MB, parseAs, parseJson } from './json.ts'
import { openSealed, sealTo } from './jwe.ts'
import { type P256Jwk, p256JwkSchema, splitCompact, statementTyp } from './jws.ts'

/** Private keys for an issuer that is no runtime: one compact JWE to the P-256 key of whoever will open it. */

export const EXPORT_MAX = MB
export const RECIPIENT_MAX = 16 * KB

/** Which export of which vault; stands in the authenticated header. */
export type ExportName = { vaultId: string; number: number; format: ExportFormat; practice: boolean }

const typOf = (practice: boolean): string => statementTyp('export', practice)
const bindingOf = ({ vaultId, number, format }: Omit<ExportName, 'practice'>) => ({
  vault: vaultId,
  export: String(number),
  format,
})

/** Encrypts the content of an export (ECDH-ES, A256GCM). */
export const sealExport = (content: Uint8Array, recipient: P256Jwk, name: ExportName): Promise<string> =>
  sealTo({ kid: thumbprint(recipient), jwk: recipient }, typOf(name.practice), content, bindingOf(name))

const headerSchema = z.looseObject({
  typ: z.enum([typOf(false), typOf(true)]),
  kid: digestSchema,
  vault: uuidSchema,
  export: z.string().regex(/^[1-9]\d{0,8}$/),
  format: z.enum(EXPORT_FORMATS),
})

/** True for what begins like an export: more than its beginning need not be there. */
export function looksLikeExport(start: string): boolean {
  try {
    const header = parseJson(fromBase64url(start.slice(0, start.indexOf('.'))), { maxBytes: 8 * KB, maxDepth: 4 })
    return headerSchema.safeParse(header).success
  } catch {
    return false
  }
}

/** What an export says of itself, before anybody opens it. Codes `jose-refused`, `file-too-large`. */
export function readExportHeader(jwe: string): ExportName & { recipient: string } {
  const { header } = splitCompact(jwe, 5, EXPORT_MAX)
  const { typ, kid, vault, export: number, format } = parseAs(headerSchema, header, 'exported key', 'jose-refused')
  return { recipient: kid, vaultId: vault, number: Number(number), format, practice: typ === typOf(true) }
}

/** Opens an export as its recipient. Codes `decryption-failed`, `jose-refused`. */
export async function openExport(jwe: string, recipient: string, key: CryptoKey): Promise<Bytes> {
  const name = readExportHeader(jwe)
  const binding = bindingOf(name)
  return openSealed(jwe, { typ: typOf(name.practice), kid: recipient, key, binding, maxBytes: EXPORT_MAX })
}

const recipientSchema = z.looseObject({
  ...p256JwkSchema.shape,
  use: z.literal('enc').optional(),
  d: z.undefined({ error: 'it holds a private key: ask for the public half only' }).optional(),
})
const recipientsSchema = z.union([
  recipientSchema,
  z.looseObject({ keys: z.tuple([recipientSchema]) }).transform(({ keys: [only] }) => only),
])

/**
 * The recipient's public key: a P-256 JWK, or a JWK Set with that one key. Codes `format-invalid` for anything else, a
 * private key too; `key-refused` for a point that is not on the curve.
 */
export function parseRecipient(bytes: Uint8Array): { jwk: P256Jwk; fingerprint: string } {
  const parsed = parseJson(fromUtf8(bytes), { maxBytes: RECIPIENT_MAX, maxDepth: 4 })
  const { kty, crv, x, y } = parseAs(recipientsSchema, parsed, 'public P-256 key of a recipient')
  const jwk: P256Jwk = { kty, crv, x, y }
  const [finding] = lintKey('ES256', jwk)
  must(!finding, 'key-refused', `The recipient's key is refused: ${finding?.message}`)
  return { jwk, fingerprint: thumbprint(jwk) }
}
