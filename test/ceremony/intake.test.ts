import { cpSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { type Genesis, makeGenesis, tenantPlan } from './fixtures.ts'

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis()
})
afterAll(() => genesis.remove())

const HOUR = 3600

it('fault 7: receipts that tell of a bundle this copy never exported show that the vault is an older copy', async () => {
  const room = genesis.room()
  await room.onboard(tenantPlan('acme'))
  const live = await room.runtime()
  await room.handoff(live)
  await room.intake(live)
  cpSync(room.vault, `${room.vault}.older`, { recursive: true })
  await room.handoff(live)
  await live.runtime.tick()
  const { path } = await live.runtime.exportReceipts(room.media)
  await live.runtime.close()
  rmSync(room.vault, { recursive: true })
  cpSync(`${room.vault}.older`, room.vault, { recursive: true })
  const error = await room.refused({ kind: 'intake', runtime: live.id, receipts: basename(path) }, 'vault-rolled-back')
  expect(error.message).toContain('imported bundle 2')
})

it('receipts made over 10 minutes ahead of the vault are refused, with the difference named', async () => {
  const room = genesis.room()
  await room.onboard(tenantPlan('acme'))
  const live = await room.runtime()
  await room.handoff(live)
  await live.runtime.close()
  const ahead = { now: () => room.clock.now() + HOUR, monotonic: () => room.clock.now() }
  const runtime = await openRuntime({ dir: live.dir, clock: ahead })
  await runtime.clients.add('acme', { clientId: 'shop', method: 'client_secret_basic', audiences: ['api'] }, 'operator')
  const { path } = await runtime.exportReceipts(room.media)
  await runtime.close()
  const error = await room.refused({ kind: 'intake', runtime: live.id, receipts: basename(path) }, 'file-from-future')
  expect(error.message).toContain('1 hour')
})
