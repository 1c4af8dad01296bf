import { generatePrimeSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditSharedFactors } from '../../shared/domain/shared-factors.ts'

const prime = (bits: number) => generatePrimeSync(bits, { bigint: true })
const [p, q, r, s] = [prime(512), prime(512), prime(512), prime(512)] as const
const moduli = (count: number) => Array.from({ length: count }, () => prime(256) * prime(256))

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b)
}
/** What the audit must say: every pair compared. */
const byPairs = (list: readonly bigint[], known: readonly bigint[]) =>
  list.flatMap((n, at) =>
    [...list.filter((_, other) => other !== at), ...known].some((other) => gcd(n, other) !== 1n) ? [at] : [],
  )

describe('fault 19, weak keys: shared factors and duplicates', () => {
  it('names exactly the moduli that share a factor, one of them or both', () => {
    expect(auditSharedFactors([p * q, r * s, prime(256) * q, prime(256) * prime(256)])).toEqual([0, 2])
    expect(auditSharedFactors([p * q, q * p, r * s])).toEqual([0, 1])
    expect(auditSharedFactors([p * q, q * r, r * s])).toEqual([0, 1, 2])
  })

  it('names copies, also three of one', () => {
    expect(auditSharedFactors([p * q, r * s, p * q])).toEqual([0, 2])
    expect(auditSharedFactors([p * q, p * q, p * q, r * s])).toEqual([0, 1, 2])
  })

  it('none and one share nothing', () => {
    expect(auditSharedFactors([])).toEqual([])
    expect(auditSharedFactors([p * q])).toEqual([])
  })

  it('finds what was planted among many, wherever it stands', () => {
    for (const count of [63, 64, 65]) {
      const list = moduli(count)
      const [here, there] = [count >> 2, count - 1]
      list[here] = p * prime(256)
      list[there] = p * prime(256)
      expect(auditSharedFactors(list)).toEqual([here, there])
    }
  })

  it('compares new moduli with those known, which are not named themselves', () => {
    const known = [p * q, p * s, ...moduli(20)]
    expect(auditSharedFactors([prime(256) * r, q * r], known)).toEqual([0, 1])
    expect(auditSharedFactors([prime(256) * prime(256), p * q], known)).toEqual([1])
    expect(auditSharedFactors([], known)).toEqual([])
    expect(auditSharedFactors(moduli(3), [])).toEqual([])
  })

  it('property: agrees with comparing every pair', () => {
    const small = [3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n, 59n, 61n, 67n, 71n, 73n, 79n]
    const modulus = fc.tuple(fc.constantFrom(...small), fc.constantFrom(...small)).map(([a, b]) => a * b)
    fc.assert(
      fc.property(fc.array(modulus, { maxLength: 12 }), fc.array(modulus, { maxLength: 3 }), (list, known) => {
        expect(auditSharedFactors(list, known)).toEqual(byPairs(list, known))
      }),
      { numRuns: 500 },
    )
  })
})
