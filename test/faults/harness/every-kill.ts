import { availableParallelism } from 'node:os'
import { afterAll, beforeAll, describe, it, vi } from 'vitest'
import { CEREMONY_KINDS, type CeremonyKind } from '../../../shared/domain/events.ts'
import { type Genesis, makeGenesis } from '../../ceremony/fixtures.ts'
import { Story } from '../../ceremony/kinds.ts'
import './cheap.ts'
import { FAULTS, Failures, UNSURE } from './failures.ts'
import { Run } from './kills.ts'
import { type Row, report, say } from './totals.ts'

/** "npm run faults": a real process killed at every operation of every ceremony, and every operation failing in every way. */

vi.mock('../../../electron/vault/kdf.ts', () => import('./cheap-kdf.ts'))
vi.mock('../../../electron/evidence/draw-pdf.ts', () => import('./cheap-pdf.ts'))

let genesis: Genesis
let story: Story
const KILLED = 'really killed'
const INSIDE = 'really killed inside COMMIT'
const FAILED = 'medium fails, every point'
const killed: Row[] = []
const inside: Row[] = []
const failed: Row[] = []
beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
})
afterAll(() => {
  report(KILLED, killed)
  report(INSIDE, inside)
  report(FAILED, failed)
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

const runs = new Map<CeremonyKind, Promise<Run>>()
const runOf = (kind: CeremonyKind): Promise<Run> => {
  const run = runs.get(kind) ?? Run.of(kind, story)
  runs.set(kind, run)
  return run
}

function done(fault: string, rows: Row[], row: Row): void {
  rows.push(row)
  say(fault, row)
}

describe('a real process killed at every operation', () => {
  it.each(CEREMONY_KINDS)(
    '%s',
    async (kind) => {
      const run = await runOf(kind)
      const survived = await all(run.points, ({ n }) => run.killForReal(n))
      done(KILLED, killed, { kind, points: run.points.length, survived, resumed: run.broughtToEnd })
    },
    HOUR,
  )
})

describe('a real process killed inside every COMMIT', () => {
  it.each(CEREMONY_KINDS)(
    '%s',
    async (kind) => {
      const run = await runOf(kind)
      const commits = run.points.filter(({ operation }) => operation.name === 'COMMIT')
      const moments = commits.flatMap(({ n }) => DELAYS.map((delay) => ({ n, delay })))
      const survived = await all(moments, ({ n, delay }) => run.killInside(n, delay))
      done(INSIDE, inside, { kind, points: moments.length, survived })
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
      for (const n of failures.commits) {
        await failures.at(n, UNSURE)
        survived++
      }
      const points = failures.operations.length * FAULTS.length + failures.commits.length
      done(FAILED, failed, { kind, points, survived, resumed: failures.resumed })
    },
    HOUR,
  )
})
