import { checkPrimeSync, generateKeyPairSync, generatePrimeSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { KEY_SPEC_NAMES, KEY_SPECS, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import { lintKey, modulusOf } from '../../shared/domain/lint.ts'

const rules = (spec: KeySpec, jwk: Record<string, unknown>) => lintKey(spec, jwk).map((finding) => finding.rule)

function newKey(spec: KeySpec): Record<string, unknown> {
  const row = KEY_SPECS[spec]
  if (row.kty === 'RSA')
    return { ...generateKeyPairSync('rsa', { modulusLength: row.bits }).publicKey.export({ format: 'jwk' }) }
  if (row.kty === 'EC')
    return { ...generateKeyPairSync('ec', { namedCurve: row.crv }).publicKey.export({ format: 'jwk' }) }
  return { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) }
}

function encode(value: bigint, bytes?: number): string {
  const hex = value.toString(16)
  const length = bytes ?? Math.ceil(hex.length / 2)
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex').toString('base64url')
}

const rsa = (n: bigint, e = 65537n) => ({ kty: 'RSA', n: encode(n), e: encode(e) })
const prime = (bits: number) => generatePrimeSync(bits, { bigint: true })
const bitLength = (value: bigint) => value.toString(2).length

/** `factor` times a prime, with exactly `bits` bits. */
function withFactor(factor: bigint, bits: number): bigint {
  for (let more = 0; ; more = 1 - more) {
    const n = factor * prime(bits - bitLength(factor) + more)
    if (bitLength(n) === bits) return n
  }
}

const good = Object.fromEntries(KEY_SPEC_NAMES.map((spec) => [spec, newKey(spec)])) as Record<KeySpec, PublicJwk>

describe('good keys', () => {
  it.each(KEY_SPEC_NAMES)('a generated %s key has no findings', (spec) => {
    expect(lintKey(spec, good[spec])).toEqual([])
  })

  it('a key of one spec is refused for every spec of another type, curve or size', () => {
    for (const spec of KEY_SPEC_NAMES) {
      for (const other of KEY_SPEC_NAMES) {
        const { alg: _, pss: __, ...a } = { pss: false, ...KEY_SPECS[spec] }
        const { alg: ___, pss: ____, ...b } = { pss: false, ...KEY_SPECS[other] }
        const same = JSON.stringify(a) === JSON.stringify(b)
        expect(lintKey(other, good[spec]).length > 0, `${spec} as ${other}`).toBe(!same)
      }
    }
  })
})

describe('fault 19, weak keys: members and encoding (RFC 7518 section 6, RFC 7638 section 3.2)', () => {
  it.each(KEY_SPEC_NAMES)('private members in a %s key are refused', (spec) => {
    const jwk = { ...good[spec], d: 'AQAB' }
    expect(rules(spec, jwk)).toEqual(['private-members'])
    expect(JSON.stringify(lintKey(spec, jwk))).not.toContain('AQAB')
  })

  it('every private member of RSA and a symmetric key are named', () => {
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      expect(rules('RS256', { ...good.RS256, [name]: 'AQAB' })).toEqual(['private-members'])
    }
  })

  it('missing and foreign members are refused', () => {
    expect(rules('RS256', { ...good.RS256, kid: 'x' })).toEqual(['members'])
    expect(rules('ES256', { ...good.ES256, x5u: 'https://example.test' })).toEqual(['members'])
    expect(rules('RS256', { kty: 'RSA', e: 'AQAB' })).toEqual(['members'])
    expect(rules('RS256', {})).toContain('members')
    expect(rules('ES256', { ...good.ES256, crv: 'P-521' })).toContain('members')
    expect(rules('RS256', { ...good.RS256, kty: 'oct' })).toEqual(['members'])
    expect(rules('RS256', JSON.parse('{"__proto__":{"kty":"RSA"}}'))).toContain('members')
  })

  it.each([
    ['padding', (n: string) => `${n}==`],
    ['the other alphabet', (n: string) => `+${n.slice(1)}`],
    ['white space', (n: string) => `${n.slice(0, 8)}\n${n.slice(8)}`],
    ['non-zero trailing bits', (n: string) => `${n.slice(0, -1)}${n.endsWith('B') ? 'D' : 'B'}`],
    ['a dangling character', (n: string) => `${n}AAA`],
    [
      'a leading zero byte',
      (n: string) => Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]).toString('base64url'),
    ],
    ['an empty value', () => ''],
    ['a number', () => 7],
    ['a megabyte', () => 'A'.repeat(2 ** 20)],
  ])('n with %s is refused', (_, change) => {
    const { n } = good.RS256 as { n: string }
    expect(rules('RS256', { ...good.RS256, n: change(n) })).toEqual(['encoding'])
  })

  it('e with a leading zero byte is refused', () => {
    expect(rules('RS256', { ...good.RS256, e: 'AAEAAQ' })).toEqual(['encoding'])
  })

  it.each(['ES256', 'ES384', 'Ed25519'] as const)(
    'a %s coordinate that is one byte short or long is refused',
    (spec) => {
      const bytes = Buffer.from(String((good[spec] as { x: string }).x), 'base64url')
      for (const changed of [bytes.subarray(1), Buffer.concat([Buffer.alloc(1), bytes])]) {
        expect(rules(spec, { ...good[spec], x: changed.toString('base64url') })).toEqual(['encoding'])
      }
    },
  )
})

