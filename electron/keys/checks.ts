import { constants, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { KEY_SPECS, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'

/** What the generating process checks before and after. It imports little: its start is paid for every tenant. */

/** Exit status of the generating process, where it can name the reason. */
export const EXIT = { outputCheck: 70, pairCheck: 71 } as const

/** How many bytes of generator output are looked at before the first key. */
export const CHECKED_BYTES = 4096

/**
 * Output sanity check of the random generator: catches a generator that is stuck or plainly lopsided, nothing more.
 * It is no health test of the noise source, which software cannot see. Modelled on SP 800-90B sections 4.4.1
 * (repetition: no byte six times in a row) and 4.4.2 (proportion: the share of one bits within seven standard
 * deviations). Over 4096 sound bytes it fails by accident about once in 10^8.
 */
export function outputLooksRandom(bytes: Uint8Array): boolean {
  let run = 0
  let ones = 0
  let previous = -1
  for (const byte of bytes) {
    run = byte === previous ? run + 1 : 1
    if (run === 6) return false
    previous = byte
    for (let bits = byte; bits > 0; bits >>= 1) ones += bits & 1
  }
  const total = bytes.length * 8
  return Math.abs(ones - total / 2) <= 7 * (Math.sqrt(total) / 2)
}

/**
 * Pairwise consistency (SP 800-89 section 5.3, SP 800-56A section 5.6.2.1.4), on the halves as they leave the process:
 * the public half derived from the PKCS#8 bytes is the JWK, and a signature by the one verifies with the other.
 */
export function pairMatches(spec: KeySpec, pkcs8: Uint8Array, jwk: PublicJwk): boolean {
  const row = KEY_SPECS[spec]
  const privateKey = createPrivateKey({
    key: Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  if (!createPublicKey(privateKey).equals(publicKey)) return false
  const options =
    row.kty === 'RSA' && row.pss
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {}
  const message = Buffer.from('Keyrite pairwise consistency')
  const signature = sign(row.hash, message, { key: privateKey, ...options })
  return verify(row.hash, message, { key: publicKey, ...options }, signature)
}
