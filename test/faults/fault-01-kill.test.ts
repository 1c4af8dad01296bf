import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Genesis, makeGenesis } from '../ceremony/fixtures.ts'
import { KINDS, Story, WANTED } from '../ceremony/kinds.ts'
import './harness/cheap.ts'
import { Run } from './harness/kills.ts'
import { type Row, report } from './harness/totals.ts'

/** Fault 1: process killed at every file-system and SQL step of every ceremony [old or new state, resume or audited abort]. */

vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))

let genesis: Genesis
let story: Story
const rows: Row[] = []
beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
})
afterAll(() => {
  report('killed', rows)
  genesis.remove()
})

it('every kind of ceremony has an entry in test/ceremony/kinds.ts', () => {
  expect(Object.keys(KINDS).sort()).toEqual([...WANTED].sort())
})

/** Real processes are killed at these parts of a ceremony; "npm run faults" kills one at every operation. */
const SAMPLE = [0.3, 0.6, 0.9]

describe('stopped before any operation, the vault opens in the old state or the new, and the ceremony goes on', () => {
  it.each(WANTED)(
    '%s',
    async (kind) => {
      const run = await Run.of(kind, story)
      const inside = await run.insideCommits()
      const resumed = await run.everyClass()
      const points = run.points.length
      const killed = SAMPLE.map((part) => Math.ceil(part * points))
      await Promise.all(killed.map((n) => run.killForReal(n)))
      await run.killInside(lastCommit(run), 200)
      rows.push({ kind, points, survived: points, 'inside COMMIT': inside, resumed, 'real kills': killed.length + 1 })
    },
    120_000,
  )
})

const lastCommit = (run: Run): number => run.points.findLast(({ operation }) => operation.name === 'COMMIT')?.n ?? 0
