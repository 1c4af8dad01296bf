import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { failure, type Genesis, issuerOf, makeGenesis, type Room, type TestRuntime, tenantPlan } from './fixtures.ts'

/** A handoff that never arrives: the vault signs over its number, and its keys go again (decision 0010). */

let genesis: Genesis
let room: Room
let live: TestRuntime
/** The files of handoff 2, which nobody brought to the runtime. */
let lost: string[]
beforeAll(async () => {
  genesis = await makeGenesis()
  room = genesis.room()
  await room.onboard(tenantPlan('acme'))
  live = await room.runtime()
  await room.handoff(live)
  await room.intake(live)
  await room.onboard(tenantPlan('globex'))
  await room.run({ kind: 'handoff', runtime: 'eu-one', tenants: 'all' })
  lost = [...room.written]
})
afterAll(async () => {
  await live.runtime.close()
  genesis.remove()
})

const plan = (more: object = {}) => ({ kind: 'handoff', runtime: 'eu-one', tenants: 'all', ...more })
async function manifest(state: VaultState) {
  const anchor = await openTrustAnchor(state.anchor)
  return (await readBundle(room.written.find((path) => path.includes('bundle-')) ?? '', anchor)).manifest
}

describe('a lost handoff', () => {
  it('is not assumed: without a word in the plan the next one is refused, and the hint says which word', async () => {
    const error = await room.refused(plan(), 'ceremony-conflict')
    expect(error.hint).toContain('"lost": 2')
  })

  it('is named by its number: any other is refused', async () => {
    await room.refused(plan({ lost: 1 }), 'ceremony-conflict')
    await room.refused(plan({ lost: 3 }), 'ceremony-conflict')
  })

  it('is signed over: the catch-up carries its keys again, and the runtime takes it although a number is missing', async () => {
    const { state } = await room.run(plan({ lost: 2 }))
    expect(await manifest(state)).toMatchObject({ number: 3, catchUp: { from: 2, to: 2 } })
    const [, second, third] = state.runtimes.get('eu-one')?.handoffs ?? []
    expect(third?.keys).toEqual(second?.keys)
    await live.runtime.importFiles(room.written)
    await live.runtime.tick()
    const service = await live.runtime.find(new URL(issuerOf('globex')).host, '')
    expect(await service?.signer('ES256', room.clock.now())).toBeTruthy()
  })

  it('is refused by the runtime if it turns up after all, and its file closes with the erased transport key', async () => {
    const bundle = lost.find((path) => path.includes('bundle-')) ?? ''
    expect((await failure(live.runtime.importFiles([bundle]))).code).toBe('bundle-lower')
    const { state } = await room.intake(live)
    const key = [...state.keys.values()].find((one) =>
      state.runtimes.get('eu-one')?.handoffs[1]?.keys.includes(one.kid),
    )
    const files = key ? copiesOf(state, key).filter((copy) => copy.id.startsWith('file:')) : []
    expect(files.map(({ id, status }) => [id, status])).toEqual([
      ['file:eu-one:2', 'stated'],
      ['file:eu-one:3', 'stated'],
    ])
    for (const path of lost) rmSync(path)
  })

  it('that arrived all the same: the runtime refuses the catch-up as a fork, and its receipts put things right', async () => {
    await room.run(plan())
    const arrived = [...room.written]
    await room.run(plan({ lost: 4 }))
    const catchUp = room.written.find((path) => path.includes('bundle-')) ?? ''
    await live.runtime.importFiles(arrived)
    expect((await failure(live.runtime.importFiles([catchUp]))).code).toBe('bundle-forked')
    await room.intake(live)
    const { state } = await room.run(plan({ lost: 5 }))
    expect(await manifest(state)).toMatchObject({ number: 6, catchUp: { from: 5, to: 5 } })
    await live.runtime.importFiles(room.written)
  })
})
