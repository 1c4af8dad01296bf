import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { KEY_SPECS, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import type { Imported } from '../../shared/domain/events.ts'
import { lintKey } from '../../shared/domain/lint.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, fromUtf8, wipe } from '../../shared/formats/bytes.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import { KB, parseAs, parseJson } from '../../shared/formats/json.ts'
import { pairMatches } from './checks.ts'
import { checkEncryptedKey, readPfx } from './pfx.ts'

/** Reading a private key that another program made. */

/** An RSA-4096 key with a chain of certificates takes less. */
export const KEY_FILE_MAX = 64 * KB

/** A key that came in a file. Whoever takes it wipes `pkcs8` (DER). */
export type ReadKey = { jwk: PublicJwk; pkcs8: Bytes }

type Want = { file: string; format: Imported['format']; spec: KeySpec }

/**
 * Reads the one private key in a file: PEM (PKCS#8, PKCS#1, SEC 1, also encrypted), a private JWK (RFC 7517), or PKCS#12.
 * `password` is asked only where the file has one. Gives the halves as the vault keeps them; whether the key is weak is
 * for the linter. Codes `format-invalid` for another file, `passphrase-wrong`, `key-refused` for another kind of key than
 * `spec`, or where the halves do not belong together.
 */
export async function readKeyFile(bytes: Uint8Array, want: Want, password: () => Promise<string>): Promise<ReadKey> {
  const privateKey = await READERS[want.format](bytes, want, password)
  const row = KEY_SPECS[want.spec]
  const type = row.kty === 'RSA' ? 'rsa' : row.kty === 'EC' ? 'ec' : 'ed25519'
  const found = privateKey.asymmetricKeyType
  must(found === type, 'key-refused', `${want.file} holds a key of the type ${found}, not one for ${want.spec}.`)
  const jwk = publicHalf(privateKey, want)
  const pkcs8 = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))
  if (lintKey(want.spec, jwk).length === 0 && !agrees(privateKey, want.spec, pkcs8, jwk)) {
    wipe(pkcs8)
    throw new KeyriteError('key-refused', `The private and the public half in ${want.file} do not belong together.`)
  }
  return { jwk, pkcs8 }
}

const READERS: Record<
  Imported['format'],
  (bytes: Uint8Array, want: Want, password: () => Promise<string>) => Promise<KeyObject>
> = { pem: readPem, jwk: readJwk, pfx: readPkcs12 }

const notOne = ({ file, format }: Want, cause?: unknown) =>
  new KeyriteError('format-invalid', `${file} is not a private key in the format ${format}.`, {
    hint: 'Check the format that the plan says, and that the file holds exactly one private key.',
    cause,
  })

/** A curve that Keyrite does not offer has no public half to show. */
function publicHalf(privateKey: KeyObject, { file, spec }: Want): PublicJwk {
  const parsed = publicJwkSchema.safeParse(createPublicKey(privateKey).export({ format: 'jwk' }))
  must(parsed.success, 'key-refused', `${file} holds a key on another curve than ${spec}.`)
  return parsed.data
}

/** Parts of an RSA key that do not fit each other make some programs sign wrongly, which gives its factors away. */
function agrees(privateKey: KeyObject, spec: KeySpec, pkcs8: Uint8Array, jwk: PublicJwk): boolean {
  try {
    return pairMatches(spec, pkcs8, jwk) && (jwk.kty !== 'RSA' || rsaPartsFit(privateKey.export({ format: 'jwk' })))
  } catch {
    return false
  }
}

/** RFC 8017 section 3.2: how the parts of an RSA private key belong together. */
function rsaPartsFit(jwk: JsonWebKey): boolean {
  const part = (name: 'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi') =>
    BigInt(`0x0${Buffer.from(jwk[name] ?? '', 'base64url').toString('hex')}`)
  const [n, e, d, p, q] = [part('n'), part('e'), part('d'), part('p'), part('q')]
  if (p < 3n || q < 3n || p * q !== n) return false
  const exponents = (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n
  return exponents && part('dp') === d % (p - 1n) && part('dq') === d % (q - 1n) && (part('qi') * q) % p === 1n
}

const PEM = /-----BEGIN ((?:ENCRYPTED |RSA |EC )?PRIVATE KEY)-----\r?\n([\s\S]{1,60000}?)-----END \1-----/g

async function readPem(bytes: Uint8Array, want: Want, password: () => Promise<string>): Promise<KeyObject> {
  const blocks = [...textOf(bytes, want).matchAll(PEM)]
  const [only] = blocks
  if (!only || blocks.length !== 1) throw notOne(want)
  const [block, label, body = ''] = only
  const encrypted = label === 'ENCRYPTED PRIVATE KEY' || body.startsWith('Proc-Type: 4,ENCRYPTED')
  if (label === 'ENCRYPTED PRIVATE KEY') checkEncryptedKey(want.file, Buffer.from(body, 'base64'))
  const passphrase = encrypted ? await password() : null
  try {
    return createPrivateKey({ key: block, format: 'pem', ...(passphrase !== null && { passphrase }) })
  } catch (cause) {
    if (!encrypted) throw notOne(want, cause)
    const message = `The password of ${want.file} is wrong, or the file is damaged.`
    throw new KeyriteError('passphrase-wrong', message, { cause })
  }
}

function textOf(bytes: Uint8Array, want: Want): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    throw notOne(want, cause)
  }
}

const jwkSchema = z.looseObject({
  kty: z.string(),
  d: z.string(),
  alg: z.string().optional(),
  use: z.string().optional(),
})

async function readJwk(bytes: Uint8Array, want: Want): Promise<KeyObject> {
  const jwk = parseAs(jwkSchema, parseJson(bytes, { maxBytes: KEY_FILE_MAX, maxDepth: 4 }), 'private JWK')
  const { alg } = KEY_SPECS[want.spec]
  const names = alg === 'Ed25519' ? [alg, 'EdDSA'] : [alg]
  must(!jwk.alg || names.includes(jwk.alg), 'key-refused', `The key in ${want.file} is for ${jwk.alg}, not for ${alg}.`)
  must((jwk.use ?? 'sig') === 'sig', 'key-refused', `The key in ${want.file} is not one for signatures.`)
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw notOne(want, cause)
  }
}

async function readPkcs12(bytes: Uint8Array, want: Want, password: () => Promise<string>): Promise<KeyObject> {
  const pkcs8 = await readPfx(want.file, bytes, await password())
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw notOne(want, cause)
  } finally {
    wipe(pkcs8)
  }
}
