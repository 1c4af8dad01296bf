import { KEY_SPECS, type KeySpec, type PublicJwk } from './algorithms.ts'
import { product } from './shared-factors.ts'

/**
 * Key lint: what can be told of a key from its public half alone. Pure arithmetic, the same where keys are made and
 * where they are imported. It finds keys that must not be used; it cannot show that a key was made at random.
 */

export type LintRule =
  | 'members'
  | 'private-members'
  | 'encoding'
  | 'modulus-size'
  | 'modulus-even'
  | 'exponent'
  | 'small-factor'
  | 'roca'
  | 'point'
  | 'small-order'

export type Finding = { readonly rule: LintRule; readonly message: string }

const MEMBERS = { RSA: ['kty', 'n', 'e'], EC: ['kty', 'crv', 'x', 'y'], OKP: ['kty', 'crv', 'x'] } as const
/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4: the members that hold secrets. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Lints one public key against its spec. Takes the key exactly as RFC 7638 hashes it: required members only, no `kid`
 * or `use`; any object may be given, nothing in it is trusted. Gives every finding; empty means good. Never throws.
 */
export function lintKey(spec: KeySpec, jwk: PublicJwk | Readonly<Record<string, unknown>>): Finding[] {
  const row = KEY_SPECS[spec]
  const members = new Map<string, unknown>(Object.entries(jwk))
  const findings = lintMembers(row, members)
  if (!MEMBERS[row.kty].every((name) => members.has(name)) || members.get('kty') !== row.kty) return findings
  if (row.kty === 'RSA') return [...findings, ...lintRsa(row.bits, members.get('n'), members.get('e'))]
  if (row.kty === 'EC') return [...findings, ...lintPoint(row.crv, members.get('x'), members.get('y'))]
  return [...findings, ...lintEd25519(members.get('x'))]
}

/** The modulus of an RSA key; undefined for other keys and for spellings that `lintKey` refuses. */
export function modulusOf(jwk: PublicJwk): bigint | undefined {
  return jwk.kty === 'RSA' ? decode(jwk.n)?.value : undefined
}

function lintMembers(row: (typeof KEY_SPECS)[KeySpec], members: ReadonlyMap<string, unknown>): Finding[] {
  const findings: Finding[] = []
  const secret = PRIVATE_MEMBERS.filter((name) => members.has(name))
  if (secret.length > 0) findings.push(finding('private-members', `Private members are present: ${secret.join(', ')}.`))
  const wanted: readonly string[] = MEMBERS[row.kty]
  const missing = wanted.filter((name) => !members.has(name))
  const extra = members.size - (wanted.length - missing.length) - secret.length
  if (missing.length > 0) findings.push(finding('members', `Members are missing: ${missing.join(', ')}.`))
  if (extra > 0) findings.push(finding('members', `${extra} members do not belong to a bare ${row.kty} public key.`))
  const sameCurve = row.kty === 'RSA' || members.get('crv') === row.crv
  if (members.get('kty') !== row.kty || !sameCurve) {
    findings.push(finding('members', `The key type or curve is not the one ${row.alg} uses.`))
  }
  return findings
}

// RSA (SP 800-89 section 5.3.3, CA/Browser Forum Baseline Requirements 6.1.6)

/** The odd primes below 752: the bound of SP 800-89 section 5.3.3. Two is the rule `modulus-even`. */
const SMALL_PRIMES = Array.from({ length: 749 }, (_, at) => at + 3)
  .filter(isSmallPrime)
  .map(BigInt)
const SMALL_PRIMORIAL = product(SMALL_PRIMES)

/**
 * Nemec and others, "The Return of Coppersmith's Attack" (2017), CVE-2017-15361: the faulty primes are k*M + 65537^a
 * mod M, so the modulus lies in the subgroup that 65537 generates modulo every prime of M. Of the published list up to
 * 167 these are the primes where that subgroup is not everything. About one random modulus in 2^28 has the pattern too.
 */
const ROCA_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]
const ROCA_RESIDUES = ROCA_PRIMES.map((prime) => ({ prime: BigInt(prime), residues: subgroupOf65537(prime) }))

