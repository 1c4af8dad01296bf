import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { keysOf } from '../../shared/domain/state.ts'
import { hexGroups } from '../../shared/formats/fingerprint.ts'
import { merkleRootOf } from '../../shared/formats/merkle.ts'
import { filesOf, type Genesis, makeGenesis, type Room, tenantPlan } from './fixtures.ts'

/** A fleet in one sitting (lifecycle.md "Many at once"): 200 tenants onboarded, and rotated a quarter later. */

const TENANTS = 200
let genesis: Genesis
let room: Room
beforeAll(async () => {
  genesis = await makeGenesis()
  room = genesis.room()
}, 60_000)
afterAll(() => genesis.remove())

const names = Array.from({ length: TENANTS }, (_, index) => `tenant-${index + 1}`)

it('200 tenants are onboarded under one digest, and rotated a quarter later under another, in one record each', async () => {
  const said: [number, number][] = []
  const watch = { ports: (ports: ReturnType<Room['ports']>) => ({ ...ports, progress: watchProgress(said) }) }
  const onboarded = await room.run({ kind: 'onboard', tenants: names.map((id) => tenantPlan(id)) }, watch)
  const first = [...onboarded.state.keys.keys()]
  expect(first).toHaveLength(TENANTS * 3)
  expect(said.at(-1)).toEqual([TENANTS, TENANTS])
  const digestOf = (kids: string[]) => hexGroups(merkleRootOf(kids)).join(' ')
  expect(onboarded.result.steps.at(-1)?.observed).toContain(digestOf(first))

  room.clock.advance(95 * DAY)
  const rotated = await room.run({ kind: 'rotate', tenants: 'all', endingWithin: '200d' })
  const second = [...rotated.state.keys.keys()].filter((kid) => !first.includes(kid))
  expect(second).toHaveLength(TENANTS)
  expect(rotated.result.steps.at(-1)?.observed).toContain(digestOf(second))
  for (const id of names) expect(keysOf(rotated.state, id)).toHaveLength(4)

  const anchor = filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? ''
  const folders = [onboarded.result.recordFolder, rotated.result.recordFolder]
  const report = await verifyFiles(folders, join(room.media, anchor), room.clock.now())
  expect(report.files.filter((file) => !file.ok)).toEqual([])
  expect((await room.verify()).tail).toBeNull()
}, 240_000)

const watchProgress = (said: [number, number][]) => (label: string, done: number, total: number) => {
  if (label === 'Making keys') said.push([done, total])
}
