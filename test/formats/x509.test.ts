import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { selfSigned } from '../../electron/keys/certificate.ts'
import type { KeySpec, PublicJwk } from '../../shared/domain/algorithms.ts'
import { MAX_CERTIFICATE_BYTES } from '../../shared/domain/policy.ts'
import { toBase64url } from '../../shared/formats/bytes.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import {
  type CertificateFor,
  commonNameOf,
  derOf,
  findingOfCertificate,
  NO_END,
  x5cSchema,
  x5tS256,
} from '../../shared/formats/x509.ts'

/** The certificate of an RSA key: made by electron/keys, checked by shared/formats, and read by OpenSSL through Node. */

const FROM = 1_772_323_200
const TO = FROM + 118 * 86_400
const ISSUER = 'https://acme.example.com'
const WANTED: CertificateFor = { issuer: ISSUER, from: FROM, to: TO }

type Key = { spec: KeySpec; jwk: PublicJwk; pkcs8: Uint8Array }
function newKey(spec: KeySpec, bits = 2048): Key {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  return { spec, pkcs8, jwk: publicJwkSchema.parse(publicKey.export({ format: 'jwk' })) }
}

let rs: Key
let ps: Key
let big: Key
beforeAll(() => {
  rs = newKey('RS256')
  ps = newKey('PS256')
  big = newKey('PS256-4096', 4096)
})

const make = ({ spec, pkcs8 }: Key, wanted = WANTED): [string] => [selfSigned(spec, pkcs8, wanted)]
const check = (x5c: [string], key: Key, wanted: Partial<CertificateFor> = {}) =>
  findingOfCertificate(x5c, key, { ...WANTED, ...wanted })
const asText = (der: Uint8Array): [string] => [Buffer.from(der).toString('base64')]

describe('a certificate that the generating process makes', () => {
  it.each(['RS256', 'PS256', 'PS256-4096'] as const)('%s: is accepted, and OpenSSL reads the same', async (spec) => {
    const key = { RS256: rs, PS256: ps, 'PS256-4096': big }[spec]
    const x5c = make(key)
    expect(x5cSchema.parse(x5c)).toEqual(x5c)
    expect(await check(x5c, key)).toBeNull()
    const read = new X509Certificate(derOf(x5c))
    expect([read.subject, read.issuer, read.ca]).toEqual([`CN=${ISSUER}`, `CN=${ISSUER}`, false])
    expect([Date.parse(read.validFrom) / 1000, Date.parse(read.validTo) / 1000]).toEqual([FROM, TO])
    expect(read.publicKey.export({ format: 'jwk' })).toEqual(key.jwk)
    expect(read.publicKey.asymmetricKeyType).toBe('rsa')
    expect(read.verify(createPublicKey(createPrivateKey(readable(key))))).toBe(true)
    expect(x5tS256(x5c)).toBe(toBase64url(Buffer.from(read.fingerprint256.replaceAll(':', ''), 'hex')))
    expect(BigInt(`0x${read.serialNumber}`) >> 120n).toBeGreaterThan(0n)
  })

  it('has a serial of its own each time', () => {
    expect(new X509Certificate(derOf(make(rs))).serialNumber).not.toBe(
      new X509Certificate(derOf(make(rs))).serialNumber,
    )
  })

  it('takes a long issuer as far as a common name goes, and the largest key, within the cap', async () => {
    const issuer = `https://${'a'.repeat(63)}.${'b'.repeat(63)}.example.com/${'x'.repeat(100)}`
    const x5c = make(big, { ...WANTED, issuer, to: NO_END })
    expect(await check(x5c, big, { issuer, to: NO_END })).toBeNull()
    expect(new X509Certificate(derOf(x5c)).subject).toBe(`CN=${issuer.slice(0, 64)}`)
    expect(commonNameOf(issuer)).toHaveLength(64)
    expect(derOf(x5c).length).toBeLessThan(MAX_CERTIFICATE_BYTES)
  })

  it.each([
    ['the last second of 2049', 2_524_607_999],
    ['the first second of 2050', 2_524_608_000],
    ['no end', NO_END],
  ])('%s is a time like any other (UTCTime, GeneralizedTime)', async (_, to) => {
    const x5c = make(rs, { ...WANTED, to })
    expect(await check(x5c, rs, { to })).toBeNull()
    expect(await check(x5c, rs, { to: to + 1 })).toMatch(/does not cover/)
  })

  it('covers exactly its span', async () => {
    const x5c = make(rs)
    expect(await check(x5c, rs, { from: FROM, to: TO })).toBeNull()
    expect(await check(x5c, rs, { from: FROM - 1 })).toMatch(/does not cover/)
    expect(await check(x5c, rs, { to: TO + 1 })).toMatch(/does not cover/)
  })
})

