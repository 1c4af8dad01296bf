import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { KeyriteError } from '../../shared/errors.ts'
import { type Bytes, concat, wipe } from '../../shared/formats/bytes.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'

/**
 * Private keys at rest: PKCS#8 under A256GCM with a random data key of its own (row `key:<kid>`); the data key under a
 * key derived (HKDF, RFC 5869) from the quorum secret for one owner and epoch (row `wrap:<kid>`). A new epoch changes
 * only the wraps.
 */

/** What a sealed private key is bound to. `owner` is a tenant's id, or `root` for the vault's own keys. */
export type SealedName = { vaultId: string; practice: boolean; owner: string; kid: string; use: string }

/** The combined quorum secret (32 bytes) and the epoch it belongs to. */
export type QuorumSecret = { secret: Uint8Array; epoch: number }

const NONCE = 12
const SALT = 16
const TAG = 16

/** nonce || ciphertext || tag */
export function encrypt(key: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Bytes {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(associated)
  return concat(nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** Throws `decryption-failed` for a wrong key, other associated data or damaged bytes. */
export function decrypt(key: Uint8Array, sealed: Uint8Array, associated: Uint8Array, what: string): Bytes {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG })
    decipher.setAAD(associated)
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
    return concat(decipher.update(sealed.subarray(NONCE, sealed.length - TAG)), decipher.final())
  } catch (cause) {
    throw new KeyriteError('decryption-failed', `${what} does not open.`, { cause })
  }
}

const associated = (part: 'key' | 'wrap', name: SealedName): Bytes => canonicalBytes(['keyrite sealed 1', part, name])

/** The key that wraps one owner's data keys in one epoch. */
function wrappingKey(secret: Uint8Array, salt: Uint8Array, name: SealedName, epoch: number): Bytes {
  const label = name.practice ? 'keyrite-practice-wrap' : 'keyrite-wrap'
  const info = canonicalBytes([label, 1, name.vaultId, name.owner, epoch])
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, 32))
}

/** salt || nonce || ciphertext || tag: every wrap has a random salt of its own. */
function wrapDataKey(dataKey: Uint8Array, { secret, epoch }: QuorumSecret, name: SealedName): Bytes {
  const salt = randomBytes(SALT)
  const wrapping = wrappingKey(secret, salt, name, epoch)
  const wrap = concat(salt, encrypt(wrapping, dataKey, associated('wrap', name)))
  wipe(wrapping)
  return wrap
}

function unwrapDataKey(wrap: Uint8Array, { secret, epoch }: QuorumSecret, name: SealedName): Bytes {
  const wrapping = wrappingKey(secret, wrap.subarray(0, SALT), name, epoch)
  const dataKey = decrypt(wrapping, wrap.subarray(SALT), associated('wrap', name), `The wrapped key ${name.kid}`)
  wipe(wrapping)
  return dataKey
}

/** Seals a private key: gives the row of the key and the row of its wrap. */
export function sealKey(quorum: QuorumSecret, name: SealedName, pkcs8: Uint8Array): { key: Bytes; wrap: Bytes } {
  const dataKey = new Uint8Array(randomBytes(32))
  const key = encrypt(dataKey, pkcs8, associated('key', name))
  const wrap = wrapDataKey(dataKey, quorum, name)
  wipe(dataKey)
  return { key, wrap }
}

/** Opens a private key. The caller wipes what it gets. Code `decryption-failed`. */
export function unsealKey(quorum: QuorumSecret, name: SealedName, rows: { key: Uint8Array; wrap: Uint8Array }): Bytes {
  const dataKey = unwrapDataKey(rows.wrap, quorum, name)
  const pkcs8 = decrypt(dataKey, rows.key, associated('key', name), `The sealed key ${name.kid}`)
  wipe(dataKey)
  return pkcs8
}

/** The wrap of one key under a new quorum secret. */
export function rewrap(name: SealedName, wrap: Uint8Array, from: QuorumSecret, to: QuorumSecret): Bytes {
  const dataKey = unwrapDataKey(wrap, from, name)
  const next = wrapDataKey(dataKey, to, name)
  wipe(dataKey)
  return next
}
