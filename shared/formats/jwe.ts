import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'
import { z } from 'zod'
import { KeyriteError, must } from '../errors.ts'
import { type Bytes, utf8 } from './bytes.ts'
import { KB, parseAs } from './json.ts'
import { type P256Jwk, p256JwkSchema, splitCompact } from './jws.ts'

/** Secrets addressed to one P-256 key: compact JWE, ECDH-ES (direct) with A256GCM, and nothing else (RFC 7516, RFC 7518 4.6). */

/** What the protected header binds beside the algorithms: exact strings that the reader must expect. */
export type Binding = Record<string, string>

const SEALED_MAX = 16 * KB

/** Encrypts `secret` to `recipient`; the binding stands in the protected header and is authenticated. */
export async function sealTo(
  recipient: { kid: string; jwk: P256Jwk },
  typ: string,
  secret: Uint8Array,
  binding: Binding,
): Promise<string> {
  return new CompactEncrypt(secret)
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ, kid: recipient.kid, ...binding })
    .encrypt(await importJWK({ ...recipient.jwk }, 'ECDH-ES'))
}

/**
 * Decrypts a JWE made by `sealTo`. The header must have exactly the members alg, enc, typ, kid, epk and those of
 * `binding`, each with the expected value: a JWE for another tenant, key, runtime or handoff is `decryption-failed`;
 * anything jose would accept beyond that (`zip`, other algorithms, `crit`) is `jose-refused`.
 */
export async function openSealed(
  jwe: string,
  {
    typ,
    kid,
    key,
    binding,
    maxBytes = SEALED_MAX,
  }: { typ: string; kid: string; key: CryptoKey; binding: Binding; maxBytes?: number },
): Promise<Bytes> {
  const { header: raw } = splitCompact(jwe, 5, maxBytes)
  const bound = Object.fromEntries(Object.keys(binding).map((name) => [name, z.string().max(256)]))
  const schema = z.strictObject({
    alg: z.literal('ECDH-ES'),
    enc: z.literal('A256GCM'),
    typ: z.string(),
    kid: z.string(),
    epk: p256JwkSchema,
    ...bound,
  })
  const header: Record<string, unknown> = parseAs(schema, raw, 'sealed part', 'jose-refused')
  must(header.typ === typ, 'jose-refused', 'A sealed part is of another type.')
  must(header.kid === kid, 'decryption-failed', 'A sealed part is addressed to another key.')
  for (const [name, value] of Object.entries(binding))
    must(header[name] === value, 'decryption-failed', `A sealed part is bound to another ${name}.`)
  try {
    const opened = await compactDecrypt(utf8(jwe), key, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return opened.plaintext as Bytes
  } catch (cause) {
    throw new KeyriteError('decryption-failed', 'A sealed part does not open with this key.', { cause })
  }
}