const readable = ({ pkcs8 }: Key) => ({ key: Buffer.from(pkcs8), format: 'der' as const, type: 'pkcs8' as const })

describe('any other certificate is refused', () => {
  it('of another key, another issuer, another algorithm, or of a key that is not RSA', async () => {
    const x5c = make(rs)
    expect(await check(x5c, newKey('RS256'))).toMatch(/another key/)
    expect(await check(x5c, rs, { issuer: 'https://globex.example.com' })).toMatch(/another name/)
    expect(await check(x5c, { ...rs, spec: 'PS256' })).toMatch(/another signature algorithm/)
    expect(await check(make(ps), { ...ps, spec: 'RS256' })).toMatch(/another signature algorithm/)
    expect(await check(x5c, { ...rs, spec: 'ES256' })).toMatch(/only an RSA key/)
  })

  it('signed by somebody else', async () => {
    const other = Buffer.from(derOf(make(newKey('RS256'))))
    const own = Buffer.from(derOf(make(rs)))
    own.set(other.subarray(-256), own.length - 256)
    expect(await check(asText(own), rs)).toMatch(/not signed by itself/)
  })

  it('that may sign other certificates, or is for another use, though its key signed it', async () => {
    for (const [marker, at, value] of [
      ['0603551d130101ff04023000', 0, null],
      ['0603551d0f0101ff040403020780', 13, 0x06],
    ] as const) {
      const der = Buffer.from(derOf(make(rs)))
      const place = der.indexOf(Buffer.from(marker, 'hex'))
      expect(place).toBeGreaterThan(0)
      if (value === null) der[place + 5] = 0x00
      else der[place + at] = value
      expect(await check(asText(der), rs)).toMatch(/another form/)
    }
  })

  it('that is too large, torn, longer than itself, or no certificate at all', async () => {
    const der = derOf(make(rs))
    expect(await check(asText(new Uint8Array(MAX_CERTIFICATE_BYTES + 1)), rs)).toMatch(/larger than/)
    for (let length = 3; length < der.length; length += 37)
      expect(await check(asText(der.subarray(0, length)), rs), `at ${length}`).toMatch(/cannot be read/)
    expect(await check(asText(Buffer.concat([der, Uint8Array.of(0)])), rs)).toMatch(/cannot be read/)
    expect(await check(['AAAA'], rs)).toMatch(/cannot be read/)
  })

  it('with any byte another', async () => {
    const der = derOf(make(rs))
    await fc.assert(
      fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const flipped = Buffer.from(der)
        flipped[at] = (flipped[at] ?? 0) ^ mask
        expect(await check(asText(flipped), rs)).not.toBeNull()
      }),
      { numRuns: 400 },
    )
  })

  it.each([
    ['base64url', (text: string) => text.replace(/[A-Za-z]/, '-')],
    ['white space', (text: string) => `${text.slice(0, 64)}\n${text.slice(64)}`],
    ['no padding where it belongs', (text: string) => `${text.replace(/=+$/, '')}A`],
    ['too long', () => 'A'.repeat(4 * MAX_CERTIFICATE_BYTES)],
    ['nothing', () => ''],
  ])('spelled otherwise: %s', (_, change) => {
    const [text] = make(rs)
    expect(x5cSchema.safeParse([change(text)]).success && derOf([change(text)]).length === derOf([text]).length).toBe(
      false,
    )
  })

  it('a chain, or none', () => {
    const [text] = make(rs)
    expect(x5cSchema.safeParse([text, text]).success).toBe(false)
    expect(x5cSchema.safeParse([]).success).toBe(false)
  })
})
