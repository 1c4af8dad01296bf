import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { copiesOf } from '../../shared/domain/ledger.ts'
import { sealAnew } from '../../shared/domain/ledger-envelopes.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { keysOf, type VaultKey } from '../../shared/domain/state.ts'
import { failure, filesOf, type Genesis, makeGenesis, type Room, type TestRuntime, tenantPlan } from './fixtures.ts'

/** Standby keys (lifecycle.md "standby") and sealed emergency envelopes (handoff.md "Files sealed ahead"). */

let genesis: Genesis
let ready: { room: Room; dir: string }
const COLD = { standby: 'cold' }

/** A runtime that knows acme (cold standby), globex (hot) and initech (none), two months later. */
beforeAll(async () => {
  genesis = await makeGenesis()
  const room = genesis.room()
  await room.onboard(
    tenantPlan('acme', { policy: COLD }),
    tenantPlan('globex', { policy: { standby: 'hot' } }),
    tenantPlan('initech'),
  )
  const at = await room.runtime()
  await room.handoff(at)
  await at.runtime.envelopes.offer(2)
  await room.intake(at)
  room.clock.advance(60 * DAY)
  await at.runtime.tick()
  await at.runtime.close()
  ready = { room, dir: at.dir }
}, 60_000)
afterAll(() => genesis.remove())

/** A copy of the room with the runtime open. The caller closes it. */
async function open(): Promise<{ room: Room; at: TestRuntime }> {
  const room = ready.room.copy(genesis.folder())
  const dir = join(room.base, basename(ready.dir))
  const runtime = await openRuntime({ dir, clock: room.clock })
  return { room, at: { id: 'eu-one', dir, runtime } }
}

const ENVELOPE = { kind: 'envelope', runtime: 'eu-one', tenants: ['acme'] }
const standbyOf = (keys: VaultKey[]): VaultKey | undefined => keys.find((key) => key.standby)
const status = async ({ runtime }: TestRuntime, tenant: string) =>
  (await runtime.status()).tenants.find((one) => one.tenant === tenant)

describe('standby keys', () => {
  it('are announced all the time and never sign by the schedule; cold material stays here, hot material leaves', async () => {
    const { room, at } = await open()
    const state = await room.state()
    const [acme, globex] = [keysOf(state, 'acme'), keysOf(state, 'globex')]
    const [cold, hot] = [standbyOf(acme), standbyOf(globex)]
    expect(standbyOf(keysOf(state, 'initech'))).toBeUndefined()
    const sent = state.runtimes.get('eu-one')?.handoffs[0]?.keys ?? []
    expect(sent).not.toContain(cold?.kid)
    expect(sent).toContain(hot?.kid)
    for (const [tenant, key] of [
      ['acme', cold],
      ['globex', hot],
    ] as const) {
      const phase = (await status(at, tenant))?.phases.find((one) => one.kid === key?.kid)
      expect(phase?.phase).toBe('announced')
      expect(phase?.hasPrivate).toBe(tenant === 'globex')
    }
    await at.runtime.close()
  })

  it('renewed yearly: a rotation makes the next one before the first one ends', async () => {
    const room = ready.room.copy(genesis.folder())
    for (let quarter = 0; quarter < 4; quarter++) {
      room.clock.advance(85 * DAY)
      await room.run({ kind: 'rotate', tenants: 'all' })
    }
    const standbys = keysOf(await room.state(), 'acme').filter((key) => key.standby)
    expect(standbys).toHaveLength(2)
    const [first, second] = standbys
    expect(second?.times.signFrom).toBeLessThan(first?.times.signUntil ?? 0)
  })

  it('an emergency calls upon the standby key instead of making one, and makes the next to stand by', async () => {
    const { room, at } = await open()
    const before = keysOf(await room.state(), 'acme')
    const signing = (await status(at, 'acme'))?.signingKids[0] ?? ''
    const standby = standbyOf(before)
    await room.run({ kind: 'emergency', scope: { key: signing }, reason: 'Seen on a public page' })
    const after = keysOf(await room.state(), 'acme')
    const called = after.find((key) => key.kid === standby?.kid)
    expect(called?.standby).toBeUndefined()
    expect(called?.replaces).toBe(signing)
    expect(called?.times.propagation).toBe('full')
    expect(after.filter((key) => !before.some((one) => one.kid === key.kid)).map((key) => key.standby)).toEqual([true])

    await room.handoff(at)
    expect((await status(at, 'acme'))?.signingKids).toEqual([standby?.kid])
    expect((await room.verify()).tail).toBeNull()
    await at.runtime.close()
  })
})

