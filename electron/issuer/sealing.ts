import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { KeyriteError } from '../../shared/errors.ts'
import { type Bytes, concat, toBase64url, wipe } from '../../shared/formats/bytes.ts'
import { canonicalBytes } from '../../shared/formats/json.ts'

/**
 * Private keys in a runtime's store. From the 32-byte storage key others are derived (HKDF, RFC 5869): one encrypts the
 * file, one wraps the tenants' data keys, one seals backups, one the second place. Each tenant's private halves are sealed (A256GCM) under its own data
 * key, bound to runtime, tenant and kid: a row moved to another tenant or runtime does not open.
 */

const NONCE = 12
const TAG = 16

type Owner = { runtimeId: string; practice: boolean }

export class Sealer {
  /** Key of the encrypted file. */
  readonly fileKey: Bytes
  /** Names the storage key without telling it, so that a wrong one is known before the file is touched. */
  readonly keyId: string
  /** Seals what is written to the second place. */
  readonly placeKey: Bytes
  /** Seals backups. */
  readonly backupKey: Bytes
  readonly #wrapping: Bytes
  readonly #runtimeId: string

  constructor(storageKey: Uint8Array, { runtimeId, practice }: Owner) {
    const derive = (use: string) => {
      const info = canonicalBytes([`keyrite-${practice ? 'practice-' : ''}${use}`, 1, runtimeId])
      return new Uint8Array(hkdfSync('sha256', storageKey, new Uint8Array(), info, 32))
    }
    this.fileKey = derive('store-file')
    this.keyId = toBase64url(derive('store-key-id'))
    this.placeKey = derive('second-place')
    this.backupKey = derive('backup')
    this.#wrapping = derive('store-wrap')
    this.#runtimeId = runtimeId
  }

  /** A new data key for a tenant, wrapped. */
  newDataKey(tenant: string): Bytes {
    const dataKey = new Uint8Array(randomBytes(32))
    const wrapped = seal(this.#wrapping, dataKey, this.#bind('data-key', tenant))
    wipe(dataKey)
    return wrapped
  }

  /** Seals a tenant's private half under the tenant's wrapped data key. */
  sealKey(tenant: string, kid: string, wrapped: Uint8Array, pkcs8: Uint8Array): Bytes {
    const dataKey = this.#unwrap(tenant, wrapped)
    const sealed = seal(dataKey, pkcs8, this.#bind('key', tenant, kid))
    wipe(dataKey)
    return sealed
  }

  /** Opens a tenant's private half; the caller wipes it. Code `decryption-failed`. */
  openKey(tenant: string, kid: string, wrapped: Uint8Array, sealed: Uint8Array): Bytes {
    const dataKey = this.#unwrap(tenant, wrapped)
    const pkcs8 = open(dataKey, sealed, this.#bind('key', tenant, kid), `The private half ${kid}`)
    wipe(dataKey)
    return pkcs8
  }

  /** Seals a private key of the runtime itself. */
  sealOwn(kid: string, pkcs8: Uint8Array): Bytes {
    return seal(this.#wrapping, pkcs8, this.#bind('own', kid))
  }

  /** Opens a private key of the runtime itself; the caller wipes it. Code `decryption-failed`. */
  openOwn(kid: string, sealed: Uint8Array): Bytes {
    return open(this.#wrapping, sealed, this.#bind('own', kid), `The runtime's key ${kid}`)
  }

  wipe(): void {
    wipe(this.fileKey, this.placeKey, this.backupKey, this.#wrapping)
  }

  #unwrap(tenant: string, wrapped: Uint8Array): Bytes {
    return open(this.#wrapping, wrapped, this.#bind('data-key', tenant), `The data key of ${tenant}`)
  }

  #bind(...what: string[]): Bytes {
    return canonicalBytes(['keyrite store 1', this.#runtimeId, ...what])
  }
}

/** AES-256-GCM with a random nonce: nonce || ciphertext || tag. */
export function seal(key: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Bytes {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(associated)
  return concat(nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** Opens what `seal` made. Code `decryption-failed`. */
export function open(key: Uint8Array, sealed: Uint8Array, associated: Uint8Array, what: string): Bytes {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), { authTagLength: TAG })
    decipher.setAAD(associated)
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
    return concat(decipher.update(sealed.subarray(NONCE, sealed.length - TAG)), decipher.final())
  } catch (cause) {
    throw new KeyriteError('decryption-failed', `${what} does not open.`, { cause })
  }
}
