import { describe, expect, it, onTestFinished } from 'vitest'
import { isRevocation } from '../../electron/issuer/revocation.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { DAY } from '../../shared/domain/policy.ts'
import type { Revocation } from '../../shared/formats/revocation.ts'
import { alarmsOf, codeOf, makeHandoff, makeVault, pathsOf, stateOf, TestClock } from './fixtures.ts'
import {
  find,
  hot,
  IAT,
  kidOf,
  type Of,
  revocation,
  servedBy,
  serving,
  signedBy,
  signerOf,
  standbyOf,
  statedBy,
  two,
  uuid,
} from './revoking.ts'

/** Revocations at the runtime: what they put in force, and what they cannot. */

describe('a revocation at the runtime', () => {
  it('stops both keys that are scheduled from signing and from being published, and jwks.jwt goes on without them', async () => {
    const [acme, beta] = [two('acme'), two('beta')]
    const made = await serving([acme, beta])
    const [first, second] = [kidOf(acme, 0), kidOf(acme, 1)]
    expect(await servedBy(made, 'acme')).toEqual([first, second])
    const others = JSON.stringify([await servedBy(made, 'beta'), await (await find(made, 'beta')).signedSet(IAT)])
    // By taint alone there would be no signed set while two withdrawn keys are scheduled.
    const path = await revocation(made.vault, [{ tenant: acme, revoke: [first, second] }])
    expect(isRevocation(path)).toBe(true)
    expect(isRevocation(made.first.bundle)).toBe(false)
    const result = await made.runtime.importRevocation(path, 'night shift')
    expect(result).toMatchObject({ outcome: 'revoked', order: 1, tenants: 1, keys: 2, standbys: [], notes: [] })
    expect(result.residualUntil).toBeGreaterThan(IAT)
    expect(await signerOf(made, 'acme')).toBeUndefined()
    expect(await servedBy(made, 'acme')).toEqual([])
    expect(await signedBy(made, 'acme')).toEqual([])
    const later = IAT + 50 * DAY
    expect(await signedBy(made, 'acme', later)).toEqual(await servedBy(made, 'acme', later))
    expect(await servedBy(made, 'acme', later)).toEqual([kidOf(acme, 2)])
    expect(await signerOf(made, 'beta')).toBe(kidOf(beta, 0))
    const after = JSON.stringify([await servedBy(made, 'beta'), await (await find(made, 'beta')).signedSet(IAT)])
    expect(after).toBe(others)
  })

  it('states it once, erases the private halves, and the bundle of the vault goes on from there', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const gone = kidOf(acme, 0)
    const path = await revocation(made.vault, [{ tenant: acme, revoke: [gone] }])
    await made.runtime.importRevocation(path, 'night shift')
    const stated = await statedBy(made)
    expect(stated.filter(({ type }) => type === 'revoked')).toEqual([
      { type: 'revoked', id: uuid(1), order: 1, digest: expect.any(String), tenants: 1, keys: 1, actor: 'night shift' },
    ])
    expect(stated).toContainEqual({ type: 'erased', tenant: 'acme', kid: gone, reason: 'tainted' })
    const { tenants } = await made.runtime.status()
    expect(tenants[0]?.phases.find(({ kid }) => kid === gone)).toMatchObject({
      tainted: true,
      withdrawn: true,
      hasPrivate: false,
    })
    const named = { ...acme, compromised: [{ kid: gone, at: IAT, reason: 'Stolen' }] }
    const next = await makeHandoff(made.vault, made.folder, [named], {
      previous: made.first,
      manifest: { iat: IAT + DAY, exp: IAT + 9 * DAY },
    })
    made.clock.to(IAT + DAY)
    await made.runtime.importFiles(pathsOf(next))
    expect(await signedBy(made, 'acme', IAT + DAY)).toEqual([kidOf(acme, 1)])
    expect(await servedBy(made, 'acme', IAT + DAY)).toEqual([kidOf(acme, 1)])
  })

  it('a bundle that does not know of it brings no revoked key back', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    await made.runtime.importRevocation(
      await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 0)] }]),
      'ops',
    )
    const next = await makeHandoff(made.vault, made.folder, [acme], {
      previous: made.first,
      manifest: { iat: IAT - DAY, exp: IAT + 9 * DAY },
    })
    await made.runtime.importFiles(pathsOf(next))
    expect(await signerOf(made, 'acme')).toBeUndefined()
    expect(await servedBy(made, 'acme')).toEqual([kidOf(acme, 1)])
    expect(await signedBy(made, 'acme')).toEqual([kidOf(acme, 1)])
  })

  it('a standby key whose private half is here takes over; one that is not here does not, and that is noted', async () => {
    const [acme, cold] = [hot('acme'), hot('cold')]
    cold.secrets.delete(standbyOf(cold))
    const made = await serving([acme, cold])
    const path = await revocation(
      made.vault,
      [acme, cold].map((tenant) => ({ tenant, revoke: [kidOf(tenant, 0)], standby: standbyOf(tenant) })),
    )
    const result = await made.runtime.importRevocation(path, 'ops')
    expect(result.standbys).toEqual([standbyOf(acme)])
    expect(result.notes).toEqual([expect.stringMatching(/standby key of cold cannot take over/)])
    expect(await signerOf(made, 'acme')).toBe(standbyOf(acme))
    expect(await signerOf(made, 'cold')).toBeUndefined()
    for (const tenant of ['acme', 'cold'])
      for (const at of [IAT, IAT + 20 * DAY, IAT + 200 * DAY])
        expect((await signedBy(made, tenant, at))?.toSorted()).toEqual((await servedBy(made, tenant, at)).toSorted())
    expect(await statedBy(made)).toContainEqual({
      type: 'phase',
      tenant: 'acme',
      kid: standbyOf(acme),
      phase: 'signing',
    })
  })

  it('a standby key is not called upon while another key signs', async () => {
    const acme = hot('acme')
    const made = await serving([acme])
    const path = await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 1)], standby: standbyOf(acme) }])
    expect((await made.runtime.importRevocation(path, 'ops')).standbys).toEqual([])
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
  })

  it('what is not here is noted and does not hold the rest up', async () => {
    const [acme, unknown] = [two('acme'), two('zeta')]
    const made = await serving([acme])
    const known = { ...acme, keys: acme.keys.slice(0, 2) }
    const path = await revocation(made.vault, [
      { tenant: known, revoke: [kidOf(acme, 0), kidOf(unknown, 0)] },
      { tenant: unknown, revoke: [kidOf(unknown, 1)] },
    ])
    const result = await made.runtime.importRevocation(path, 'ops')
    expect(result).toMatchObject({ tenants: 1, keys: 1 })
    expect(result.notes).toEqual([
      expect.stringMatching(/1 of the keys of acme never came here/),
      expect.stringMatching(/signed sets for acme are of another bundle/),
      expect.stringMatching(/zeta is not served here/),
    ])
    expect(await signerOf(made, 'acme')).toBeUndefined()
    // The slots of the bundle stay, with the variant without the withdrawn key.
    expect(await signedBy(made, 'acme')).toEqual([kidOf(acme, 1)])
  })

  it('one that was prepared long ago still revokes; its signed sets count only while they last', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const path = await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 2)] }], { exp: IAT + 900 * DAY })
    made.clock.to(IAT + 400 * DAY)
    await made.runtime.tick()
    await made.runtime.confirmClock('ops')
    const result = await made.runtime.importRevocation(path, 'ops')
    expect(result.keys).toBe(1)
    expect(result.notes).toEqual([expect.stringMatching(/signed sets for acme/)])
  })

  it('a serving process beside it takes it at once', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
    const command = await openRuntime({ dir: made.dir, clock: made.clock })
    onTestFinished(() => command.close())
    await command.importRevocation(await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 0)] }]), 'ops')
    expect(await signerOf(made, 'acme')).toBeUndefined()
    expect(await signedBy(made, 'acme')).toEqual([kidOf(acme, 1)])
  })
})

