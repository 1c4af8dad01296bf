import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CEREMONY_KINDS } from '../../shared/domain/events.ts'
import { type Genesis, makeGenesis } from '../ceremony/fixtures.ts'
import { Story } from '../ceremony/kinds.ts'
import './harness/cheap.ts'
import { Run } from './harness/kills.ts'
import { FILE_CALLS, PATH_CALLS } from './harness/points.ts'
import { type Row, report } from './harness/totals.ts'

/** Fault 1: process killed at every file-system and SQL step of every ceremony [old or new state, resume or audited abort]. */

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
  report('killed', rows)
  genesis.remove()
})

/** The calls of node:fs that change nothing. */
const HARMLESS = [
  'accessSync',
  'closeSync',
  'constants',
  'createReadStream',
  'existsSync',
  'fstatSync',
  'globSync',
  'lstatSync',
  'readFileSync',
  'readSync',
  'readdirSync',
  'realpathSync',
  'statSync',
  'statfsSync',
]

it('every call of node:fs that the code imports is counted, or changes nothing', () => {
  const root = new URL('../../electron/', import.meta.url)
  const counted: readonly string[] = [
    'openSync',
    ...[...PATH_CALLS, ...FILE_CALLS].flatMap((name) => [name, `${name}Sync`]),
  ]
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const text = readFileSync(new URL(name, root), 'utf8')
      const imports = text.matchAll(/^import ([\w* ]+|\{[^}]*\}) from 'node:fs(?:\/promises)?'$/gm)
      return [...imports].flatMap(([, names = '']) =>
        names
          .replace(/[{}]/g, '')
          .split(',')
          .map((one) => one.trim()),
      )
    })
    .filter((name) => name !== '' && !name.startsWith('type '))
  expect(found.length).toBeGreaterThan(50)
  expect(found.filter((name) => !counted.includes(name) && !HARMLESS.includes(name))).toEqual([])
})

/** A real process is killed at one part of each ceremony, another for each; "npm run faults" kills one at every operation. */
const partOf = (index: number): number => ((index * 7 + 3) % 10) / 10 + 0.05

describe('stopped before any operation, the vault opens in the old state or the new, and the ceremony goes on', () => {
  it.each(CEREMONY_KINDS)(
    '%s',
    async (kind) => {
      const run = await Run.of(kind, story)
      const inside = await run.insideCommits()
      const resumed = await run.everyClass()
      const points = run.points.length
      const killed = [Math.ceil(partOf(CEREMONY_KINDS.indexOf(kind)) * points), lastCommit(run)] as const
      await Promise.all([run.killForReal(killed[0]), run.killInside(killed[1], 200)])
      rows.push({ kind, points, survived: points, 'inside COMMIT': inside, resumed, 'real kills': killed.length })
    },
    LONG,
  )
})

const lastCommit = (run: Run): number => run.points.findLast(({ operation }) => operation.name === 'COMMIT')?.n ?? 0
