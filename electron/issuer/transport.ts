import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { must } from '../../shared/errors.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import type { Unseal } from '../../shared/formats/jwe.ts'
import { type P256Jwk, p256JwkSchema } from '../../shared/formats/jws.ts'
import type { Sealer } from './sealing.ts'
import type { Reader, Writer } from './store/store.ts'
import { unsealWith } from './unsealing.ts'

/** One-time transport keys: made here, offered in the enrollment or a receipt, erased once material was imported. */

/** Makes a transport key and keeps its private half sealed. */
export async function makeTransportKey(
  tx: Writer,
  sealer: Sealer,
  at: number,
  use: 'transport' | 'envelope' = 'transport',
): Promise<P256Jwk> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = p256JwkSchema.parse(pair.publicKey.export({ format: 'jwk' }))
  const pkcs8 = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
  const kid = thumbprint(jwk)
  await tx.run(
    'INSERT INTO own_keys (kid, use, jwk, sealed, offered_at) VALUES (?, ?, ?, ?, ?)',
    kid,
    use,
    JSON.stringify(jwk),
    sealer.sealOwn(kid, pkcs8),
    at,
  )
  wipe(pkcs8)
  return jwk
}

/** The newest transport key that was not used yet, or null. */
export async function unusedTransportKey(store: Reader): Promise<P256Jwk | null> {
  const row = await store.get<{ jwk: string }>(
    "SELECT jwk FROM own_keys WHERE use = 'transport' AND sealed IS NOT NULL ORDER BY offered_at DESC, kid LIMIT 1",
  )
  return row ? (JSON.parse(row.jwk) as P256Jwk) : null
}

/** Gives what opens the parts sealed to a transport key. Code `decryption-failed` when it was erased or never was this runtime's. */
export async function openTransportKey(
  store: Reader,
  sealer: Sealer,
  kid: string,
  use: 'transport' | 'envelope' = 'transport',
): Promise<Unseal> {
  const row = await store.get<{ sealed: Uint8Array | null }>(
    'SELECT sealed FROM own_keys WHERE use = ? AND kid = ?',
    use,
    kid,
  )
  must(row, 'decryption-failed', 'This material is sealed to a transport key that this runtime never offered.')
  must(row.sealed, 'decryption-failed', 'This material is sealed to a transport key that was used and erased.')
  const pkcs8 = sealer.openOwn(kid, row.sealed)
  try {
    const der = Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length)
    return unsealWith(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  } finally {
    wipe(pkcs8)
  }
}

/** Erases the private half: overwritten, then removed. Gives whether there was one. */
export async function eraseTransportKey(tx: Writer, kid: string, at: number): Promise<boolean> {
  const row = await tx.get<{ sealed: Uint8Array | null }>('SELECT sealed FROM own_keys WHERE kid = ?', kid)
  if (!row?.sealed) return false
  await tx.run('UPDATE own_keys SET sealed = ? WHERE kid = ?', new Uint8Array(row.sealed.length), kid)
  await tx.run('UPDATE own_keys SET sealed = NULL, erased_at = ? WHERE kid = ?', at, kid)
  return true
}
