import { describe, expect, it } from 'vitest'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { codeOf, makeTenant, policyWith, stateOf } from './fixtures.ts'
import { find, hot, IAT, kidOf, servedBy, serving, signedBy, signerOf, standbyOf, statedBy, two } from './revoking.ts'

/** An emergency at the runtime alone: what stops, what takes over, and what is stated. */

const how = { withdraw: true, actor: 'night shift' }
const typesOf = (stated: { type: string }[], type: string) => stated.filter((one) => one.type === type)

describe('the hot standby', () => {
  it('signs in the same change as the taint of the key that signed, is named, and its phase is stated for the vault', async () => {
    const acme = hot('acme')
    const made = await serving([acme, two('beta')])
    const [first, standby] = [kidOf(acme, 0), standbyOf(acme)]
    expect(await signerOf(made, 'acme')).toBe(first)
    const result = await made.runtime.taint('acme', first, how)
    expect(result).toMatchObject({ kid: first, changed: true, withdrawn: true, standbys: [standby], unsigned: [] })
    expect(await signerOf(made, 'acme')).toBe(standby)
    expect(await servedBy(made, 'acme')).not.toContain(first)
    expect(await servedBy(made, 'acme')).toContain(standby)
    expect(await signedBy(made, 'acme')).toEqual(await servedBy(made, 'acme'))
    const stated = await statedBy(made)
    expect(stated).toContainEqual({ type: 'phase', tenant: 'acme', kid: standby, phase: 'signing' })
    expect(typesOf(stated, 'tainted')).toHaveLength(1)
    expect(await signerOf(made, 'beta')).toBeDefined()
  })

  it('is not called upon for a key that does not sign now', async () => {
    const acme = hot('acme')
    const made = await serving([acme])
    expect(await made.runtime.taint('acme', kidOf(acme, 1), how)).toMatchObject({ standbys: [], unsigned: [] })
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
    expect((await made.runtime.status()).tenants[0]?.phases.find((key) => key.kid === standbyOf(acme))?.phase).toBe(
      'announced',
    )
  })

  it('whose private half is not here, or that is tainted, or too young, does not sign: nobody does, and that is said', async () => {
    const [cold, gone, young] = [hot('cold'), hot('gone'), hot('young')]
    cold.secrets.delete(standbyOf(cold))
    const key = young.keys.find((one) => one.standby)
    if (key) key.signFrom = IAT + DAY
    const made = await serving([cold, gone, young])
    await made.runtime.taint('gone', standbyOf(gone), how)
    for (const tenant of [cold, gone, young]) {
      const result = await made.runtime.taint(tenant.tenant, kidOf(tenant, 0), how)
      expect(result).toMatchObject({ changed: true, standbys: [], unsigned: ['ES256'] })
      expect(await signerOf(made, tenant.tenant)).toBeUndefined()
    }
    expect(typesOf(await statedBy(made), 'tainted')).toHaveLength(4)
  })

  it('gives way to the next scheduled key, and is not called a second time', async () => {
    const acme = hot('acme')
    const made = await serving([acme])
    await made.runtime.taint('acme', kidOf(acme, 0), how)
    const before = await stateOf(made.runtime)
    expect(await made.runtime.taint('acme', kidOf(acme, 0), how)).toMatchObject({ changed: false, standbys: [] })
    expect(await stateOf(made.runtime)).toBe(before)
    const next = acme.keys[1]?.signFrom ?? 0
    made.clock.to(next + HOUR)
    await made.runtime.tick()
    expect(await signerOf(made, 'acme', made.clock.now())).toBe(kidOf(acme, 1))
  })

  it('of one algorithm does not sign for another', async () => {
    const acme = hot('acme')
    const both = makeTenant('acme', { policy: policyWith({ signingAlgorithms: ['ES256', 'Ed25519'], horizon: 2 }) })
    acme.policy = { ...acme.policy, signingAlgorithms: ['ES256', 'Ed25519'] }
    for (const key of both.keys.filter((one) => one.spec === 'Ed25519')) {
      acme.keys.push(key)
      acme.secrets.set(key.kid, both.secrets.get(key.kid) ?? new Uint8Array())
    }
    const made = await serving([acme])
    const kid = (await (await find(made, 'acme')).signer('Ed25519', IAT))?.kid ?? ''
    expect(await made.runtime.taint('acme', kid, how)).toMatchObject({ standbys: [], unsigned: ['Ed25519'] })
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
  })
})

