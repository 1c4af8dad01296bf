import { constants, createPublicKey, hash, type KeyObject, sign } from 'node:crypto'
import { type Attack, compact, type Good, rawRsa } from './tokens.ts'

/** Signatures that verify only where a library is careless: ECDSA, RSA and Ed25519 each have their own. */

/** The orders of P-256 and P-384 (NIST SP 800-186), and of the base point of Ed25519 (RFC 8032 section 5.1). */
const ORDERS = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  Ed25519: 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn,
} as const

const toNumber = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)
const toBytes = (value: bigint, size: number): Buffer => Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex')

type Signed = { input: string; signature: Buffer }

function signedOf(good: Good): Signed {
  const [h, p, s = ''] = compact(good).split('.')
  return { input: `${h}.${p}`, signature: Buffer.from(s, 'base64url') }
}

const join = ({ input }: Signed, what: string, signature: Buffer): Attack => [
  what,
  `${input}.${signature.toString('base64url')}`,
]

export function brokenSignatures(good: Good): Attack[] {
  const signed = signedOf(good)
  const { signature } = signed
  const zeros = Buffer.alloc(signature.length)
  return [
    join(signed, 'a signature of zeros', zeros),
    join(signed, 'a signature of ones', Buffer.alloc(signature.length, 0xff)),
    join(signed, 'a signature without its last byte', signature.subarray(0, -1)),
    join(signed, 'a signature without its first byte', signature.subarray(1)),
    join(signed, 'a byte after the signature', Buffer.concat([signature, Buffer.of(0)])),
    join(signed, 'a byte before the signature', Buffer.concat([Buffer.of(0), signature])),
    join(signed, 'the signature twice', Buffer.concat([signature, signature])),
    join(signed, 'one byte', Buffer.of(0)),
    join(signed, 'bytes in the other order', Buffer.from(signature.toReversed())),
    ...ofKind(good, signed),
  ]
}

function ofKind(good: Good, signed: Signed): Attack[] {
  if (good.alg === 'ES256' || good.alg === 'ES384') return ecdsa(good.alg, good.privateKey, signed)
  if (good.alg === 'Ed25519') return ed25519(signed)
  return good.alg === 'RS256' ? pkcs1(good.privateKey, signed) : pss(good.privateKey, signed)
}

