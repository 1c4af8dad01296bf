import { randomBytes } from 'node:crypto'
import { auditSharedFactors } from '../shared/domain/shared-factors.ts'
import { type Row, sideBySide, sum } from './measure.ts'

const BITS = 2048
/** So many pairs are compared; the time of all of them is in proportion. */
const PAIRS = 10_000

/**
 * The audit of RSA-2048 moduli for shared factors. The numbers are random and odd: what is done with them does not depend
 * on how many factors they have.
 */
export async function factors(): Promise<Row[]> {
  const [few, many] = [moduli(1000), moduli(10_000)]
  const pairs = (few.length * (few.length - 1)) / 2
  const times = await sideBySide(3, {
    pairwise: () => compare(few, PAIRS),
    few: () => auditSharedFactors(few),
  })
  const start = performance.now()
  auditSharedFactors(many)
  const whole = performance.now() - start
  const [audit, pairwise] = [sum(times.few) / 3, (sum(times.pairwise) / 3) * (pairs / PAIRS)]
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  return [
    {
      measure: `shared factors among ${few.length} moduli / a gcd for each of ${pairs} pairs (from ${PAIRS} of them)`,
      figure: `${seconds(audit)} (pairwise ${seconds(pairwise)})`,
      ratio: pairwise / audit,
      target: 60,
    },
    {
      measure: `shared factors among ${many.length} moduli / 25 times the time for ${few.length}`,
      figure: `${seconds(whole)}, ${(whole / audit).toFixed(1)} times the time for ${few.length}`,
      ratio: (25 * audit) / whole,
      target: 1,
    },
  ]
}

const moduli = (count: number): bigint[] =>
  Array.from({ length: count }, () => {
    const number = BigInt(`0x${randomBytes(BITS / 8).toString('hex')}`)
    return number | (1n << BigInt(BITS - 1)) | 1n
  })

/** The peer: Euclid on one pair after the other. */
function compare(list: readonly bigint[], pairs: number): number {
  let shared = 0
  for (let pair = 0; pair < pairs; pair++) {
    const at = pair % (list.length - 1)
    let [a, b] = [list[at] ?? 1n, list[at + 1] ?? 1n]
    while (b !== 0n) [a, b] = [b, a % b]
    if (a !== 1n) shared += 1
  }
  return shared
}
