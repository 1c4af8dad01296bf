import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { count } from '../../shared/domain/plural.ts'
import { must } from '../../shared/errors.ts'
import { wipe } from '../../shared/formats/bytes.ts'

/** Rolls of dice, for rooms that want a source of randomness that they can see. */

/** log2(6): what one roll of a fair die holds. */
const BITS_PER_ROLL = Math.log2(6)
const POOL = '/dev/urandom'

/** Digits 1 to 6, spaces between them as people like. Code `plan-invalid` for anything else or for fewer than `least`. */
export function parseRolls(text: string, least: number): string {
  const rolls = text.replace(/\s/g, '')
  must(/^[1-6]*$/.test(rolls), 'plan-invalid', 'Rolls of dice are digits from 1 to 6.')
  must(rolls.length >= least, 'plan-invalid', `${count(least, 'roll')} are asked for; ${rolls.length} were given.`)
  return rolls
}

/**
 * Hashes rolls and writes the digest into the system's random pool, from which every generating process is seeded. The
 * kernel credits nothing for it and mixes it in (random(4)), so it cannot make the pool worse. Gives one sentence for
 * the record: what was done, and what it does not show. `pool` is the device to write to.
 */
export function stirIn(rolls: string, pool = POOL): string {
  const bits = Math.floor(rolls.length * BITS_PER_ROLL)
  const said = `${count(rolls.length, 'roll')} of dice (up to ${bits} bits if the dice are fair and nobody else saw them)`
  const bytes = createHash('sha256').update('keyrite dice 1').update(rolls).digest()
  try {
    write(pool, bytes)
  } catch {
    return `${said} were typed, but this system has no way to mix them in: they add nothing to the keys.`
  } finally {
    wipe(bytes)
  }
  return `${said} were mixed into the system's random pool. They cannot weaken it, and they protect against a pool that is weak for honest reasons; that the keys depend on them cannot be shown afterwards, and a machine that lies can ignore them.`
}

function write(pool: string, bytes: Uint8Array): void {
  const device = openSync(pool, 'r+')
  try {
    writeSync(device, bytes)
  } finally {
    closeSync(device)
  }
}
