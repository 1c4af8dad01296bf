import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import canonicalize from 'canonicalize'
import { ALGORITHM_NAMES, type Algorithm, KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { KeyriteError } from '../../shared/errors.ts'
import * as vectors from './vectors.ts'

/** One known answer: `run` must give `expected`, letter for letter. Bytes are written in hex. */
export type SelfTest = { readonly algorithm: string; readonly expected: string; run(): string }
export type SelfTestResult = { readonly algorithm: string; readonly passed: boolean }

const ACCEPTED = 'accepted, and refused when changed'

const bytes = (hex: string) => Buffer.from(hex, 'hex')
const url = (hex: string) => bytes(hex).toString('base64url')
const publicKey = (key: JsonWebKey) => createPublicKey({ key, format: 'jwk' })
const privateKey = (key: JsonWebKey) => createPrivateKey({ key, format: 'jwk' })
const ecKey = (crv: string, point: { x: string; y: string }) =>
  publicKey({ kty: 'EC', crv, x: url(point.x), y: url(point.y) })

/** What is asked of the platform at every start: what RFCs and NIST publish, then a round for every signing algorithm. */
export const SELF_TESTS: readonly SelfTest[] = [
  {
    algorithm: 'SHA-256', // FIPS 180-4, "abc"
    expected: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    run: () => createHash('sha256').update('abc').digest('hex'),
  },
  {
    algorithm: 'HMAC-SHA-256', // RFC 4231 section 4.3
    expected: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    run: () => createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex'),
  },
  {
    algorithm: 'HKDF-SHA-256', // RFC 5869 appendix A.1
    expected: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    run: () => {
      const salt = bytes('000102030405060708090a0b0c')
      return Buffer.from(hkdfSync('sha256', Buffer.alloc(22, 11), salt, bytes('f0f1f2f3f4f5f6f7f8f9'), 42)).toString(
        'hex',
      )
    },
  },
  { algorithm: 'AES-256-GCM', expected: vectors.GCM.sealed, run: sealWithGcm },
  { algorithm: 'AES-256-GCM', expected: vectors.GCM.plain, run: () => openWithGcm(vectors.GCM.sealed) },
  { algorithm: 'AES-256-GCM', expected: 'refused', run: () => openWithGcm(vectors.GCM.sealed.replace(/.$/, 'c')) },
  {
    algorithm: 'ECDH P-256',
    expected: vectors.ECDH.secret,
    run: () => {
      const { d, x, y, peerX, peerY } = vectors.ECDH
      const own = privateKey({ kty: 'EC', crv: 'P-256', d: url(d), x: url(x), y: url(y) })
      return diffieHellman({ privateKey: own, publicKey: ecKey('P-256', { x: peerX, y: peerY }) }).toString('hex')
    },
  },
  {
    algorithm: 'RS256',
    expected: vectors.RS256.signature,
    run: () => signWith('RS256', privateKey(vectors.RSA_KEY), Buffer.from(vectors.RS256.input)).toString('base64url'),
  },
  {
    algorithm: 'Ed25519',
    expected: vectors.ED25519.signature,
    run: () => {
      const { d, x, input } = vectors.ED25519
      const key = privateKey({ kty: 'OKP', crv: 'Ed25519', d: url(d), x: url(x) })
      return signWith('Ed25519', key, bytes(input)).toString('hex')
    },
  },
  knownSignature('RS256', () => publicKey({ kty: 'RSA', n: vectors.RSA_KEY.n, e: 'AQAB' }), {
    input: Buffer.from(vectors.RS256.input),
    signature: Buffer.from(vectors.RS256.signature, 'base64url'),
  }),
  knownSignature('PS256', () => publicKey(vectors.PS256.key), {
    input: bytes(vectors.PS256.input),
    signature: bytes(vectors.PS256.signature),
  }),
  knownSignature('ES256', () => ecKey('P-256', vectors.ES256), {
    input: Buffer.from('sample'),
    signature: bytes(vectors.ES256.signature),
  }),
  knownSignature('ES384', () => ecKey('P-384', vectors.ES384), {
    input: Buffer.from('sample'),
    signature: bytes(vectors.ES384.signature),
  }),
  knownSignature('Ed25519', () => publicKey({ kty: 'OKP', crv: 'Ed25519', x: url(vectors.ED25519.x) }), {
    input: bytes(vectors.ED25519.input),
    signature: bytes(vectors.ED25519.signature),
  }),
  ...ALGORITHM_NAMES.map((algorithm) => ({ algorithm, expected: ACCEPTED, run: () => round(algorithm) })),
  {
    algorithm: 'canonical JSON',
    expected: vectors.JCS.output,
    run: () => Buffer.from(canonicalize(JSON.parse(vectors.JCS.input)) ?? '').toString('hex'),
  },
]

/** Runs every test and gives one result each, in order; a test that throws has failed. Takes well under 100 ms. */
export function runSelfTest(tests: readonly SelfTest[] = SELF_TESTS): SelfTestResult[] {
  return tests.map(({ algorithm, expected, run }) => {
    try {
      return { algorithm, passed: run() === expected }
    } catch {
      return { algorithm, passed: false }
    }
  })
}

/** Throws `self-test-failed`, naming every algorithm of which a test failed. */
export function assertSelfTest(tests: readonly SelfTest[] = SELF_TESTS): void {
  const failed = new Set(runSelfTest(tests).flatMap(({ algorithm, passed }) => (passed ? [] : [algorithm])))
  if (failed.size === 0) return
  throw new KeyriteError('self-test-failed', `The self-test of this machine failed for: ${[...failed].join(', ')}.`)
}

/** A published signature must verify, and must not once a bit of it or of the message has changed. */
function knownSignature(
  algorithm: Algorithm,
  key: () => KeyObject,
  { input, signature }: { input: Buffer; signature: Buffer },
): SelfTest {
  return { algorithm, expected: ACCEPTED, run: () => judge(algorithm, key(), input, signature) }
}

/** Signs and verifies once: RSA with the published key, the others with a new one, so that making keys is tried too. */
function round(algorithm: Algorithm): string {
  const row = KEY_SPECS[algorithm]
  const pair =
    row.kty === 'RSA'
      ? {
          privateKey: privateKey(vectors.RSA_KEY),
          publicKey: publicKey({ kty: 'RSA', n: vectors.RSA_KEY.n, e: 'AQAB' }),
        }
      : row.kty === 'EC'
        ? generateKeyPairSync('ec', { namedCurve: row.crv })
        : generateKeyPairSync('ed25519')
  const input = Buffer.from('Keyrite self-test')
  return judge(algorithm, pair.publicKey, input, signWith(algorithm, pair.privateKey, input))
}

function judge(algorithm: Algorithm, key: KeyObject, input: Buffer, signature: Buffer): string {
  const flip = (data: Buffer) => Buffer.from(data.map((byte, at) => (at === data.length - 1 ? byte ^ 1 : byte)))
  if (!verifyWith(algorithm, key, input, signature)) return 'refused'
  if (verifyWith(algorithm, key, flip(input), signature)) return 'accepted a changed message'
  return verifyWith(algorithm, key, input, flip(signature)) ? 'accepted a changed signature' : ACCEPTED
}

function signWith(algorithm: Algorithm, key: KeyObject, input: Buffer): Buffer {
  return sign(KEY_SPECS[algorithm].hash, input, { key, ...optionsFor(algorithm) })
}

function verifyWith(algorithm: Algorithm, key: KeyObject, input: Buffer, signature: Buffer): boolean {
  return verify(KEY_SPECS[algorithm].hash, input, { key, ...optionsFor(algorithm) }, signature)
}

/** RFC 7518 sections 3.4 and 3.5: ECDSA signatures are r and s; the PSS salt is as long as the hash. */
function optionsFor(algorithm: Algorithm) {
  const row = KEY_SPECS[algorithm]
  if (row.kty === 'EC') return { dsaEncoding: 'ieee-p1363' as const }
  if (row.kty === 'RSA' && row.pss) return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return {}
}

function sealWithGcm(): string {
  const { key, iv, aad, plain } = vectors.GCM
  const cipher = createCipheriv('aes-256-gcm', bytes(key), bytes(iv)).setAAD(bytes(aad))
  return Buffer.concat([cipher.update(bytes(plain)), cipher.final(), cipher.getAuthTag()]).toString('hex')
}

function openWithGcm(sealed: string): string {
  const { key, iv, aad } = vectors.GCM
  const tag = bytes(sealed.slice(-32))
  const decipher = createDecipheriv('aes-256-gcm', bytes(key), bytes(iv), { authTagLength: 16 })
  decipher.setAAD(bytes(aad)).setAuthTag(tag)
  const plain = decipher.update(bytes(sealed.slice(0, -32)))
  try {
    return Buffer.concat([plain, decipher.final()]).toString('hex')
  } catch {
    return 'refused'
  }
}
