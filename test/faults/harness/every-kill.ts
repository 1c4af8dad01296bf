import { availableParallelism } from 'node:os'
import { afterAll, beforeAll, describe, it, vi } from 'vitest'
import { CEREMONY_KINDS } from '../../../shared/domain/events.ts'
import { type Genesis, makeGenesis } from '../../ceremony/fixtures.ts'
import { Story } from '../../ceremony/kinds.ts'
import './cheap.ts'
import { FAULTS, Failures } from './failures.ts'
import { Run } from './kills.ts'
import { type Row, report } from './totals.ts'

/** "npm run faults": a real process killed at every operation of every ceremony, and every operation failing in every way. */

vi.mock('../../../electron/vault/kdf.ts', () => import('./cheap-kdf.ts'))

let genesis: Genesis
let story: Story
const killed: Row[] = []
const failed: Row[] = []
beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
})
afterAll(() => {
  report('really killed', killed)
  report('medium fails, every point', failed)
  genesis.remove()
})

/** As many at a time as there are cores. Gives how many were done. */
async function all<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<number> {
  const queue = items.values()
  let done = 0
  const lane = async () => {
    for (const item of queue) {
      await work(item)
      done++
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, lane))
  return done
}

const HOUR = 3_600_000
/** How long after it began a COMMIT is interrupted, in microseconds: it lasts some hundred on a fast disk. */
const DELAYS = [20, 60, 120, 250, 500, 1000, 3000]

describe('a real process killed at every operation', () => {
  it.each(CEREMONY_KINDS)(
    '%s',
    async (kind) => {
      const run = await Run.of(kind, story)
      const survived = await all(run.points, ({ n }) => run.killForReal(n))
      const commits = run.points.filter(({ operation }) => operation.name === 'COMMIT')
      const moments = commits.flatMap(({ n }) => DELAYS.map((delay) => ({ n, delay })))
      const inside = await all(moments, ({ n, delay }) => run.killInside(n, delay))
      killed.push({ kind, points: run.points.length, survived, 'inside COMMIT': inside })
    },
    HOUR,
  )
})

describe('every operation failing in every way', () => {
  it.each(CEREMONY_KINDS)(
    '%s',
    async (kind) => {
      const failures = await Failures.of(kind, story)
      let survived = 0
      for (let n = 1; n <= failures.operations.length; n++)
        for (const fault of FAULTS) {
          await failures.at(n, fault)
          survived++
        }
      failed.push({ kind, points: failures.operations.length * FAULTS.length, survived })
    },
    HOUR,
  )
})