describe('a whole tenant', () => {
  it('has every key tainted, those to come and the standby included, with a receipt each, and nobody else changes', async () => {
    const [acme, beta] = [hot('acme'), hot('beta')]
    const made = await serving([acme, beta])
    const others = JSON.stringify([await servedBy(made, 'beta'), await (await find(made, 'beta')).signedSet(IAT)])
    const result = await made.runtime.taintTenant('acme', how)
    const kids = acme.keys.map(({ kid }) => kid).sort()
    expect(result.keys.map(({ kid }) => kid).sort()).toEqual(kids)
    expect(result).toMatchObject({ standbys: [], unsigned: ['ES256'] })
    expect(await servedBy(made, 'acme')).toEqual([])
    for (const at of [IAT, IAT + 60 * DAY, IAT + 120 * DAY]) expect(await signerOf(made, 'acme', at)).toBeUndefined()
    const stated = await statedBy(made)
    expect(
      typesOf(stated, 'tainted')
        .map((one) => (one as { kid?: string }).kid)
        .sort(),
    ).toEqual(kids)
    expect(typesOf(stated, 'erased')).toHaveLength(acme.secrets.size)
    expect(JSON.stringify([await servedBy(made, 'beta'), await (await find(made, 'beta')).signedSet(IAT)])).toBe(others)
    expect(await signerOf(made, 'beta')).toBe(kidOf(beta, 0))
  })

  it('states the longest exposure of its keys: the greatest exp of a delivered set, or the longest cache', async () => {
    const acme = two('acme')
    acme.relyingParties = [{ name: 'Slow', cacheSeconds: 10 * DAY, refreshesOnUnknownKid: false }]
    const made = await serving([acme])
    const { residualUntil } = await made.runtime.taintTenant('acme', how)
    const each = await Promise.all(acme.keys.map(({ kid }) => made.runtime.taint('acme', kid, how)))
    expect(residualUntil).toBe(Math.max(...each.map((one) => one.residualUntil)))
    expect(residualUntil).toBeGreaterThanOrEqual(IAT + 10 * DAY)
  })

  it('a second time changes nothing; without withdraw first, withdraw is still possible; keys that are over are left', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    await made.runtime.taintTenant('acme', { ...how, withdraw: false })
    expect(await servedBy(made, 'acme')).not.toEqual([])
    const again = await made.runtime.taintTenant('acme', how)
    expect(again.keys.every((key) => key.changed && key.withdrawn)).toBe(true)
    const before = await stateOf(made.runtime)
    expect((await made.runtime.taintTenant('acme', how)).keys.some((key) => key.changed)).toBe(false)
    expect(await stateOf(made.runtime)).toBe(before)
    made.clock.to((acme.keys[0]?.removeAt ?? 0) + DAY)
    await made.runtime.tick()
    expect((await made.runtime.taintTenant('acme', how)).keys.map(({ kid }) => kid)).not.toContain(kidOf(acme, 0))
  })

  it('of another name is tenant-unknown, and an actor of two lines usage-invalid', async () => {
    const made = await serving([two('acme')])
    const before = await stateOf(made.runtime)
    expect(await codeOf(() => made.runtime.taintTenant('nobody', how))).toBe('tenant-unknown')
    expect(await codeOf(() => made.runtime.taintTenant('acme', { ...how, actor: 'a\nb' }))).toBe('usage-invalid')
    expect(await stateOf(made.runtime)).toBe(before)
  })
})

