import { generateKeyPairSync } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { generateKeys } from '../electron/keys/generator.ts'
import { type Row, sideBySide, sum } from './measure.ts'

const ROUNDS = 4

/**
 * Fleet generation: the RSA-2048 keys of many tenants, a fresh process for each tenant, on every core, against one core
 * that makes as many keys with nothing but generateKeyPairSync. With one key per tenant the start of the process weighs
 * most; with four (two signing periods ahead, the first key and a standby) it is what a first ceremony makes.
 */
export async function fleet(tenants: number): Promise<Row[]> {
  return [await compare(tenants, 1), await compare(tenants, 4)]
}

async function compare(tenants: number, keysEach: number): Promise<Row> {
  const share = Math.max(1, Math.round(tenants / ROUNDS))
  const specs = Array.from({ length: keysEach }, () => 'RS256' as const)
  const jobs = Array.from({ length: share }, (_, at) => ({ tenant: `tenant-${at}`, specs }))
  const count = ROUNDS * share
  const times = await sideBySide(
    ROUNDS,
    {
      raw: () => {
        for (let at = 0; at < share * keysEach; at++) {
          generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 65537 })
        }
      },
      fleet: () => generateKeys(jobs),
    },
    { warmUp: false, onRound: (done) => process.stderr.write(`fleet: ${done * share} of ${count} tenants\n`) },
  )
  // Sums, not medians: how long a prime search takes varies by chance, and the mean is what a ceremony waits for.
  const [raw, made] = [sum(times.raw), sum(times.fleet)]
  const perKey = (time: number) => `${(time / (count * keysEach)).toFixed(1)} ms`
  return {
    measure: `${count} tenants, ${keysEach} RSA-2048 each, a process per tenant, ${availableParallelism()} cores / raw, one core`,
    figure: `${(made / 1000).toFixed(1)} s (${perKey(made)} a key; raw ${perKey(raw)})`,
    ratio: raw / made,
    target: 1.5,
  }
}