/** CVE-2022-21449 and its kin: r and s out of [1, n-1], and other encodings of good ones. */
function ecdsa(alg: 'ES256' | 'ES384', privateKey: KeyObject, signed: Signed): Attack[] {
  const n = ORDERS[alg]
  const size = alg === 'ES256' ? 32 : 48
  const r = toNumber(signed.signature.subarray(0, size))
  const s = toNumber(signed.signature.subarray(size))
  const pair = (first: bigint, second: bigint, length = size) =>
    Buffer.concat([toBytes(first, length), toBytes(second, length)])
  const most = (1n << BigInt(size * 8)) - 1n
  const odd: [string, bigint, bigint][] = [
    ['r = 0', 0n, s],
    ['s = 0', r, 0n],
    ['r = 0, s = 1', 0n, 1n],
    ['r = 1, s = 0', 1n, 0n],
    ['r = s = 1', 1n, 1n],
    ['r = n', n, s],
    ['s = n', r, n],
    ['r = s = n', n, n],
    ['r = n, s = 0', n, 0n],
    ['r = n - 1, s = n - 1', n - 1n, n - 1n],
    ['r = n + 1', n + 1n, s],
    ['r and s as large as can be', most, most],
    ['r and s swapped', s, r],
  ]
  const { input } = signed
  const der = sign(alg === 'ES256' ? 'sha256' : 'sha384', Buffer.from(input), privateKey)
  return [
    ...odd.map(([what, first, second]) => join(signed, what, pair(first, second))),
    join(signed, 'DER in place of r and s', der),
    join(signed, 'r and s with a zero before each', pair(r, s, size + 1)),
    join(signed, 'r + n and s, a byte longer each', pair(r + n, s, size + 1)),
    join(
      signed,
      'a hash of another size',
      sign(alg === 'ES256' ? 'sha384' : 'sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    ),
  ]
}

/** RFC 8032 section 5.1.7: s below the order; and points that verify anything where nobody looks (small order). */
function ed25519(signed: Signed): Attack[] {
  const r = signed.signature.subarray(0, 32)
  const s = BigInt(`0x${Buffer.from(signed.signature.subarray(32).toReversed()).toString('hex')}`)
  const higher = Buffer.from(toBytes(s + ORDERS.Ed25519, 32).toReversed())
  const one = Buffer.alloc(64)
  one[0] = 1
  return [
    join(signed, 's + L', Buffer.concat([r, higher])),
    join(signed, 'the neutral point and s = 0', one),
    join(signed, 'r of zeros', Buffer.concat([Buffer.alloc(32), signed.signature.subarray(32)])),
    join(signed, 's of zeros', Buffer.concat([r, Buffer.alloc(32)])),
  ]
}

/** DigestInfo of SHA-256 (RFC 8017 section 9.2, note 1). */
const DIGEST_INFO = '3031300d060960864801650304020105000420'

/** RFC 8017 section 8.2.2: the whole block is compared, as Bleichenbacher's forgeries of 2006 taught. */
function pkcs1(privateKey: KeyObject, signed: Signed): Attack[] {
  const size = signed.signature.length
  const digest = hash('sha256', signed.input, 'buffer')
  const info = Buffer.concat([Buffer.from(DIGEST_INFO, 'hex'), digest])
  const block = (head: string, filler: number, tail: Buffer, after = Buffer.alloc(0)) => {
    const start = Buffer.from(head, 'hex')
    const padding = Buffer.alloc(size - start.length - tail.length - after.length - 1, filler)
    return rawRsa(privateKey, Buffer.concat([start, padding, Buffer.of(0), tail, after]))
  }
  const short = rawRsa(
    privateKey,
    Buffer.concat([Buffer.from('0001ffffffffffffffff00', 'hex'), info, Buffer.alloc(size - 11 - info.length, 7)]),
  )
  const noNull = Buffer.concat([
    Buffer.from('302f300b0609608648016503040201', 'hex'),
    Buffer.from('0420', 'hex'),
    digest,
  ])
  const sha1 = Buffer.concat([
    Buffer.from('3021300906052b0e03021a05000414', 'hex'),
    hash('sha1', signed.input, 'buffer'),
  ])
  const n = toNumber(Buffer.from(String(createPublicKey(privateKey).export({ format: 'jwk' }).n), 'base64url'))
  const above = toNumber(signed.signature) + n
  return [
    join(signed, 'block type 2', block('0002', 0xff, info)),
    join(signed, 'block type 0', block('0000', 0x00, info)),
    join(signed, 'padding of other bytes', block('0001', 0xfe, info)),
    join(signed, 'short padding with bytes after the hash', short),
    join(signed, 'bytes after the hash', block('0001', 0xff, info, Buffer.alloc(8, 1))),
    join(signed, 'no NULL in DigestInfo', block('0001', 0xff, noNull)),
    join(signed, 'the bare hash without DigestInfo', block('0001', 0xff, digest)),
    join(signed, 'SHA-1', block('0001', 0xff, sha1)),
    join(signed, 'SHA-512', sign('sha512', Buffer.from(signed.input), privateKey)),
    join(signed, 'the signature plus the modulus', toBytes(above, above >> BigInt(size * 8) === 0n ? size : size + 1)),
  ]
}

/** RFC 7518 section 3.5: SHA-256 for both hashes, and a salt as long. */
function pss(privateKey: KeyObject, signed: Signed): Attack[] {
  const made = (hashName: string, saltLength: number) =>
    sign(hashName, Buffer.from(signed.input), { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
  // RFC 8017 section 8.1.2, step 1: the length counts, though the number is the same. One signature in 256 starts with 0.
  let zero = made('sha256', 32)
  while (zero[0] !== 0) zero = made('sha256', 32)
  return [
    join(signed, 'a leading zero left out', zero.subarray(1)),
    ...[0, 20, 31, 33, 64].map((salt) => join(signed, `a salt of ${salt} bytes`, made('sha256', salt))),
    join(signed, 'SHA-384', made('sha384', 48)),
    join(signed, 'SHA-512 with a salt of 32 bytes', made('sha512', 32)),
  ]
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Other spellings of the same bytes (RFC 4648 section 3.5 and 5), of each part: lenient decoders take them. */
export function respellings(token: string): Attack[] {
  const parts = token.split('.')
  return parts.flatMap((part, at) => {
    const name = ['header', 'payload', 'signature'][at]
    const put = (what: string, text: string): Attack => [`${name} ${what}`, parts.with(at, text).join('.')]
    const last = ALPHABET.indexOf(part.at(-1) ?? 'A')
    const loose =
      part.length % 4 === 0 ? [] : [put('with bits set after its end', `${part.slice(0, -1)}${ALPHABET[last ^ 1]}`)]
    return [
      ...loose,
      put('with padding', `${part}${'='.repeat((4 - (part.length % 4)) % 4 || 4)}`),
      put('with a space', ` ${part}`),
      put('with a line feed', `${part}\n`),
      put('with a line feed inside', `${part.slice(0, 8)}\r\n${part.slice(8)}`),
      put('in base64', Buffer.from(part, 'base64url').toString('base64').replace(/=+$/, '').replace(/^./, '+')),
      put('with a character too many', `${part}${'A'.repeat(part.length % 4 === 0 ? 1 : 5 - (part.length % 4))}`),
      put('percent-encoded', `%${part.charCodeAt(0).toString(16)}${part.slice(1)}`),
      put('with a NUL', `${part}\u0000`),
      put('with a character beyond ASCII', `${part}\u0100`),
    ]
  })
}

/** For a good ECDSA signature (r, s) the other good one, (r, n - s): what no verifier of RFC 7518 can refuse. */
export function mirrored(good: Good & { alg: 'ES256' | 'ES384' }): string {
  const { input, signature } = signedOf(good)
  const size = signature.length / 2
  const s = ORDERS[good.alg] - toNumber(signature.subarray(size))
  return `${input}.${Buffer.concat([signature.subarray(0, size), toBytes(s, size)]).toString('base64url')}`
}
