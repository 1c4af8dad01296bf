import { describe, expect, it } from 'vitest'
import { openRuntime } from '../../../electron/issuer/runtime.ts'
import { temporaryFolder } from '../fixtures.ts'
import { serving, until } from '../serving/process.ts'
import { Load, signerNow } from './load.ts'
import { addClient, fresh, keyrite, nextHandoff, type Ours, receiptsOf, runtimeOf, statedTwice } from './runtime.ts'
import { ownServer } from './server.ts'

/** Tenants imported while serving: no restart, no failed request (issuer.md, "Behaviour"), on both kinds of store. */

const postgres = ownServer()
const MANY = 300
/** What a request may take, in milliseconds, on a machine that does much else. */
const PATIENCE = 2500

async function importedUnderLoad(ours: Ours): Promise<void> {
  const { url } = await serving(ours.dir, '--workers', '2', '--port', '0')
  const many = Array.from({ length: MANY }, (_, at) => `t${at}`)
  const second = await nextHandoff(ours, fresh(many))
  const load = new Load(url, ours.clients, 6)
  const working = (more: number) => {
    const { tokens } = load.counts
    return until(
      () => (load.counts.tokens > tokens + more ? true : null),
      () => JSON.stringify(load.counts),
    )
  }
  await working(50)
  const before = load.counts.tokens
  await keyrite('import', '--dir', ours.dir, second.bundle, second.material ?? '')
  const during = load.counts.tokens - before
  for (const tenant of ['t0', `t${MANY - 1}`]) {
    const client = await addClient(ours.dir, tenant)
    expect(typeof (await signerNow(url, client))).toBe('string')
    load.join(client)
  }
  await working(50)
  const counts = await load.stop()
  expect(counts.failed).toEqual({})
  expect(counts.cut).toBe(0)
  expect(counts.slowest).toBeLessThan(PATIENCE)
  expect(during).toBeGreaterThan(20)
  const { tenants } = await load.verified()
  expect([...tenants].sort()).toEqual(['acme', 'beta', 'gamma', 't0', `t${MANY - 1}`])
  expect(statedTwice(await receiptsOf(ours))).toEqual([])
  const runtime = await openRuntime({ dir: ours.dir })
  const { bundle, tenants: all } = await runtime.status()
  await runtime.close()
  expect([bundle?.number, all.length]).toEqual([2, MANY + 3])
  expect(all.every(({ signingKids }) => signingKids.length === 1)).toBe(true)
}

describe(`a bundle of ${MANY} tenants imported by a command while others are served`, () => {
  it('costs no request of two processes on one file', async () => {
    await importedUnderLoad(await runtimeOf(fresh(['acme', 'beta', 'gamma'])))
  })

  it('costs no request of two processes on PostgreSQL', async (ctx) => {
    const place = await postgres(ctx).database(temporaryFolder())
    await importedUnderLoad(await runtimeOf(fresh(['acme', 'beta', 'gamma']), place))
  })
})