describe('fault 19, weak keys: RSA (SP 800-89 section 5.3.3, CVE-2017-15361)', () => {
  it('a 512-bit modulus is refused', () => {
    const jwk = generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey.export({ format: 'jwk' })
    expect(rules('RS256', { ...jwk })).toEqual(['modulus-size'])
  })

  it('one bit less or more than the spec says is refused', () => {
    expect(rules('RS256', rsa(withFactor(prime(1024), 2047)))).toEqual(['modulus-size'])
    expect(rules('RS256', rsa(withFactor(prime(1024), 2049)))).toEqual(['modulus-size'])
  })

  it.each([1n, 3n, 65539n, 65536n])('e = %s is refused', (e) => {
    const n = modulusOf(good.RS256) ?? 0n
    expect(rules('RS256', rsa(n, e))).toEqual(['exponent'])
  })

  it('an even modulus is refused', () => {
    expect(rules('RS256', rsa(withFactor(2n, 2048)))).toEqual(['modulus-even'])
  })

  it.each([3n, 5n, 251n, 743n, 751n])('the small factor %s is found', (factor) => {
    expect(rules('RS256', rsa(withFactor(factor, 2048)))).toEqual(['small-factor'])
  })

  it('the documented bound: 757 is the first prime that is not looked for', () => {
    expect(rules('RS256', rsa(withFactor(757n, 2048)))).toEqual([])
  })

  it('a ROCA key is recognised', () => {
    const n = rocaPrime(1024) * rocaPrime(1024)
    expect(rules('RS256', rsa(n))).toEqual(['roca'])
  })

  it('the ROCA fingerprint does not fire on 200 ordinary moduli', () => {
    const primes = Array.from({ length: 21 }, () => prime(1024))
    const moduli = primes.flatMap((p, at) => primes.slice(0, at).map((q) => p * q)).slice(0, 200)
    expect(moduli).toHaveLength(200)
    for (const n of moduli) expect(rules('RS256', rsa(n))).not.toContain('roca')
  })
})

/** A prime as the faulty library made it: k*M + (65537^a mod M), M the product of the first 126 primes. */
function rocaPrime(bits: number): bigint {
  const first126 = Array.from({ length: 702 }, (_, at) => at).filter((n) => n > 1 && checkPrimeSync(BigInt(n)))
  expect(first126).toHaveLength(126)
  const M = first126.reduce((all, p) => all * BigInt(p), 1n)
  const random = (bytes: number) => BigInt(`0x${randomBytes(bytes).toString('hex')}`)
  const low = (3n * 2n ** BigInt(bits - 2)) / M
  const high = 2n ** BigInt(bits) / M
  for (;;) {
    const k = low + 1n + (random(16) % (high - low - 2n))
    let residue = 1n
    let square = 65537n
    for (let a = random(8); a > 0n; a >>= 1n) {
      if (a % 2n === 1n) residue = (residue * square) % M
      square = square ** 2n % M
    }
    const p = k * M + residue
    if (checkPrimeSync(p)) return p
  }
}

describe('fault 19, weak keys: curve points (SP 800-56A section 5.6.2.3, RFC 8032 section 5.1.3)', () => {
  it.each(['ES256', 'ES384'] as const)('an off-curve %s point is refused', (spec) => {
    const key = good[spec] as { x: string; y: string }
    const x = Buffer.from(key.x, 'base64url')
    x.writeUInt8(x.readUInt8(7) ^ 1, 7)
    expect(rules(spec, { ...key, x: x.toString('base64url') })).toEqual(['point'])
    expect(rules(spec, { ...key, x: key.y, y: key.x })).toEqual(['point'])
    const zero = encode(0n, x.length)
    expect(rules(spec, { ...key, x: zero, y: zero })).toEqual(['point'])
  })

  it('coordinates of p or more are refused even where they reduce to a point', () => {
    const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
    const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
    // (0, sqrt(b)) is on the curve; x = p reduces to it.
    let y = 1n
    for (const bit of ((p + 1n) / 4n).toString(2)) y = (y * y * (bit === '1' ? b : 1n)) % p
    const point = { kty: 'EC', crv: 'P-256', y: encode(y, 32) }
    expect(rules('ES256', { ...point, x: encode(0n, 32) })).toEqual([])
    expect(rules('ES256', { ...point, x: encode(p, 32) })).toEqual(['point'])
  })

  const ed = (hex: string) => ({ kty: 'OKP', crv: 'Ed25519', x: Buffer.from(hex, 'hex').toString('base64url') })

  it.each([
    ['order 1', `01${'00'.repeat(31)}`],
    ['order 2', `ec${'ff'.repeat(30)}7f`],
    ['order 4', '00'.repeat(32)],
    ['order 4, the other sign', `${'00'.repeat(31)}80`],
    ['order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['order 8, the other sign', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
    ['order 8, second', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8, second, the other sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ])('an Ed25519 point of small order is refused: %s', (_, hex) => {
    expect(rules('Ed25519', ed(hex))).toEqual(['small-order'])
  })

  it('an Ed25519 y of p or more is refused', () => {
    expect(rules('Ed25519', ed('ff'.repeat(32)))).toEqual(['point'])
    expect(rules('Ed25519', ed(`ee${'ff'.repeat(30)}7f`))).toEqual(['point'])
  })

  it('an Ed25519 y without an x is refused: about half of all y', () => {
    const refused = Array.from({ length: 64 }, (_, at) => `${(at + 2).toString(16).padStart(2, '0')}${'00'.repeat(31)}`)
      .map((hex) => rules('Ed25519', ed(hex)))
      .filter((found) => found.length > 0)
    expect(refused.every(([rule]) => rule === 'point')).toBe(true)
    expect(refused.length).toBeGreaterThan(16)
    expect(refused.length).toBeLessThan(48)
    // y = 2 has no x; y = 4/5 is the base point.
    expect(rules('Ed25519', ed(`02${'00'.repeat(31)}`))).toEqual(['point'])
    expect(rules('Ed25519', ed(`58${'66'.repeat(31)}`))).toEqual([])
  })
})
