import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { abortCeremony } from '../../electron/ceremony/abort.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { type Genesis, issuerOf, makeGenesis, type Room, T0, type TestRuntime, tenantPlan } from './fixtures.ts'

const DAY = 86_400
const TENANTS = ['acme', 'globex', 'initech']
const reason = 'The host was stolen'

let genesis: Genesis
let before: Room
beforeAll(async () => {
  genesis = await makeGenesis()
  before = genesis.room()
  await before.onboard(...TENANTS.map((id) => tenantPlan(id)))
})
afterAll(() => genesis.remove())

/** A room with a runtime that serves all tenants, and its receipts taken. */
async function serving(): Promise<{ at: Room; runtime: TestRuntime }> {
  const at = before.copy(genesis.folder())
  const runtime = await at.runtime()
  await at.handoff(runtime)
  await at.intake(runtime)
  return { at, runtime }
}

const marked = (state: VaultState): string[] =>
  [...state.keys.values()].flatMap((key) => (key.compromised ? [key.label] : []))
const others = (state: VaultState, tenant: string) =>
  TENANTS.filter((id) => id !== tenant).map((id) => keysOf(state, id))
const setsOf = async ({ runtime }: TestRuntime, now: number) =>
  Object.fromEntries(
    await Promise.all(
      TENANTS.map(async (id) => {
        const service = await runtime.find(new URL(issuerOf(id)).host, '')
        if (!service) throw new Error(`${id} is not served`)
        return [id, JSON.stringify([service.published(now), await service.signedSet(now)])]
      }),
    ),
  )
const signerOf = async ({ runtime }: TestRuntime, tenant: string, now: number) =>
  (await (await runtime.find(new URL(issuerOf(tenant)).host, ''))?.signer('ES256', now))?.kid

