import { Random } from './random.ts'

/**
 * How fuzzing goes: KEYRITE_FUZZ_CASES says how many cases each target gets (2,000 when nothing is said, which takes
 * seconds), KEYRITE_FUZZ_SEED which ones. A failure names its seed and case; the same two make the same case again.
 */

const wanted = process.env['KEYRITE_FUZZ_CASES']
const CASES = Number(wanted ?? 2000)
const SEED = Number(process.env['KEYRITE_FUZZ_SEED'] ?? 1)

/** A test of a long round may take so long, in milliseconds. */
export const TIMEOUT = wanted === undefined ? 120_000 : 3_600_000

/**
 * Tries the cases of one target, `atOnce` of them at a time. `share` is the part of the cases that a slow target gets.
 * Throws with the first case that fails.
 */
export async function rounds(
  target: string,
  one: (random: Random, at: number) => Promise<void> | void,
  { share = 1, atOnce = 1 }: { share?: number; atOnce?: number } = {},
): Promise<void> {
  const count = Math.ceil(CASES * share)
  const started = performance.now()
  let next = 0
  const lane = async () => {
    while (next < count) {
      const at = next++
      try {
        await one(new Random(SEED, at), at)
      } catch (cause) {
        next = count
        throw new Error(`${target}: case ${at} of seed ${SEED} failed: ${(cause as Error).message}`, { cause })
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (wanted !== undefined) process.stderr.write(`fuzz: ${target}: ${count} cases of seed ${SEED} in ${seconds} s\n`)
}
