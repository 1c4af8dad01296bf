import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { restoreRuntime } from '../../electron/issuer/keeping/restore.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { holdingsOf } from '../../shared/domain/holdings.ts'
import { type Genesis, makeGenesis, tenantPlan } from '../ceremony/fixtures.ts'
import { configure } from '../issuer/keeping.ts'

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis()
})
afterAll(() => genesis.remove())

it('fault 32: the vault takes the receipts of a restored runtime, and its ledger knows what came back and went', async () => {
  const room = genesis.room()
  await room.onboard(tenantPlan('acme'))
  const first = await room.runtime()
  await room.handoff(first)
  await first.runtime.close()
  const place = join(room.base, 'second-place')
  const key = join(room.base, 'storage.key')
  mkdirSync(place)
  copyFileSync(join(first.dir, 'storage.key'), key)
  configure(first.dir, { secondPlace: place })
  const live = { ...first, runtime: await openRuntime({ dir: first.dir, clock: room.clock }) }
  await room.intake(live)
  const backup = await live.runtime.backup(room.media, 'Olga')
  await room.handoff(live)
  const files = [...room.written]
  const kid = (await live.runtime.status()).tenants[0]?.signingKids[0] ?? ''
  await live.runtime.taint('acme', kid, { withdraw: true, actor: 'Olga' })
  const taken = await room.intake(live)
  const known = taken.state.runtimes.get('eu-one')
  expect(known && holdingsOf(taken.state, known).keys.get(kid)?.at(-1)?.to).toBeTypeOf('number')
  await live.runtime.close()
  rmSync(live.dir, { recursive: true })

  const dir = join(room.base, 'again')
  const options = { file: backup.path, dir, storageKeyFile: key, secondPlace: place, actor: 'Olga' }
  expect((await restoreRuntime(options)).caughtUp).toMatchObject({ erased: 1, bundle: 2 })
  const importing = await openRuntime({ dir, clock: room.clock, awaiting: true })
  await importing.importFiles(files)
  await importing.close()
  const restored = { ...live, dir, runtime: await openRuntime({ dir, clock: room.clock }) }
  const { state } = await room.intake(restored)
  const runtime = state.runtimes.get('eu-one')
  if (!runtime) throw new Error('no runtime')
  const spans = holdingsOf(state, runtime).keys.get(kid) ?? []
  expect(spans.length).toBeGreaterThan(1)
  expect(spans.every(({ to }) => to !== null)).toBe(true)
  await room.handoff(restored)
  expect((await restored.runtime.status()).bundle?.number).toBe(3)
  await restored.runtime.close()
})