describe('a whole runtime', () => {
  it('has every key of every tenant tainted; done again it only finishes what is left', async () => {
    const tenants = [hot('acme'), two('beta'), two('gamma')]
    const made = await serving(tenants)
    await made.runtime.taintTenant('beta', how)
    const told: string[] = []
    const done = await made.runtime.taintRuntime(how, (at, total) => told.push(`${at}/${total}`))
    const keys = tenants.flatMap((tenant) => tenant.keys).length
    expect(done).toMatchObject({ keys, failed: [] })
    expect(done.changed).toBe(keys - (tenants[1]?.keys.length ?? 0))
    expect(told).toEqual(['1/3', '2/3', '3/3'])
    expect(done.residualUntil).toBe(Math.max(...done.tenants.map((one) => one.residualUntil)))
    for (const { tenant } of tenants) {
      expect(await signerOf(made, tenant)).toBeUndefined()
      expect(await servedBy(made, tenant)).toEqual([])
    }
    expect(typesOf(await statedBy(made), 'tainted')).toHaveLength(keys)
    expect(await made.runtime.taintRuntime(how)).toMatchObject({ keys, changed: 0 })
  })

  it('a tenant whose rows are damaged is named and does not hold up the others', async () => {
    const tenants = [two('acme'), two('beta'), two('gamma')]
    const made = await serving(tenants)
    const spoil = { ...how, actor: 'night shift' }
    const { store } = await storeOf(made.dir)
    await store.change((tx) => tx.run("UPDATE tenants SET entry = '{' WHERE tenant = 'beta'"))
    await store.close()
    const done = await made.runtime.taintRuntime(spoil).catch((error: unknown) => error)
    expect(done).toMatchObject({ failed: [{ tenant: 'beta', code: 'internal' }] })
    for (const tenant of ['acme', 'gamma']) expect(await signerOf(made, tenant)).toBeUndefined()
  })
})

/** Another process that reaches into the same store. */
async function storeOf(dir: string) {
  const { readConfig, readStorageKey, storageKeyPath } = await import('../../electron/issuer/config.ts')
  const { Sealer } = await import('../../electron/issuer/sealing.ts')
  const { openStores, placeOf } = await import('../../electron/issuer/store/open.ts')
  const config = readConfig(dir)
  const { fileKey } = new Sealer(readStorageKey(storageKeyPath(dir, config)), config)
  return openStores(placeOf(dir, config, fileKey))
}

describe('tokens issued before', () => {
  it('are rejected from an instant on, in every process at once, with one receipt; it never goes back', async () => {
    const made = await serving([two('acme'), two('beta')])
    const other = await openRuntime({ dir: made.dir, clock: made.clock })
    const rejected = async () =>
      (await other.find('acme.example.com', ''))
        ? (await find({ runtime: other }, 'acme')).rejectIssuedBefore
        : undefined
    expect(await rejected()).toBeNull()
    const first = await made.runtime.rejectTokens('acme', IAT - HOUR, 'ops')
    expect(first).toEqual({ tenant: 'acme', before: IAT - HOUR, changed: true })
    expect(await rejected()).toBe(IAT - HOUR)
    expect(await made.runtime.rejectTokens('acme', IAT - DAY, 'ops')).toEqual({ ...first, changed: false })
    expect(await rejected()).toBe(IAT - HOUR)
    expect((await find(made, 'beta')).rejectIssuedBefore).toBeNull()
    expect(await made.runtime.rejectTokens('acme', IAT, 'ops')).toMatchObject({ before: IAT, changed: true })
    expect(typesOf(await statedBy(made), 'tokens-rejected')).toEqual([
      { type: 'tokens-rejected', tenant: 'acme', before: IAT - HOUR, actor: 'ops' },
      { type: 'tokens-rejected', tenant: 'acme', before: IAT, actor: 'ops' },
    ])
    await other.close()
  })

  it('of a time to come, or of nobody, are refused, and nothing is changed', async () => {
    const made = await serving([two('acme')])
    expect(await codeOf(() => made.runtime.rejectTokens('acme', IAT + 1, 'ops'))).toBe('usage-invalid')
    expect(await codeOf(() => made.runtime.rejectTokens('nobody', IAT, 'ops'))).toBe('tenant-unknown')
    expect((await find(made, 'acme')).rejectIssuedBefore).toBeNull()
    expect(typesOf(await statedBy(made), 'tokens-rejected')).toEqual([])
  })
})