describe('sealed emergency envelopes', () => {
  it('withdraw the key that signs and sign with the standby key, without a vault and without a quorum', async () => {
    const { room, at } = await open()
    const signing = (await status(at, 'acme'))?.signingKids[0] ?? ''
    const others = await Promise.all(['globex', 'initech'].map((tenant) => status(at, tenant)))
    const ran = await room.run(ENVELOPE)
    const [file = ''] = room.written
    const standby = standbyOf(keysOf(ran.state, 'acme'))
    const anchor = filesOf(room.media).find((name) => name.startsWith('trust-anchor-')) ?? ''
    const report = await verifyFiles([ran.result.recordFolder, file], join(room.media, anchor), room.clock.now())
    expect(report.files.filter((one) => !one.ok)).toEqual([])
    const copies = () => room.state().then((state) => copiesOf(state, state.keys.get(standby?.kid ?? '') as VaultKey))
    expect((await copies()).find((copy) => copy.id === 'envelope:eu-one:1')?.status).toBe('open')

    room.clock.advance(DAY)
    const opened = await at.runtime.envelopes.open(file, { withdraw: null, actor: 'night shift' })
    expect(opened).toMatchObject({ number: 1, tenant: 'acme', standby: standby?.kid, withdrawn: signing })
    const now = await status(at, 'acme')
    expect(now?.signingKids).toEqual([standby?.kid])
    expect(now?.phases.find((key) => key.kid === signing)).toMatchObject({
      withdrawn: true,
      tainted: true,
      hasPrivate: false,
    })
    expect(await Promise.all(['globex', 'initech'].map((tenant) => status(at, tenant)))).toEqual(others)

    await room.intake(at)
    expect((await copies()).find((copy) => copy.id === 'envelope:eu-one:1')?.status).toBe('stated')
    expect((await copies()).find((copy) => copy.id === 'runtime:eu-one')?.status).toBe('open')
    await room.run({ kind: 'emergency', scope: { key: signing }, reason: 'Withdrawn at night by envelope 1' })
    await room.handoff(at)
    expect((await status(at, 'acme'))?.signingKids).toEqual([standby?.kid])
    const successor = keysOf(await room.state(), 'acme').find(
      (key) => key.times.signFrom > room.clock.now() && !key.standby,
    )
    room.clock.advance((successor?.times.signFrom ?? 0) - room.clock.now() + DAY)
    expect((await room.verify()).tail).toBeNull()
    await at.runtime.close()
  })

  it('opens once: its transport key is erased, and a cancelled one opens never', async () => {
    const { room, at } = await open()
    await room.run(ENVELOPE)
    const [file = ''] = room.written
    const again = room.copy(genesis.folder())
    await at.runtime.envelopes.open(file, { withdraw: null, actor: 'night shift' })
    const error = await failure(at.runtime.envelopes.open(file, { withdraw: null, actor: 'night shift' }))
    expect(error.code).toBe('decryption-failed')
    await at.runtime.close()

    const runtime = await openRuntime({ dir: join(again.base, 'eu-one'), clock: again.clock })
    const kid = (await again.state()).runtimes.get('eu-one')?.envelopes[0]?.transportKey ?? ''
    await runtime.envelopes.cancel(kid)
    const refused = await failure(runtime.envelopes.open(file, { withdraw: null, actor: 'night shift' }))
    expect(refused.code).toBe('decryption-failed')
    expect((await failure(runtime.envelopes.cancel(kid))).code).toBe('key-unknown')
    await runtime.close()
  })

  it('lets nothing be withdrawn that it does not name, and leaves the store as it was', async () => {
    const { room, at } = await open()
    await room.run(ENVELOPE)
    const [file = ''] = room.written
    const globex = (await status(at, 'globex'))?.signingKids[0] ?? ''
    const before = await at.runtime.status()
    const error = await failure(at.runtime.envelopes.open(file, { withdraw: globex, actor: 'night shift' }))
    expect(error.code).toBe('key-unknown')
    expect(await at.runtime.status()).toEqual(before)
    room.clock.advance(400 * DAY)
    expect((await failure(at.runtime.envelopes.open(file, { withdraw: null, actor: 'x' }))).code).toBe('file-expired')
    await at.runtime.close()
  })

  it.each([
    ['a tenant without a standby key', { ...ENVELOPE, tenants: ['initech'] }, 'has no standby key'],
    [
      'more envelopes than transport keys',
      { ...ENVELOPE, tenants: ['acme', 'globex', 'hooli'] },
      '2 free transport keys',
    ],
  ])('refuses %s', async (_, plan, words) => {
    const { room, at } = await open()
    await at.runtime.close()
    await room.onboard(tenantPlan('hooli', { policy: COLD }))
    const error = await room.refused(plan, 'ceremony-conflict')
    expect(error.message).toContain(words)
  })

  it('a second envelope for the same standby key is refused while the first one can be opened', async () => {
    const { room, at } = await open()
    await at.runtime.close()
    await room.run(ENVELOPE)
    expect((await room.refused(ENVELOPE, 'ceremony-conflict')).message).toContain('envelope 1')
  })
})

it('sealed before the root changed: the ceremony and the inventory say that it must be sealed anew, until its key is erased', async () => {
  const { room, at } = await open()
  await room.run(ENVELOPE)
  const { result } = await room.run({ kind: 'root-rotate', reason: 'Yearly', compromised: false })
  expect(result.steps.map(({ observed }) => observed).join()).toMatch(/earlier root.*envelope 1 of acme for eu-one/)
  const { state } = await room.run({ kind: 'inventory' })
  expect(state.inventories.at(-1)?.statement.split('.')[1]).toBeDefined()
  const findings = Buffer.from(state.inventories.at(-1)?.statement.split('.')[1] ?? '', 'base64url').toString()
  expect(findings).toContain('envelope 1 of acme for eu-one')
  const [envelope] = state.runtimes.get('eu-one')?.envelopes ?? []
  await at.runtime.envelopes.cancel(envelope?.transportKey ?? '')
  const taken = await room.intake(at)
  expect(sealAnew(taken.state)).toBe('')
  await at.runtime.close()
})

it('opening withdraws first: no receipt says of a key that it was withdrawn before it was', async () => {
  const { room, at } = await open()
  await room.run(ENVELOPE)
  const [file = ''] = room.written
  await at.runtime.envelopes.open(file, { withdraw: null, actor: 'night shift' })
  const { state } = await room.intake(at)
  const types = state.runtimes.get('eu-one')?.receipts.statements.map(({ stated }) => stated.type) ?? []
  expect(types.filter((type) => type === 'tainted' || type === 'envelope-opened')).toEqual([
    'tainted',
    'envelope-opened',
  ])
  await at.runtime.close()
})