describe('emergency', () => {
  it('for a key: marks exactly that key, makes its replacement, and the others’ key sets stay byte-identical', async () => {
    const { at, runtime } = await serving()
    at.clock.to(T0 + 5 * DAY)
    const now = at.clock.now()
    const earlier = await at.state()
    const [stolen] = keysOf(earlier, 'acme')
    const served = await setsOf(runtime, now)
    const { result, state } = await at.run({ kind: 'emergency', scope: { key: stolen?.kid }, reason })
    expect(result.steps.map(({ step }) => step)).toEqual([
      'check-machine',
      'check-plan',
      'record-compromise',
      'make-keys',
      'sign-revocations',
    ])
    expect(marked(state)).toEqual([stolen?.label])
    expect(others(state, 'acme')).toEqual(others(earlier, 'acme'))
    const replacement = [...state.keys.values()].find((key) => key.replaces === stolen?.kid)
    expect(replacement?.times).toMatchObject({ signUntil: stolen?.times.signUntil, propagation: 'none (emergency)' })

    await at.handoff(runtime, ['acme'])
    const after = await setsOf(runtime, at.clock.now())
    expect(await signerOf(runtime, 'acme', at.clock.now())).toBe(replacement?.kid)
    expect(after['acme']).not.toContain(stolen?.kid)
    expect([after['globex'], after['initech']]).toEqual([served['globex'], served['initech']])
    await runtime.runtime.close()
  })

  it('for a tenant: marks every key of it that left the vault, and no other', async () => {
    const { at, runtime } = await serving()
    const earlier = await at.state()
    const { state } = await at.run({ kind: 'emergency', scope: { tenant: 'globex' }, reason })
    // The signing key and the one after it left; the third never did.
    expect(marked(state)).toEqual(
      keysOf(earlier, 'globex')
        .slice(0, 2)
        .map((key) => key.label),
    )
    expect(others(state, 'globex')).toEqual(others(earlier, 'globex'))
    expect(keysOf(state, 'globex', { usable: true })).toHaveLength(3)
    await at.handoff(runtime, ['globex'])
    const signing = await signerOf(runtime, 'globex', at.clock.now())
    expect(keysOf(state, 'globex').find((key) => key.kid === signing)?.replaces).toBe(keysOf(earlier, 'globex')[0]?.kid)
    await runtime.runtime.close()
  })

  it('for a whole runtime: marks every key there, future ones too, of every tenant, and nothing at another runtime', async () => {
    const { at, runtime } = await serving()
    const second = await at.runtime('us-one')
    await at.onboard(tenantPlan('umbrella'))
    await at.run({ kind: 'handoff', runtime: 'us-one', tenants: ['umbrella'] })
    const { state } = await at.run({ kind: 'emergency', scope: { runtime: 'eu-one' }, reason })
    const expected = TENANTS.flatMap((id) =>
      keysOf(state, id)
        .filter((key) => !key.replaces)
        .slice(0, 2),
    )
    expect(marked(state).sort()).toEqual(expected.map((key) => key.label).sort())
    expect(keysOf(state, 'umbrella').some((key) => key.compromised || key.replaces)).toBe(false)
    for (const id of TENANTS) expect(keysOf(state, id).filter((key) => key.replaces)).toHaveLength(2)
    await runtime.runtime.close()
    await second.runtime.close()
  })

  it('a key that will never sign again is marked, but needs no replacement', async () => {
    const { at, runtime } = await serving()
    const [first] = keysOf(await at.state(), 'acme')
    at.clock.to((first?.times.signUntil ?? 0) + DAY)
    const { result, state } = await at.run({ kind: 'emergency', scope: { key: first?.kid }, reason })
    expect(marked(state)).toEqual([first?.label])
    expect(result.steps.find(({ step }) => step === 'make-keys')?.observed).toBe('No key had to be made.')
    await runtime.runtime.close()
  })

  const SHORT = { horizon: 1, materialAhead: 1 }
  /** A tenant whose second key signs four days late, in the extension of its first, with a runtime that has both. */
  async function late() {
    const at = genesis.room()
    await at.onboard(tenantPlan('acme', { policy: SHORT }))
    const [, second] = keysOf(await at.state(), 'acme')
    at.clock.to((second?.times.signUntil ?? 0) - 10 * DAY)
    const { state } = await at.run({ kind: 'rotate', tenants: 'all' })
    const [, signing, third] = keysOf(state, 'acme')
    if (!signing || !third) throw new Error('no keys')
    expect(third.times.signFrom).toBeGreaterThan(signing.times.signUntil + 3 * DAY)
    at.clock.to(signing.times.signUntil + DAY)
    return { at, signing, third }
  }

  it('in an extension, the replacement hands over to the scheduled successor, and the handoff is possible', async () => {
    const { at, signing, third } = await late()
    const { state } = await at.run({ kind: 'emergency', scope: { key: signing.kid }, reason })
    const made = [...state.keys.values()].find((key) => key.replaces === signing.kid)
    expect(made?.times.signUntil).toBe(third.times.signFrom)
    const runtime = await at.runtime()
    await at.handoff(runtime)
    expect(await signerOf(runtime, 'acme', at.clock.now())).toBe(made?.kid)
    await runtime.runtime.close()
  })

  it('a runtime in place of another gets the key that goes on in its extension, and no more ahead than allowed', async () => {
    const { at, signing, third } = await late()
    const runtime = await at.runtime()
    const { state } = await at.handoff(runtime)
    expect(state.runtimes.get('eu-one')?.handoffs[0]?.keys).toEqual([signing.kid, third.kid])
    expect(await signerOf(runtime, 'acme', at.clock.now())).toBe(signing.kid)
    await runtime.runtime.close()
  })

  it('a compromise without a replacement reaches the runtime: nobody signs, until a rotation', async () => {
    const { at, runtime } = await serving()
    const keys = keysOf(await at.state(), 'acme')
    const makeKeys = () => Promise.reject(new Error('no noise'))
    for (const { kid } of keys) {
      const plan = { kind: 'emergency', scope: { key: kid }, reason }
      await expect(at.run(plan, { ports: (ports) => ({ ...ports, makeKeys }) })).rejects.toThrow('no noise')
      await at.withVault((vault) =>
        abortCeremony(at.ports(), vault, { reason: 'The generator failed', acceptTail: true }),
      )
    }
    const { result } = await at.handoff(runtime)
    expect(result.steps[1]?.observed).toContain('nobody signs for them: acme.')
    expect(await signerOf(runtime, 'acme', at.clock.now())).toBeUndefined()
    expect((await runtime.runtime.find('acme.example.com', ''))?.published(at.clock.now()).keys).toEqual([])
    expect(await signerOf(runtime, 'globex', at.clock.now())).toBeDefined()
    await at.intake(runtime)
    await at.run({ kind: 'rotate', tenants: ['acme'] })
    await at.handoff(runtime)
    expect(await signerOf(runtime, 'acme', at.clock.now())).toBeDefined()
    await runtime.runtime.close()
  })

  it('a schedule that ran out starts anew with a rotation, and does not hold up the others', async () => {
    const at = genesis.room()
    await at.onboard(tenantPlan('acme', { policy: SHORT }))
    const [, last] = keysOf(await at.state(), 'acme')
    const over = last?.times ?? { signUntil: 0, extendUntil: 0 }
    at.clock.to(over.signUntil - DAY)
    await at.onboard(tenantPlan('globex', { policy: SHORT }))
    const refused = await at.refused({ kind: 'rotate', tenants: ['acme'] }, 'policy-rejected')
    expect(refused.message).toContain('Tenant acme, ES256')
    const other = keysOf(await at.state(), 'globex')[0]?.times.signUntil ?? 0
    at.clock.to(over.extendUntil + DAY)
    const { state } = await at.run({ kind: 'rotate', tenants: ['acme'] })
    expect(keysOf(state, 'acme')[2]?.times).toMatchObject({ propagation: 'none (emergency)' })
    const runtime = await at.runtime()
    await at.handoff(runtime)
    expect(await signerOf(runtime, 'acme', at.clock.now())).toBe(keysOf(state, 'acme')[2]?.kid)
    await runtime.runtime.close()
    // Globex ends later; acme is then in the days in which nothing can be announced in time.
    at.clock.to(other + DAY)
    const [, , , next] = keysOf(state, 'acme')
    at.clock.to((next?.times.signUntil ?? 0) - DAY)
    await at.onboard(tenantPlan('initech', { policy: SHORT }))
    const third = keysOf(await at.state(), 'initech')[0]?.times.signUntil ?? 0
    expect(third).toBeGreaterThan(next?.times.extendUntil ?? 0)
    const all = await at.run({ kind: 'rotate', tenants: 'all' })
    expect(all.result.steps[1]?.observed).toContain('Left out: acme. Tenant acme, ES256: A new key needs')
  })

  it('reaches keys of a handoff that was never recorded as exported: their files may have left', async () => {
    const at = before.copy(genesis.folder())
    const runtime = await at.runtime()
    const plan = { kind: 'handoff', runtime: 'eu-one', tenants: ['acme'] }
    const writeMaterial = () => Promise.reject(new Error('unplugged'))
    const work = at.run(plan, { ports: (ports) => ({ ...ports, media: { ...ports.media, writeMaterial } }) })
    await expect(work).rejects.toThrow('unplugged')
    await at.withVault((vault) => abortCeremony(at.ports(), vault, { reason: 'Unplugged', acceptTail: true }))
    for (const scope of [{ tenant: 'acme' }, { runtime: 'eu-one' }]) {
      const one = at.copy(genesis.folder())
      const { state } = await one.run({ kind: 'emergency', scope, reason })
      expect(marked(state)).toHaveLength(2)
    }
    await runtime.runtime.close()
  })

  const REFUSED: [string, object, Code][] = [
    ['an unknown key', { scope: { key: digest('nothing') } }, 'key-unknown'],
    ['an unknown tenant', { scope: { tenant: 'nobody' } }, 'tenant-unknown'],
    ['an unknown runtime', { scope: { runtime: 'nowhere' } }, 'runtime-unknown'],
    ['a tenant none of whose keys ever left', { scope: { tenant: 'acme' } }, 'ceremony-conflict'],
    ['a reason of more than one line', { scope: { tenant: 'acme' }, reason: 'stolen\nlast night' }, 'plan-invalid'],
    ['a reason that no page holds', { scope: { tenant: 'acme' }, reason: 'x'.repeat(300) }, 'plan-invalid'],
  ]
  it.each(REFUSED)('%s is refused, and nothing is changed', async (_, change, code) => {
    await before.copy(genesis.folder()).refused({ kind: 'emergency', reason, ...change }, code)
  })

  it('a second time for the same keys is refused: nothing is left to mark', async () => {
    const { at, runtime } = await serving()
    const plan = { kind: 'emergency', scope: { tenant: 'acme' }, reason }
    await at.run(plan)
    await at.refused(plan, 'ceremony-conflict')
    await runtime.runtime.close()
  })

  it('many keys at once fit on one line of the record', async () => {
    const at = genesis.room()
    const long = (n: number) => `tenant-${n}-${'with-a-very-long-name-'.repeat(2)}${n}`
    const tenants = Array.from({ length: 14 }, (_, n) => tenantPlan(long(n), { specs: ['Ed25519'] }))
    await at.onboard(...tenants)
    const runtime = await at.runtime()
    await at.handoff(runtime)
    const { state } = await at.run({ kind: 'emergency', scope: { runtime: 'eu-one' }, reason })
    expect(marked(state)).toHaveLength(28)
    await runtime.runtime.close()
  })
})
