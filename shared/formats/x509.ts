import { exportJWK, importX509 } from 'jose'
import { z } from 'zod'
import { KEY_SPECS, type KeySpec, type PublicJwk } from '../domain/algorithms.ts'
import { MAX_CERTIFICATE_BYTES } from '../domain/policy.ts'
import { KeyriteError } from '../errors.ts'
import { type Bytes, digest, equalBytes, fromBase64url, fromUtf8, utf8 } from './bytes.ts'
import { type DerValue, fromHex, membersOf, readDer, readOne, writeDer } from './der.ts'
import { thumbprint } from './fingerprint.ts'

/**
 * The self-signed certificate of an RSA key (RFC 5280), for verifiers that ask for `x5c`. It says nothing that the root has
 * not signed in the key set; so it has one exact form, and any other is refused.
 */

/** RFC 7517 section 4.7: one certificate, DER in base64 (not base64url). */
export type X5c = [string]
export const x5cSchema = z.tuple([
  z
    .string()
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)
    .min(4)
    .max(Math.ceil(MAX_CERTIFICATE_BYTES / 3) * 4),
])

/** What a certificate is made for: its name and the span it must cover, in seconds. */
export type CertificateFor = { issuer: string; from: number; to: number }

/** RFC 5280 section 4.1.2.5: 9999-12-31T23:59:59Z, "no well-defined expiration date". */
export const NO_END = 253_402_300_799

/** RFC 5280 appendix A.1: a common name has 64 characters at most. Issuers are plain ASCII. */
export const commonNameOf = (issuer: string): string => issuer.slice(0, 64)

/** DER from its base64 form. Code `format-invalid` for anything but the canonical spelling. */
export const derOf = ([base64]: X5c): Bytes =>
  fromBase64url(base64.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'))

/** RFC 7517 section 4.9. */
export const x5tS256 = (x5c: X5c): string => digest(derOf(x5c))

/** sha256WithRSAEncryption (RFC 4055 section 5). */
const RSA_SHA256 = fromHex('300d06092a864886f70d01010b0500')
/** RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes (RFC 4055 section 3.1). */
const PSS_SHA256 = fromHex(
  '304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120',
)

/** The AlgorithmIdentifier of a certificate's signature. A PS256 key signs with RSASSA-PSS: no RSA key serves both. */
export const signatureAlgorithmOf = ({ pss }: { pss: boolean }): Bytes => (pss ? PSS_SHA256 : RSA_SHA256)

/** Version 3. */
const VERSION = fromHex('a003020102')
/** basicConstraints (no CA) and keyUsage (digitalSignature), both critical: RFC 5280 sections 4.2.1.9 and 4.2.1.3. */
const EXTENSIONS = fromHex('a320301e300c0603551d130101ff04023000300e0603551d0f0101ff040403020780')

/** Name with one common name (RFC 5280 section 4.1.2.4). */
const nameOf = (issuer: string): Bytes => {
  const pair = [fromHex('0603550403'), writeDer(0x0c, utf8(commonNameOf(issuer)))]
  return writeDer(0x30, writeDer(0x31, writeDer(0x30, ...pair)))
}

/**
 * What speaks against a certificate of this key, or null: it must have the one form above, the key's own modulus and
 * exponent, the issuer's name, a validity that covers `from` to `to`, and a signature by the key itself.
 */
export async function findingOfCertificate(
  x5c: X5c,
  key: { spec: KeySpec; jwk: PublicJwk },
  { issuer, from, to }: CertificateFor,
): Promise<string | null> {
  const row = KEY_SPECS[key.spec]
  if (row.kty !== 'RSA') return 'only an RSA key has a certificate'
  try {
    const der = derOf(x5c)
    if (der.length > MAX_CERTIFICATE_BYTES) return `its certificate is larger than ${MAX_CERTIFICATE_BYTES} bytes`
    const parts = partsOf(der)
    const algorithm = signatureAlgorithmOf(row)
    if (!equalBytes(parts.algorithm, algorithm) || !equalBytes(parts.inner, algorithm))
      return 'its certificate has another signature algorithm'
    const name = nameOf(issuer)
    if (!equalBytes(parts.issuer, name) || !equalBytes(parts.subject, name)) return 'its certificate has another name'
    if (!equalBytes(parts.version, VERSION) || !equalBytes(parts.extensions, EXTENSIONS))
      return 'its certificate is of another form'
    if (parts.notBefore > from || to > parts.notAfter) return 'its certificate does not cover the time it is published'
    return await findingOfKey(x5c, key.jwk, row, parts)
  } catch {
    return 'its certificate cannot be read'
  }
}

type Parts = ReturnType<typeof partsOf>

/** RFC 5280 section 4.1. */
function partsOf(der: Bytes) {
  const [body, algorithm, signature] = membersOf(readOne(der, 0x30), [0x30, 0x30, 0x03])
  const [version, serial, inner, issuer, validity, subject, , extensions] = membersOf(
    body,
    [0xa0, 0x02, 0x30, 0x30, 0x30, 0x30, 0x30, 0xa3],
  )
  const [notBefore, notAfter] = readDer(validity.content)
  if (readDer(validity.content).length !== 2) throw unreadable()
  // Positive and of 20 bytes at most (section 4.1.2.2).
  if (serial.content.length > 20 || ((serial.content[0] ?? 0x80) & 0x80) !== 0) throw unreadable()
  if (signature.content[0] !== 0) throw unreadable()
  return {
    body: body.raw,
    algorithm: algorithm.raw,
    signature: signature.content.subarray(1),
    version: version.raw,
    inner: inner.raw,
    issuer: issuer.raw,
    subject: subject.raw,
    extensions: extensions.raw,
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
  }
}

async function findingOfKey(
  [base64]: X5c,
  jwk: PublicJwk,
  { alg, pss }: { alg: string; pss: boolean },
  { body, signature }: Parts,
): Promise<string | null> {
  const pem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`
  const publicKey = await importX509(pem, alg, { extractable: true })
  const { n = '', e = '' } = await exportJWK(publicKey)
  if (thumbprint({ kty: 'RSA', n, e }) !== thumbprint(jwk)) return 'its certificate is of another key'
  const verify = pss ? { name: 'RSA-PSS', saltLength: 32 } : { name: 'RSASSA-PKCS1-v1_5' }
  const signed = await crypto.subtle.verify(verify, publicKey, copyOf(signature), copyOf(body))
  return signed ? null : 'its certificate was not signed by itself'
}

/** RFC 5280 section 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050 on, both to the second and in UTC. */
function timeOf(value: DerValue | undefined): number {
  const [, century = '', year = '', rest = ''] = TIME.exec(fromUtf8(value?.content ?? utf8(''))) ?? []
  const short = value?.tag === 0x17 && century === ''
  const long = value?.tag === 0x18 && century !== '' && Number(century + year) >= 2050
  if (!(short || long)) throw unreadable()
  const full = short ? `${Number(year) < 50 ? '20' : '19'}${year}` : `${century}${year}`
  const [month, day, hour, minute, second] = rest.match(/../g) ?? []
  const text = `${full}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = Date.parse(text)
  // Not every day that can be written exists.
  if (Number.isNaN(time) || new Date(time).toISOString() !== text) throw unreadable()
  return time / 1000
}
const TIME = /^(\d\d|)(\d\d)(\d{10})Z$/

const unreadable = () => new KeyriteError('format-invalid', 'This is not a certificate of the expected form.')
const copyOf = (bytes: Uint8Array): Bytes => new Uint8Array(bytes)
