import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CEREMONY_KINDS, type CeremonyKind } from '../../shared/domain/events.ts'
import { type Genesis, makeGenesis } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'
import './harness/cheap.ts'
import { FAULTS, Failures } from './harness/failures.ts'
import { EVERY, Spread } from './harness/spread.ts'
import { type Row, report } from './harness/totals.ts'

/**
 * Fault 2: ENOSPC, EIO, read-only at the n-th write or fsync, also while the vault moves to a new file key [no success
 * shown, no file under a final name, the vault opens].
 */

vi.mock('../../electron/vault/kdf.ts', () => import('./harness/cheap-kdf.ts'))
vi.mock('../../electron/evidence/draw-pdf.ts', () => import('./harness/cheap-pdf.ts'))

let genesis: Genesis
let story: Story
const rows: Row[] = []
/** Some seconds each on a quiet machine. */
const LONG = 600_000
beforeAll(async () => {
  genesis = await makeGenesis()
  story = new Story(genesis)
})
afterAll(() => {
  report('medium fails', rows)
  genesis.remove()
})

describe(`a medium that fails at any operation: the error says so, nothing shows success, and the ceremony resumes (first, last and every ${EVERY}th point of each kind, each operation with each error; "npm run faults": all)`, () => {
  const spread = new Spread()

  it.each(CEREMONY_KINDS)(
    '%s',
    async (kind) => {
      const failures = await Failures.of(kind, story)
      const { operations, distinct, commits } = failures
      const tries = spread.of(failures)
      for (const { n, fault } of tries) await failures.at(n, fault)
      const tried = tries.length
      const points = distinct.length + commits.length
      rows.push({ kind, points, tried, survived: tried, operations: operations.length, resumed: failures.resumed })
    },
    LONG,
  )

  it('each operation met each error', () => {
    const errors = FAULTS.map(({ name }) => name)
    for (const [name, met] of spread.met) expect([...met], name).toEqual(expect.arrayContaining(errors))
    expect(spread.met.size).toBeGreaterThan(0)
  })
})

describe('a medium that is really full', () => {
  it('the vault may not grow beyond some pages (max_page_count): medium-full, and it resumes', async () => {
    const failures = await Failures.of('onboard', story)
    const codes: (string | null)[] = []
    for (const more of [0, 1, 2, 4, 8, 100])
      codes.push(
        await failures.under(({ name, db }) => {
          if (name === 'BEGIN EXCLUSIVE; COMMIT')
            db?.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true })) + more}`)
        }),
      )
    expect(codes[0]).toBe('medium-full')
    expect(codes.at(-1)).toBeNull()
    expect(new Set(codes)).toEqual(new Set(['medium-full', null]))
  })

  it('the new file that a vault moves to may not grow beyond some pages: medium-full, and the old file goes on', async () => {
    const failures = await Failures.of('destroy', story)
    const codes: (string | null)[] = []
    for (const pages of [1, 2, 5, 9, 13, 1000])
      codes.push(
        await failures.under(({ name, path, db }) => {
          if (path.endsWith('.next') && name === 'BEGIN EXCLUSIVE; COMMIT') db?.pragma(`max_page_count = ${pages}`)
        }),
      )
    expect(codes).toEqual([...Array(5).fill('medium-full'), null])
  })

  const LIMITED: [CeremonyKind, readonly number[]][] = [
    ['handoff', [1, 8, 96, 4096]],
    ['destroy', [1, 64, 120, 4096]],
  ]
  it.each(LIMITED)('%s in a process whose files may not grow beyond some blocks (ulimit -f)', async (kind, blocks) => {
    const failures = await Failures.of(kind, story)
    const ends = await Promise.all(blocks.map((size) => failures.limited(`ulimit -f ${size}`)))
    expect(ends.at(-1)).toBe('completed')
    for (const end of ends.slice(0, -1)) expect(['medium-full', 'medium-failed']).toContain(end)
  })
})
