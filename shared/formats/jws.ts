import { CompactSign, compactVerify, importJWK } from 'jose'
import { z } from 'zod'
import { KeyriteError, must } from '../errors.ts'
import { fromBase64url, utf8 } from './bytes.ts'
import { canonicalBytes, canonicalText, KB, MB, parseAs, parseJson } from './json.ts'

/**
 * Signed statements: compact JWS (RFC 7515 section 7.1) and nothing else. Each type has one exact set of protected
 * members; jose verifies only after this parser has accepted the header.
 */

export const STATEMENTS = [
  'trust-anchor',
  'succession',
  'enrollment',
  'enrollment-acceptance',
  'bundle',
  'revocation',
  'material',
  'envelope',
  'receipt',
  'roster',
  'roster-agreement',
  'checkpoint',
  'approval',
  'sign-off',
  'certificate',
  'inventory',
  'evidence',
] as const
export type StatementType = (typeof STATEMENTS)[number]

/** `keyrite-bundle`, or `keyrite-practice-bundle`: a practice statement can never be taken for a production one. */
export const statementTyp = (type: StatementType | 'key' | 'export', practice: boolean): string =>
  `keyrite-${practice ? 'practice-' : ''}${type}`

/** The slot format of OpenID Federation (section 5.2.1.1, signed_jwks_uri); keeps its standard `typ` in practice too. */
export const JWK_SET_TYP = 'jwk-set+jwt'

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
export const p256JwkSchema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: coordinate,
  y: coordinate,
})
export const ed25519JwkSchema = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate })
export type P256Jwk = z.infer<typeof p256JwkSchema>
export type Ed25519Jwk = z.infer<typeof ed25519JwkSchema>

/** A private key that signs Keyrite's own statements: the root (ES256), people and runtimes (Ed25519). */
export type StatementSigner = { kid: string; alg: 'ES256' | 'Ed25519'; key: CryptoKey }
/** The public key that must have signed. The algorithm follows from the key, never from the statement. */
export type StatementKey = { kid: string; jwk: P256Jwk | Ed25519Jwk }

/** The protected header of a statement of this key, as canonical text. */
export const headerText = (typ: string, { kid, jwk }: StatementKey): string =>
  canonicalText({ alg: algOf(jwk), kid, typ })

const algOf = (jwk: P256Jwk | Ed25519Jwk): 'ES256' | 'Ed25519' => (jwk.kty === 'EC' ? 'ES256' : 'Ed25519')

/** Signs canonical JSON `claims` as compact JWS with the protected header {alg, kid, typ}. */
export async function signStatement(typ: string, claims: unknown, signer: StatementSigner): Promise<string> {
  return new CompactSign(canonicalBytes(claims))
    .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ })
    .sign(signer.key)
}

const headerSchema = z.strictObject({ alg: z.string().max(16), kid: z.string().max(128), typ: z.string().max(64) })
export type StatementHeader = z.infer<typeof headerSchema>

const imported = new Map<string, Promise<CryptoKey>>()
function verificationKey(jwk: P256Jwk | Ed25519Jwk): Promise<CryptoKey> {
  const id = `${jwk.crv}.${jwk.x}.${jwk.kty === 'EC' ? jwk.y : ''}`
  const known = imported.get(id)
  if (known) return known
  const key = importJWK({ ...jwk }, algOf(jwk)) as Promise<CryptoKey>
  key.catch(() => imported.delete(id))
  if (imported.size >= 256) imported.clear()
  imported.set(id, key)
  return key
}

/** Splits compact JWS and checks its protected header strictly, without verifying. Throws `jose-refused`. */
export function readStatementHeader(jws: string, maxBytes = MB): StatementHeader {
  return parseAs(headerSchema, splitCompact(jws, 3, maxBytes).header, 'signed statement', 'jose-refused')
}

/** The payload of a statement whose signature is NOT checked: only to find out which key it claims. */
export function peekStatement<S extends z.ZodType>(jws: string, schema: S, what: string, maxBytes = MB): z.output<S> {
  const payload = splitCompact(jws, 3, maxBytes).parts[1] ?? ''
  return parseAs(schema, parseJson(fromBase64url(payload), { maxBytes }), what)
}

/** Splits compact JOSE into exactly `count` canonical base64url parts and parses the header. Throws `jose-refused`. */
export function splitCompact(text: string, count: 3 | 5, maxBytes: number): { header: unknown; parts: string[] } {
  must(text.length <= maxBytes, 'file-too-large', `A signed or encrypted part is larger than ${maxBytes} bytes.`)
  const parts = text.split('.')
  must(parts.length === count, 'jose-refused', 'A signed or encrypted part is not in compact form.')
  try {
    for (const part of parts) fromBase64url(part)
    return { header: parseJson(fromBase64url(parts[0] ?? ''), { maxBytes: 8 * KB, maxDepth: 4 }), parts }
  } catch (cause) {
    throw new KeyriteError('jose-refused', 'A signed or encrypted part is not canonically encoded.', { cause })
  }
}

/**
 * True unless an RSA signature (base64url) has another length than the modulus of its key. RFC 8017 sections 8.1.2 and
 * 8.2.2 refuse it for that alone; OpenSSL takes a PSS signature whose leading zero was left out.
 */
export const isWhole = (jwk: { kty: string; n?: string }, signature: string): boolean =>
  jwk.kty !== 'RSA' || signature.length === jwk.n?.length

/**
 * Verifies a statement and returns its claims.
 * @param typ the exact `typ` that must stand in the header
 * @param key the public key that must have signed; `kid` and algorithm must be that key's
 * @throws `jose-refused` for any other header member, algorithm or type; `signature-invalid`; `format-invalid`
 */
export async function openStatement<S extends z.ZodType>(
  jws: string,
  {
    typ,
    key,
    schema,
    what,
    maxBytes = MB,
  }: { typ: string; key: StatementKey; schema: S; what: string; maxBytes?: number },
): Promise<z.output<S>> {
  const header = readStatementHeader(jws, maxBytes)
  if (header.typ !== typ && header.typ === otherMode(typ))
    throw new KeyriteError(
      'practice-refused',
      `This ${what} is of a ${typ.includes('practice') ? 'production' : 'practice'} vault.`,
    )
  must(header.typ === typ, 'jose-refused', `This is not a ${what}: its type is another.`)
  must(header.kid === key.kid, 'signature-invalid', `This ${what} was signed by another key.`)
  must(header.alg === algOf(key.jwk), 'jose-refused', `This ${what} names an algorithm that its key does not have.`)
  const payload = await verify(jws, key, what)
  return parseAs(schema, parseJson(payload, { maxBytes }), what)
}

async function verify(jws: string, key: StatementKey, what: string): Promise<Uint8Array> {
  try {
    return (await compactVerify(utf8(jws), await verificationKey(key.jwk), { algorithms: [algOf(key.jwk)] })).payload
  } catch (cause) {
    throw new KeyriteError('signature-invalid', `The signature of this ${what} does not verify.`, { cause })
  }
}

function otherMode(typ: string): string {
  return typ.startsWith('keyrite-practice-')
    ? typ.replace('practice-', '')
    : typ.replace(/^keyrite-/, 'keyrite-practice-')
}
