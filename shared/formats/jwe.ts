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

/**
 * Decrypts the five parts of a compact JWE whose header was accepted, with its ephemeral key; throws where it does not
 * open. Whoever opens thousands gives one in place of a key.
 */
export type Unseal = (parts: readonly string[], epk: P256Jwk) => Uint8Array

/** The exact header for each set of bound members; there are as many as kinds of sealed parts. */
const schemas = new Map<string, z.ZodType<SealedHeader>>()
type SealedHeader = { typ: string; kid: string; epk: P256Jwk } & Record<string, unknown>

function headerSchema(binding: Binding): z.ZodType<SealedHeader> {
  const names = Object.keys(binding)
  const known = schemas.get(names.join())
  if (known) return known
  const made = z.strictObject({
    alg: z.literal('ECDH-ES'),
    enc: z.literal('A256GCM'),
    typ: z.string(),
    kid: z.string(),
    epk: p256JwkSchema,
    ...Object.fromEntries(names.map((name) => [name, z.string().max(256)])),
  })
  schemas.set(names.join(), made)
  return made
}

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
  }: { typ: string; kid: string; key: CryptoKey | Unseal; binding: Binding; maxBytes?: number },
): Promise<Bytes> {
  const { header: raw, parts } = splitCompact(jwe, 5, maxBytes)
  const header = parseAs(headerSchema(binding), raw, 'sealed part', 'jose-refused')
  must(header.typ === typ, 'jose-refused', 'A sealed part is of another type.')
  must(header.kid === kid, 'decryption-failed', 'A sealed part is addressed to another key.')
  for (const [name, value] of Object.entries(binding))
    must(header[name] === value, 'decryption-failed', `A sealed part is bound to another ${name}.`)
  try {
    if (typeof key === 'function') return key(parts, header.epk) as Bytes
    const opened = await compactDecrypt(utf8(jwe), key, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return opened.plaintext as Bytes
  } catch (cause) {
    throw new KeyriteError('decryption-failed', 'A sealed part does not open with this key.', { cause })
  }
}
