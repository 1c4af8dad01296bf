import { constants, createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import { BitString, Integer, Utf8String } from 'asn1js'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  PublicKeyInfo,
  Time,
} from 'pkijs'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { type CertificateFor, commonNameOf, signatureAlgorithmOf } from '../../shared/formats/x509.ts'

/** The self-signed certificate of a new RSA key, made by the process that makes the key. */

const COMMON_NAME = '2.5.4.3'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
/** digitalSignature, the first bit (RFC 5280 section 4.2.1.3). */
const DIGITAL_SIGNATURE = new BitString({ valueHex: Uint8Array.of(0x80).buffer, unusedBits: 7 })
/** RFC 5280 section 4.1.2.5: GeneralizedTime from 2050 on. */
const YEAR_2050 = 2_524_608_000

const timeOf = (seconds: number): Time =>
  new Time({ type: seconds < YEAR_2050 ? 0 : 1, value: new Date(seconds * 1000) })

const nameOf = (issuer: string): AttributeTypeAndValue =>
  new AttributeTypeAndValue({ type: COMMON_NAME, value: new Utf8String({ value: commonNameOf(issuer) }) })

/** Positive, and 126 of its bits are random (RFC 5280 section 4.1.2.2). */
function newSerial(): Integer {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return new Integer({ valueHex: new Uint8Array(serial).buffer })
}

/**
 * A certificate (RFC 5280) of an RSA key, given as PKCS#8 DER, in the one form that `findingOfCertificate` accepts: standard
 * base64 of its DER.
 */
export function selfSigned(spec: KeySpec, pkcs8: Uint8Array, { issuer, from, to }: CertificateFor): string {
  const row = KEY_SPECS[spec]
  if (row.kty !== 'RSA') throw new KeyriteError('internal', 'Only an RSA key gets a certificate.')
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const algorithm = AlgorithmIdentifier.fromBER(signatureAlgorithmOf(row))
  const certificate = new Certificate()
  certificate.version = 2
  certificate.serialNumber = newSerial()
  certificate.signature = algorithm
  certificate.signatureAlgorithm = algorithm
  certificate.issuer.typesAndValues.push(nameOf(issuer))
  certificate.subject.typesAndValues.push(nameOf(issuer))
  certificate.notBefore = timeOf(from)
  certificate.notAfter = timeOf(to)
  certificate.subjectPublicKeyInfo = PublicKeyInfo.fromBER(new Uint8Array(publicKey))
  certificate.extensions = [
    extension(BASIC_CONSTRAINTS, new BasicConstraints({ cA: false }).toSchema().toBER(false)),
    extension(KEY_USAGE, DIGITAL_SIGNATURE.toBER(false)),
  ]
  const body = new Uint8Array(certificate.encodeTBS().toBER(false))
  const padding = row.pss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  const signature = sign('sha256', body, { key: privateKey, ...padding })
  certificate.signatureValue = new BitString({ valueHex: new Uint8Array(signature).buffer })
  return Buffer.from(certificate.toSchema(true).toBER(false)).toString('base64')
}

const extension = (extnID: string, extnValue: ArrayBuffer): Extension =>
  new Extension({ extnID, critical: true, extnValue })