describe('what is refused, and leaves everything as it was', () => {
  const WRONG: [string, Partial<Revocation>, string][] = [
    ['for another runtime', { runtimeId: 'us-one' }, 'audience-wrong'],
    ['for another environment', { environment: 'staging' }, 'environment-wrong'],
    ['of another vault', { vaultId: uuid(9) }, 'vault-mismatch'],
    ['that expired', { exp: IAT }, 'file-expired'],
    ['from the future', { iat: IAT + DAY }, 'file-from-future'],
  ]
  it.each(WRONG)('one %s', async (_, changes, code) => {
    const acme = two('acme')
    const made = await serving([acme])
    const before = [await stateOf(made.runtime), (await statedBy(made)).length]
    const path = await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 0)] }], changes)
    expect(await codeOf(() => made.runtime.importRevocation(path, 'ops'))).toBe(code)
    expect([await stateOf(made.runtime), (await statedBy(made)).length]).toEqual(before)
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
  })

  it('a forged one: another root, also one that claims this vault and this key id', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const forger = await makeVault({ vaultId: made.vault.vaultId })
    const roots = [forger.root, { ...forger.root, kid: made.vault.root.kid }]
    for (const root of roots) {
      const path = await revocation({ ...forger, root }, [{ tenant: acme, revoke: [kidOf(acme, 0)] }])
      expect(await codeOf(() => made.runtime.importRevocation(path, 'ops'))).toBe('signature-invalid')
    }
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
  })

  it('the same again is a recorded no-op; a lower one is refused, and another of the same number raises an alarm', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const of = (at: number): Of[] => [{ tenant: acme, revoke: [kidOf(acme, at)] }]
    const [first, second] = [await revocation(made.vault, of(0)), await revocation(made.vault, of(1), { order: 3 })]
    await made.runtime.importRevocation(second, 'ops')
    const stated = (await statedBy(made)).filter(({ type }) => type === 'revoked').length
    expect(await made.runtime.importRevocation(second, 'ops')).toMatchObject({ outcome: 'no-op', order: 3 })
    expect((await statedBy(made)).filter(({ type }) => type === 'revoked')).toHaveLength(stated)
    expect(await codeOf(() => made.runtime.importRevocation(first, 'ops'))).toBe('revocation-lower')
    const forked = await revocation(made.vault, of(0), { order: 3, id: uuid(77) })
    expect(await codeOf(() => made.runtime.importRevocation(forked, 'ops'))).toBe('revocation-forked')
    expect(await alarmsOf(made)).toEqual(['revocation-forked'])
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
    await made.runtime.importRevocation(await revocation(made.vault, of(0), { order: 4 }), 'ops')
    expect(await signerOf(made, 'acme')).toBeUndefined()
  })

  it('a clock that nobody can vouch for', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const path = await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 0)] }])
    await made.runtime.close()
    const clock = new TestClock(IAT + 3 * DAY)
    const command = await openRuntime({ dir: made.dir, clock })
    onTestFinished(() => command.close())
    expect(await codeOf(() => command.importRevocation(path, 'ops'))).toBe('clock-refused')
    await command.confirmClock('ops')
    expect(await command.importRevocation(path, 'ops')).toMatchObject({ keys: 1 })
  })
})
