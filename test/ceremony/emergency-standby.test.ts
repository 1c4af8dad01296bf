import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { keysOf, type VaultKey } from '../../shared/domain/state.ts'
import { type Genesis, issuerOf, makeGenesis, type Room, type TestRuntime, tenantPlan } from './fixtures.ts'

/** A taint at the runtime had a hot standby key take over: the emergency ceremony that follows goes on from there. */

let genesis: Genesis
beforeAll(async () => {
  genesis = await makeGenesis()
})
afterAll(() => genesis.remove())

const standbyOf = (keys: VaultKey[]): VaultKey | undefined => keys.find((key) => key.standby)
const signing = async ({ runtime }: TestRuntime, tenant: string) =>
  (await runtime.status()).tenants.find((one) => one.tenant === tenant)?.signingKids
const how = { withdraw: true, actor: 'night shift' }

/** A runtime with globex, which has a hot standby key, and initech, two months after its handoff. */
async function serving(): Promise<{ room: Room; at: TestRuntime }> {
  const room = genesis.room()
  await room.onboard(tenantPlan('globex', { policy: { standby: 'hot' } }), tenantPlan('initech'))
  const at = await room.runtime()
  await room.handoff(at)
  await room.intake(at)
  room.clock.advance(60 * DAY)
  await at.runtime.tick()
  return { room, at }
}

describe('a standby key that a taint called upon', () => {
  it('takes over in the vault as of its receipt, and signs on through the handoff', async () => {
    const { room, at } = await serving()
    const standby = standbyOf(keysOf(await room.state(), 'globex'))
    const [stolen = ''] = (await signing(at, 'globex')) ?? []
    const calledAt = room.clock.now()
    const tainted = await at.runtime.taint('globex', stolen, how)
    expect(tainted.standbys).toEqual([standby?.kid])
    expect(await signing(at, 'globex')).toEqual([standby?.kid])
    room.clock.advance(9 * HOUR)
    await room.intake(at)
    const before = keysOf(await room.state(), 'globex')
    const { state } = await room.run({ kind: 'emergency', scope: { key: stolen }, reason: 'Seen on a public page' })
    const keys = keysOf(state, 'globex')
    const called = keys.find((key) => key.kid === standby?.kid)
    expect(called).toMatchObject({ replaces: stolen, times: { signFrom: calledAt, propagation: 'full' } })
    expect(called?.standby).toBeUndefined()
    // Nothing is made but the next one to stand by.
    const made = keys.filter((key) => !before.some((one) => one.kid === key.kid))
    expect(made.map((key) => key.standby)).toEqual([true])
    await room.handoff(at)
    expect(await signing(at, 'globex')).toEqual([standby?.kid])
    expect((await room.verify()).tail).toBeNull()
    await at.runtime.close()
  })

  it('is gone with the whole tenant: the emergency for the tenant makes new keys, and the other tenant goes on', async () => {
    const { room, at } = await serving()
    const others = await signing(at, 'initech')
    const done = await at.runtime.taintTenant('globex', how)
    expect(done).toMatchObject({ standbys: [], unsigned: ['ES256'] })
    await room.intake(at)
    const known = keysOf(await room.state(), 'globex').map(({ kid }) => kid)
    const { state } = await room.run({ kind: 'emergency', scope: { tenant: 'globex' }, reason: 'A stolen disk' })
    await room.handoff(at)
    const [signer = ''] = (await signing(at, 'globex')) ?? []
    expect(known).not.toContain(signer)
    expect(keysOf(state, 'globex').map(({ kid }) => kid)).toContain(signer)
    expect(await signing(at, 'initech')).toEqual(others)
    await at.runtime.close()
  })
})

it('anchors of issuance logs and rejected tokens are receipts that an intake takes', async () => {
  const { room, at } = await serving()
  const now = room.clock.now()
  const service = await at.runtime.find(new URL(issuerOf('globex')).host, '')
  const [kid = ''] = (await signing(at, 'globex')) ?? []
  const token = { at: now, jti: 'one', clientId: 'api', audience: 'https://api', scope: '', kid, exp: now + HOUR }
  await service?.record(token)
  await at.runtime.rejectTokens('globex', now, 'ops')
  await at.runtime.exportReceipts(room.base)
  await at.runtime.issuance.prune(now, 'ops')
  await room.intake(at)
  const taken = (await room.state()).runtimes.get('eu-one')?.receipts
  const types = taken?.statements.map(({ stated }) => stated.type)
  for (const type of ['tokens-rejected', 'issuance-log']) expect(types).toContain(type)
  expect((await room.verify()).tail).toBeNull()
  await at.runtime.close()
})
