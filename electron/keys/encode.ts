import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { ExportFormat } from '../../shared/domain/events.ts'
import type { AlgorithmName } from '../../shared/domain/policy.ts'
import { type Bytes, utf8 } from '../../shared/formats/bytes.ts'
import { writePfx } from './pfx.ts'

/** Private keys in the forms that other issuers read. */

/** `alg`: the name that its tenant publishes. */
export type KeyToEncode = { kid: string; alg: AlgorithmName; pkcs8: Uint8Array }

/**
 * The plain content of an export: one PKCS#8 PEM, one PKCS#12 file under `password`, or a private JWK Set. The caller
 * encrypts it and wipes it. The strings that it passes through cannot be wiped.
 */
export async function encodeKeys(
  format: ExportFormat,
  keys: readonly KeyToEncode[],
  password: string | null,
): Promise<Bytes> {
  const [only] = keys
  if (format === 'jwks' || !only) return utf8(`${JSON.stringify({ keys: keys.map(privateJwk) })}\n`)
  if (format === 'pfx') return writePfx(only.pkcs8, password ?? '')
  return utf8(keyObject(only).export({ format: 'pem', type: 'pkcs8' }).toString())
}

const keyObject = ({ pkcs8 }: KeyToEncode): KeyObject =>
  createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })

/** As published (without a certificate), with its private members (RFC 7518 section 6). */
const privateJwk = (key: KeyToEncode) => ({
  ...keyObject(key).export({ format: 'jwk' }),
  use: 'sig',
  alg: key.alg,
  kid: key.kid,
})