function lintRsa(bits: number, n: unknown, e: unknown): Finding[] {
  const [modulus, exponent] = [decode(n), decode(e)]
  if (!modulus || !exponent || hasLeadingZero(modulus) || hasLeadingZero(exponent)) {
    return [finding('encoding', 'n or e is not canonical base64url without leading zero bytes.')]
  }
  const findings: Finding[] = []
  const size = bitLength(modulus.value)
  if (size !== bits) findings.push(finding('modulus-size', `The modulus has ${size} bits instead of ${bits}.`))
  if (modulus.value % 2n === 0n) findings.push(finding('modulus-even', 'The modulus is even.'))
  if (exponent.value !== 65537n) findings.push(finding('exponent', 'The public exponent is not 65537.'))
  const residue = modulus.value % SMALL_PRIMORIAL
  if (SMALL_PRIMES.some((prime) => residue % prime === 0n)) {
    findings.push(finding('small-factor', 'The modulus has a prime factor below 752.'))
  }
  if (ROCA_RESIDUES.every(({ prime, residues }) => residues.has(Number(modulus.value % prime)))) {
    findings.push(finding('roca', 'The modulus has the pattern of the ROCA weakness (CVE-2017-15361).'))
  }
  return findings
}

function subgroupOf65537(prime: number): Set<number> {
  const residues = new Set<number>()
  for (let power = 1; !residues.has(power); power = (power * 65537) % prime) residues.add(power)
  return residues
}

function isSmallPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false
  return true
}

// Curve points (SP 800-56A section 5.6.2.3; the NIST curves have cofactor one, so on the curve is enough)

const CURVES = {
  'P-256': {
    bytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  'P-384': {
    bytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
} as const

function lintPoint(crv: keyof typeof CURVES, xText: unknown, yText: unknown): Finding[] {
  const { bytes, p, b } = CURVES[crv]
  const [x, y] = [decode(xText), decode(yText)]
  if (x?.bytes !== bytes || y?.bytes !== bytes) {
    return [finding('encoding', `x or y is not canonical base64url of exactly ${bytes} bytes.`)]
  }
  const onCurve = (y.value ** 2n - (x.value ** 3n - 3n * x.value + b)) % p === 0n
  if (x.value >= p || y.value >= p || !onCurve) return [finding('point', `The point is not on ${crv}.`)]
  return []
}

const ED_P = 2n ** 255n - 19n
const ED_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/** RFC 8032 section 5.1.3, decoding; then the eight points of small order, which sign nothing. */
function lintEd25519(text: unknown): Finding[] {
  const encoded = decode(text)
  if (encoded?.bytes !== 32) return [finding('encoding', 'x is not canonical base64url of exactly 32 bytes.')]
  const y = BigInt.asUintN(255, reverseBytes(encoded.value))
  const y2 = y ** 2n % ED_P
  // Orders 1 and 2 have y^2 = 1, order 4 has y = 0, and order 8 doubles to y = 0, which is d*y^4 + 2*y^2 = 1.
  const smallOrder = y2 === 0n || y2 === 1n || (ED_D * y2 * y2 + 2n * y2 - 1n) % ED_P === 0n
  if (y < ED_P && smallOrder) return [finding('small-order', 'The point has small order.')]
  // x^2 = (y^2 - 1) / (d*y^2 + 1) has a root exactly where numerator times denominator is a square (Euler).
  const square = ((y2 - 1n + ED_P) * (ED_D * y2 + 1n)) % ED_P
  if (y >= ED_P || power(square, (ED_P - 1n) / 2n, ED_P) !== 1n) {
    return [finding('point', 'The point is not on Ed25519.')]
  }
  return []
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) result = (result * result * (bit === '1' ? base : 1n)) % modulus
  return result
}

// Numbers from base64url

type Decoded = { readonly value: bigint; readonly bytes: number }

/** Each base64url character as its six bits in octal. */
const SEXTETS = new Map(
  Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', (char, at) => [
    char,
    at.toString(8).padStart(2, '0'),
  ]),
)

/** Canonical base64url (RFC 4648 sections 3.5 and 5, no padding) up to 1024 characters as a big-endian number. */
function decode(text: unknown): Decoded | undefined {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]{1,1024}$/.test(text) || text.length % 4 === 1) return undefined
  const padded = BigInt(`0o${Array.from(text, (char) => SEXTETS.get(char)).join('')}`)
  const spare = (text.length * 6) % 8
  if (BigInt.asUintN(spare, padded) !== 0n) return undefined
  return { value: padded >> BigInt(spare), bytes: (text.length * 6 - spare) / 8 }
}

function hasLeadingZero({ value, bytes }: Decoded): boolean {
  return bitLength(value) <= (bytes - 1) * 8
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length
}

/** The 32 bytes of a number in the other order. */
function reverseBytes(value: bigint): bigint {
  const bytes = value.toString(16).padStart(64, '0').match(/../g) ?? []
  return BigInt(`0x${bytes.reverse().join('')}`)
}

function finding(rule: LintRule, message: string): Finding {
  return { rule, message }
}
