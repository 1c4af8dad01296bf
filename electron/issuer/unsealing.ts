import { createDecipheriv, createPublicKey, createSecretKey, diffieHellman, hash, type KeyObject } from 'node:crypto'
import { fromBase64url, wipe } from '../../shared/formats/bytes.ts'
import type { Unseal } from '../../shared/formats/jwe.ts'

/** Decrypting many sealed keys with node:crypto: what jose does with several jobs of WebCrypto each. */

/** Concat KDF (RFC 7518 section 4.6.2) for 256 bits: one round, algorithm "A256GCM", no party information. */
const ROUND = Buffer.from([0, 0, 0, 1])
const INFO = Buffer.concat([
  Buffer.from([0, 0, 0, 7]),
  Buffer.from('A256GCM'),
  Buffer.alloc(8),
  Buffer.from([0, 0, 1, 0]),
])

const NONCE = 12
const TAG = 16

/**
 * Gives what decrypts the parts of a compact JWE (ECDH-ES directly, A256GCM) with this P-256 key. It throws for a part that
 * is there and must not be, of another length, or that does not open; `openSealed` says what that means.
 */
export function unsealWith(privateKey: KeyObject): Unseal {
  return ([header = '', encryptedKey, nonce = '', text = '', tag = ''], epk) => {
    if (encryptedKey !== '') throw new Error('ECDH-ES has no encrypted key')
    const publicKey = createPublicKey({ key: { ...epk }, format: 'jwk' })
    const shared = diffieHellman({ publicKey, privateKey })
    const key = hash('sha256', Buffer.concat([ROUND, shared, INFO]), 'buffer')
    try {
      return decrypt(key, Buffer.from(header), [nonce, text, tag].map(fromBase64url))
    } finally {
      wipe(shared, key)
    }
  }
}

function decrypt(key: Uint8Array, associated: Uint8Array, [nonce, text, tag]: Uint8Array[]): Uint8Array {
  if (nonce?.length !== NONCE || tag?.length !== TAG || !text) throw new Error('a part has another length')
  // As a KeyObject, because Node asks of bytes whether they are one, and that takes longer than the decryption.
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: TAG })
  decipher.setAAD(associated)
  decipher.setAuthTag(tag)
  const opened = decipher.update(text)
  decipher.final()
  return opened
}
