import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { ReceiptChain, receiptSigner } from '../../electron/issuer/receipt-chain.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { makeStores } from '../../electron/issuer/store/open.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { replacementTimes } from '../../shared/domain/schedule.ts'
import { openJwkSet } from '../../shared/formats/bundle.ts'
import { sha256 } from '../../shared/formats/bytes.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import {
  addKey,
  alarmsOf,
  codeOf,
  extendTenant,
  filesIn,
  makeHandoff,
  makeRuntime,
  makeServing,
  makeTenant,
  makeVault,
  pathsOf,
  policyWith,
  stateOf,
  T0,
  TestClock,
  type TestRuntime,
  temporaryFolder,
} from './fixtures.ts'

async function stated({ runtime, enrollment }: TestRuntime): Promise<Stated[]> {
  const { path } = await runtime.exportReceipts(temporaryFolder())
  const { receiptSigner: signer } = enrollment
  return (await readReceipts(path, { signer, runtimeId: 'eu-one', after: null, practice: false })).receipts.map(
    (one) => one.stated,
  )
}
const serviceOf = async ({ runtime }: TestRuntime, host = 'acme.example.com') => {
  const service = await runtime.find(host, '')
  if (!service) throw new Error('no tenant')
  return service
}
const signerKid = async (made: TestRuntime) =>
  (await (await serviceOf(made)).signer('ES256', made.runtime.now()))?.kid ?? null
const publishedKids = async (made: TestRuntime, host?: string) =>
  (await serviceOf(made, host)).published(made.runtime.now()).keys.map((key) => key.kid)

describe('phases by the clock', () => {
  it('a key is announced, signs, is retired and erased; its successor takes over at its signFrom', async () => {
    const tenant = makeTenant('acme')
    const made = await makeServing(await makeVault(), [tenant])
    const [one, two] = tenant.keys
    if (!one || !two) throw new Error('no keys')
    await made.runtime.tick()
    expect(await signerKid(made)).toBe(one.kid)
    expect(await publishedKids(made)).toEqual([one.kid])
    made.clock.to(two.announceAt)
    await made.runtime.tick()
    expect(await publishedKids(made)).toEqual([one.kid, two.kid])
    made.clock.to(two.signFrom - 1)
    expect(await signerKid(made)).toBe(one.kid)
    made.clock.to(two.signFrom)
    expect(await signerKid(made)).toBe(two.kid)
    expect(await made.runtime.tick()).toEqual({ phases: 2, erased: 1 })
    expect(await made.runtime.tick()).toEqual({ phases: 0, erased: 0 })
    expect(await publishedKids(made)).toEqual([one.kid, two.kid])
    made.clock.to(one.removeAt)
    await made.runtime.tick()
    expect(await publishedKids(made)).not.toContain(one.kid)
    expect(await stated(made)).toMatchObject([
      { type: 'imported', number: 1, tenants: 1, keys: 3, eventSeq: 7 },
      { type: 'transport-key-erased' },
      { type: 'phase', kid: one.kid, phase: 'signing' },
      { type: 'phase', kid: two.kid, phase: 'announced' },
      { type: 'phase', kid: one.kid, phase: 'retired' },
      { type: 'phase', kid: two.kid, phase: 'signing' },
      { type: 'erased', kid: one.kid, reason: 'retired' },
      { type: 'phase', kid: one.kid, phase: 'removed' },
      { type: 'transport-key-offered' },
    ])
    expect((await made.runtime.status()).tenants[0]?.phases.map((key) => key.hasPrivate)).toEqual([false, true, true])
  })

  it('with destroyPrivateAtRetirement false the private half stays, and status says so', async () => {
    const tenant = makeTenant('acme', { policy: policyWith({ destroyPrivateAtRetirement: false }) })
    const made = await makeServing(await makeVault(), [tenant])
    made.clock.to((tenant.keys[1]?.signFrom ?? 0) + 1)
    expect((await made.runtime.tick()).erased).toBe(0)
    expect((await made.runtime.status()).tenants[0]?.phases[0]).toMatchObject({ phase: 'retired', hasPrivate: true })
  })

  it('without a next key the last one goes on to its signed extendUntil, then nobody signs and the key set stays', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const made = await makeRuntime(vault)
    const [one, two] = tenant.keys
    const { transportKey } = made
    const handoff = await makeHandoff(vault, made.folder, [tenant], { transportKey, kids: (kid) => kid === one?.kid })
    await made.runtime.importFiles(pathsOf(handoff))
    made.clock.to((one?.signUntil ?? 0) + DAY)
    await made.runtime.tick()
    expect(await signerKid(made)).toBe(one?.kid)
    made.clock.to(one?.extendUntil ?? 0)
    await made.runtime.tick()
    expect(await signerKid(made)).toBeNull()
    expect(await publishedKids(made)).toEqual([one?.kid, two?.kid])
    expect(await (await serviceOf(made)).signedSet(made.runtime.now())).not.toBeNull()
    expect((await made.runtime.status()).tenants[0]).toMatchObject({ signingKids: [] })
    made.clock.advance(3650 * DAY)
    expect(await signerKid(made)).toBeNull()
    expect((await publishedKids(made)).length).toBeGreaterThan(0)
  })

  it('the served and the signed key set hold the same keys at every change, and nextChange tells of it', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme', { policy: policyWith({ signingAlgorithms: ['ES256', 'Ed25519'] }) })
    const made = await makeServing(vault, [tenant])
    for (let at = T0; Number.isFinite(at); ) {
      made.clock.to(at)
      const { keys, nextChange } = (await serviceOf(made)).published(at)
      const set = await openJwkSet((await (await serviceOf(made)).signedSet(at)) ?? '', vault.key)
      expect(set.keys).toEqual(keys)
      expect(at).toBeGreaterThanOrEqual(set.nbf)
      expect(at).toBeLessThan(set.exp)
      expect((await serviceOf(made)).published(Math.min(nextChange, at + 1e9) - 1).keys).toEqual(keys)
      at = nextChange
    }
  })
})

describe('late files (lifecycle.md, "Schedule")', () => {
  async function rotated() {
    const vault = await makeVault()
    const tenant = makeTenant('acme', { policy: policyWith({ horizon: 1 }) })
    const made = await makeRuntime(vault)
    const { transportKey } = made
    const [one] = tenant.keys
    tenant.keys.length = 1
    const first = await makeHandoff(vault, made.folder, [tenant], { transportKey, kids: (kid) => kid === one?.kid })
    await made.runtime.importFiles(pathsOf(first))
    await made.runtime.tick()
    if (!one) throw new Error('no key')
    extendTenant(tenant, one.signUntil - 14 * DAY)
    const [, two] = tenant.keys
    if (!two) throw new Error('no key')
    const offered = await nextTransportKey(made)
    return { vault, tenant, made, first, one, two, offered }
  }
  async function nextTransportKey({ runtime, enrollment }: TestRuntime) {
    const { path } = await runtime.exportReceipts(temporaryFolder())
    const { receiptSigner: signer } = enrollment
    const read = await readReceipts(path, { signer, runtimeId: 'eu-one', after: null, practice: false })
    if (!read.offered) throw new Error('no transport key')
    return read.offered
  }

  it('a late bundle is taken; the switch waits for a full propagation time after its first publication', async () => {
    const { vault, tenant, made, first, one, two, offered } = await rotated()
    const imported = two.announceAt + 3 * DAY
    made.clock.to(imported)
    const manifest = { iat: imported, exp: imported + DAY }
    const second = await makeHandoff(vault, made.folder, [tenant], {
      previous: first,
      transportKey: offered,
      manifest,
      kids: (kid) => kid === two.kid,
    })
    await made.runtime.importFiles(pathsOf(second))
    made.clock.to(two.signFrom + 3 * DAY - 1)
    expect(await signerKid(made)).toBe(one.kid)
    made.clock.advance(1)
    expect(await signerKid(made)).toBe(two.kid)
  })

  it('a bundle after extendUntil - propagationTime is bundle-late, and the store stays', async () => {
    const { vault, tenant, made, first, one } = await rotated()
    const last = one.extendUntil - 14 * DAY
    for (const [at, code] of [
      [last + 1, 'bundle-late'],
      [last, null],
    ] as const) {
      const fresh = await makeRuntime(vault)
      await fresh.runtime.importFiles([first.bundle])
      fresh.clock.to(at)
      const manifest = { iat: at, exp: at + DAY }
      const second = await makeHandoff(vault, temporaryFolder(), [tenant], { previous: first, manifest })
      const before = await stateOf(fresh.runtime)
      expect(await codeOf(() => fresh.runtime.importFiles([second.bundle]))).toBe(code)
      if (code) expect(await stateOf(fresh.runtime)).toBe(before)
    }
    expect(await signerKid(made)).toBe(one.kid)
  })

  it('late material is taken until extendUntil, and not after', async () => {
    const { vault, tenant, made, first, one, two, offered } = await rotated()
    made.clock.to(two.announceAt)
    const manifest = { iat: two.announceAt, exp: two.extendUntil + DAY }
    const kids = (kid: string) => kid === two.kid
    const options = { previous: first, transportKey: offered, manifest, kids }
    const second = await makeHandoff(vault, made.folder, [tenant], options)
    await made.runtime.importFiles([second.bundle])
    made.clock.to(two.extendUntil)
    expect(await codeOf(() => made.runtime.importFiles([second.material ?? '']))).toBe('bundle-late')
    expect(await signerKid(made)).toBeNull()
    const punctual = await makeRuntime(vault)
    expect(one.kid).not.toBe(two.kid)
    const again = await makeHandoff(vault, temporaryFolder(), [tenant], {
      transportKey: punctual.transportKey,
      manifest: { exp: two.extendUntil + DAY },
      kids,
    })
    await punctual.runtime.importFiles([again.bundle])
    punctual.clock.to(two.extendUntil - 1)
    await punctual.runtime.importFiles([again.material ?? ''])
    expect(await signerKid(punctual)).toBe(two.kid)
  })

  it('what was announced while nobody served is first published at the first tick afterwards', async () => {
    const tenant = makeTenant('acme')
    const made = await makeServing(await makeVault(), [tenant])
    await made.runtime.tick()
    const [one, two] = tenant.keys
    if (!one || !two) throw new Error('no keys')
    await made.runtime.close()
    made.clock.to(two.announceAt + 5 * DAY)
    const runtime = await openRuntime({ dir: made.dir, clock: made.clock })
    await runtime.tick()
    const again = { ...made, runtime }
    made.clock.to(two.signFrom + 5 * DAY - 1)
    expect(await signerKid(again)).toBe(one.kid)
    made.clock.advance(1)
    expect(await signerKid(again)).toBe(two.kid)
    await runtime.close()
  })
})

describe('emergency', () => {
  it('a tainted key stops signing for the very next request, in a server that another process did not tell', async () => {
    const tenant = makeTenant('acme')
    const made = await makeServing(await makeVault(), [tenant, makeTenant('beta')])
    const operator = await openRuntime({ dir: made.dir, clock: made.clock })
    const kid = (await signerKid(made)) ?? ''
    const others = JSON.stringify((await serviceOf(made, 'beta.example.com')).published(T0))
    const result = await operator.taint('acme', kid, { withdraw: false, actor: 'operator' })
    expect(result).toMatchObject({ changed: true, withdrawn: false })
    expect(await signerKid(made)).toBeNull()
    expect(await publishedKids(made)).toContain(kid)
    expect(JSON.stringify((await serviceOf(made, 'beta.example.com')).published(T0))).toBe(others)
    expect((await operator.taint('acme', kid, { withdraw: false, actor: 'operator' })).changed).toBe(false)
    expect((await operator.status()).tenants[0]?.phases[0]).toMatchObject({ tainted: true, hasPrivate: false })
    await operator.close()
    expect(await stated(made)).toContainEqual({ type: 'erased', tenant: 'acme', kid, reason: 'tainted' })
  })

  it('withdraw drops the key at once and serves the pre-signed variant; with two withdrawn there is no signed set', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme', { policy: policyWith({ signingAlgorithms: ['ES256', 'Ed25519'] }) })
    const made = await makeServing(vault, [tenant])
    const [first = '', second = ''] = await publishedKids(made)
    await made.runtime.taint('acme', first, { withdraw: true, actor: 'operator' })
    expect(await publishedKids(made)).toEqual([second])
    const set = await openJwkSet((await (await serviceOf(made)).signedSet(T0)) ?? '', vault.key)
    expect(set.keys.map((key) => key.kid)).toEqual([second])
    await made.runtime.taint('acme', second, { withdraw: true, actor: 'operator' })
    expect(await publishedKids(made)).toEqual([])
    expect(await (await serviceOf(made)).signedSet(T0)).toBeNull()
  })

  it('the receipt states the residual exposure: the longest cache, or the last delivered slot with the key', async () => {
    const tenant = makeTenant('acme', {
      relyingParties: [{ name: 'bank', cacheSeconds: 10 * DAY, refreshesOnUnknownKid: false }],
    })
    const made = await makeServing(await makeVault(), [tenant])
    const [one] = tenant.keys
    const { residualUntil } = await made.runtime.taint('acme', one?.kid ?? '', { withdraw: true, actor: 'operator' })
    expect(residualUntil).toBe((one?.removeAt ?? 0) + DAY)
    expect(await stated(made)).toContainEqual(
      expect.objectContaining({ type: 'tainted', withdrawn: true, actor: 'operator', residualUntil }),
    )
  })

  it('a local taint outlives the next bundle and its material', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const made = await makeServing(vault, [tenant])
    const kid = (await signerKid(made)) ?? ''
    await made.runtime.taint('acme', kid, { withdraw: true, actor: 'operator' })
    const { path } = await made.runtime.exportReceipts(temporaryFolder())
    const { receiptSigner: signer } = made.enrollment
    const { offered } = await readReceipts(path, { signer, runtimeId: 'eu-one', after: null, practice: false })
    if (!offered) throw new Error('no key')
    const second = await makeHandoff(vault, made.folder, [tenant], { previous: made.first, transportKey: offered })
    await made.runtime.importFiles(pathsOf(second))
    expect(await signerKid(made)).toBeNull()
    expect(await publishedKids(made)).not.toContain(kid)
    expect((await made.runtime.status()).tenants[0]?.phases[0]).toMatchObject({
      tainted: true,
      withdrawn: true,
      hasPrivate: false,
    })
  })

  it('a new bundle replaces a compromised key; the other tenant is byte-identical before and after', async () => {
    const vault = await makeVault()
    const [acme, beta] = [makeTenant('acme'), makeTenant('beta')]
    const made = await makeServing(vault, [acme, beta])
    made.clock.advance(DAY)
    const others = async () =>
      JSON.stringify([
        (await serviceOf(made, 'beta.example.com')).published(T0 + DAY),
        await (await serviceOf(made, 'beta.example.com')).signedSet(T0 + DAY),
      ])
    const before = await others()
    const [gone] = acme.keys
    if (!gone) throw new Error('no key')
    await made.runtime.taint('acme', gone.kid, { withdraw: true, actor: 'operator' })
    const { path } = await made.runtime.exportReceipts(temporaryFolder())
    const { receiptSigner: signer } = made.enrollment
    const { offered } = await readReceipts(path, { signer, runtimeId: 'eu-one', after: null, practice: false })
    if (!offered) throw new Error('no key')
    acme.compromised = [{ kid: gone.kid, at: T0 + DAY, reason: 'stolen laptop' }]
    const replacement = addKey(acme, 'ES256', replacementTimes(acme.policy, gone, T0 + DAY))
    const manifest = { iat: T0 + DAY }
    const second = await makeHandoff(vault, made.folder, [acme], {
      previous: made.first,
      manifest,
      transportKey: offered,
      kids: (kid) => kid === replacement,
    })
    await made.runtime.importFiles(pathsOf(second))
    expect(await signerKid(made)).toBe(replacement)
    expect(await publishedKids(made)).toEqual([replacement])
    expect(await others()).toBe(before)
    acme.compromised = []
    acme.keys = acme.keys.filter((key) => key.kid !== replacement)
    const third = await makeHandoff(vault, made.folder, [acme], { previous: second, manifest })
    const after = await stateOf(made.runtime)
    expect(await codeOf(() => made.runtime.importFiles([third.bundle]))).toBe('bundle-refused')
    expect(await stateOf(made.runtime)).toBe(after)
  })
})

describe('destroyed keys (fault 23)', () => {
  it('a tombstone erases what the runtime holds, and the key never comes back', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const made = await makeServing(vault, [tenant])
    const gone = tenant.keys.pop()
    if (!gone) throw new Error('no key')
    const second = await makeHandoff(vault, made.folder, [tenant], { previous: made.first })
    expect(await codeOf(() => made.runtime.importFiles([second.bundle]))).toBe('bundle-refused')
    tenant.tombstones = [{ kid: gone.kid, at: T0 }]
    const third = await makeHandoff(vault, temporaryFolder(), [tenant], { previous: made.first })
    await made.runtime.importFiles([third.bundle])
    expect(await stated(made)).toContainEqual({ type: 'erased', tenant: 'acme', kid: gone.kid, reason: 'destroyed' })
    tenant.tombstones = []
    tenant.keys.push(gone)
    const fourth = await makeHandoff(vault, made.folder, [tenant], { previous: third })
    const before = await stateOf(made.runtime)
    expect(await codeOf(() => made.runtime.importFiles([fourth.bundle]))).toBe('tombstone-hit')
    expect(await stateOf(made.runtime)).toBe(before)
    expect(await alarmsOf(made)).toEqual(['bundle-refused', 'tombstone-hit'])
  })
})

describe('fault 16, the clock: floor and hold', () => {
  it.each([
    ['an hour back', -HOUR],
    ['to 1970', -T0],
  ])('%s: time stands still at its high-water', async (_what, jump) => {
    const made = await makeServing(await makeVault(), [makeTenant('acme')])
    made.clock.advance(DAY)
    await made.runtime.tick()
    made.clock.jump(jump)
    expect(made.runtime.now()).toBe(T0 + DAY)
    expect((await made.runtime.tick()).erased).toBe(0)
    const again = await openRuntime({ dir: made.dir, clock: made.clock })
    expect(again.now()).toBe(T0 + DAY)
    await again.close()
  })

  it.each([
    ['six hours and a second', 6 * HOUR + 1],
    ['to 2038-01-19T03:14:08Z', 2_147_483_648 - T0],
    ['to a leap day, 2028-02-29', 1_835_395_200 - T0],
  ])('forward by %s while running: phases freeze, nothing is erased, until somebody confirms', async (_what, jump) => {
    const tenant = makeTenant('acme')
    const made = await makeServing(await makeVault(), [tenant])
    await made.runtime.tick()
    made.clock.advance(60)
    expect(made.runtime.now()).toBe(T0 + 60)
    made.clock.jump(jump)
    expect(made.runtime.now()).toBe(T0 + 60)
    expect(await made.runtime.tick()).toEqual({ phases: 0, erased: 0 })
    made.clock.advance(HOUR)
    expect(made.runtime.now()).toBe(T0 + 60)
    expect(await signerKid(made)).toBe(tenant.keys[0]?.kid)
    const hold = { kind: 'jump', from: T0 + 60, to: T0 + 60 + jump }
    expect((await made.runtime.status()).clock).toEqual({ now: T0 + 60, hold })
    const operator = await openRuntime({ dir: made.dir, clock: made.clock })
    expect((await operator.status()).clock.hold).toEqual(hold)
    expect(await operator.confirmClock('operator')).toBe(true)
    await operator.close()
    await made.runtime.tick()
    expect(made.runtime.now()).toBe(T0 + 60 + jump + HOUR)
    expect((await made.runtime.status()).clock.hold).toBeNull()
    const said = (await stated(made)).map((one) => one.type)
    expect(said).toContain('clock-hold')
    expect(said).toContain('clock-confirmed')
  })

  it('many small steps forward add up to a hold', async () => {
    const made = await makeServing(await makeVault(), [makeTenant('acme')])
    for (let step = 0; step < 5; step++) {
      made.clock.jump(2 * HOUR)
      made.runtime.now()
    }
    expect(made.runtime.now()).toBe(T0 + 6 * HOUR)
  })

  it('time that truly passes is no jump, however long nobody asks', async () => {
    const made = await makeServing(await makeVault(), [makeTenant('acme')])
    made.clock.advance(400 * DAY)
    expect(made.runtime.now()).toBe(T0 + 400 * DAY)
    expect((await made.runtime.status()).clock.hold).toBeNull()
  })

  it('after a downtime of more than six hours phases follow, but nothing is erased until it is confirmed', async () => {
    const tenant = makeTenant('acme')
    const made = await makeServing(await makeVault(), [tenant])
    const [one, two] = tenant.keys
    if (!one || !two) throw new Error('no keys')
    made.clock.to(two.announceAt + 1)
    await made.runtime.tick()
    await made.runtime.close()
    made.clock.to(two.signFrom)
    const runtime = await openRuntime({ dir: made.dir, clock: made.clock })
    const again = { ...made, runtime }
    expect(await runtime.tick()).toMatchObject({ erased: 0 })
    expect(await signerKid(again)).toBe(two.kid)
    expect((await runtime.status()).tenants[0]?.phases[0]).toMatchObject({ phase: 'retired', hasPrivate: true })
    made.clock.advance(DAY)
    expect((await runtime.tick()).erased).toBe(0)
    expect(await runtime.confirmClock('operator')).toBe(true)
    expect((await runtime.tick()).erased).toBe(1)
    expect(await runtime.confirmClock('operator')).toBe(false)
    await runtime.close()
  })

  describe('a short command whose own clock is five days ahead while the runtime serves', () => {
    async function ahead() {
      const vault = await makeVault()
      const tenant = makeTenant('acme')
      const made = await makeServing(vault, [tenant])
      await made.runtime.tick()
      made.clock.advance(90)
      await made.runtime.tick()
      const second = await makeHandoff(vault, made.folder, [tenant], { previous: made.first })
      const command = await openRuntime({ dir: made.dir, clock: new TestClock(made.clock.now() + 5 * DAY) })
      onTestFinished(async () => await command.close())
      return { made, tenant, second, command, now: made.clock.now() }
    }

    it('imports nothing, says so, and the time of the runtime stays', async () => {
      const { made, second, command, now } = await ahead()
      const before = await stateOf(made.runtime)
      const error = await command.importFiles([second.bundle]).catch((thrown) => thrown)
      expect([error.code, error.message]).toEqual(['clock-refused', expect.stringMatching(/Nothing was imported/)])
      expect(error.hint).toContain('issuer clock confirm')
      await made.runtime.tick()
      expect(await stateOf(made.runtime)).toBe(before)
      expect(made.runtime.now()).toBe(now)
      const again = await openRuntime({ dir: made.dir, clock: made.clock })
      expect([again.now(), (await again.status()).clock.hold]).toEqual([now, null])
      expect(await again.importFiles([second.bundle])).toMatchObject({ outcome: 'imported', number: 2 })
      await again.close()
    })

    it('taints and exports by the time of the runtime, and states no phase', async () => {
      const { made, tenant, command, now } = await ahead()
      const kid = tenant.keys[0]?.kid ?? ''
      const { residualUntil } = await command.taint('acme', kid, { withdraw: false, actor: 'operator' })
      expect(residualUntil).toBeGreaterThan(now)
      const { path } = await command.exportReceipts(temporaryFolder())
      const { receiptSigner: signer } = made.enrollment
      const { receipts } = await readReceipts(path, { signer, runtimeId: 'eu-one', after: null, practice: false })
      for (const { at } of receipts) expect(at).toBeLessThanOrEqual(now)
      expect(await signerKid(made)).toBeNull()
      expect((await made.runtime.tick()).erased).toBe(1)
      expect([made.runtime.now(), (await made.runtime.status()).clock.hold]).toEqual([now, null])
    })

    it('goes on once an operator confirms its clock', async () => {
      const { second, command, now } = await ahead()
      expect(await command.confirmClock('operator')).toBe(true)
      expect(command.now()).toBe(now + 5 * DAY)
      expect(await command.importFiles([second.bundle])).toMatchObject({ outcome: 'imported' })
    })
  })

  it('the first import moves the time no further than the vault signed, however wrong its clock', async () => {
    const vault = await makeVault()
    const made = await makeRuntime(vault)
    const handoff = await makeHandoff(vault, made.folder, [makeTenant('acme')], { manifest: { iat: T0 + 60 } })
    const command = await openRuntime({ dir: made.dir, clock: new TestClock(T0 + 5 * DAY) })
    await command.importFiles([handoff.bundle])
    await command.close()
    made.clock.advance(30)
    const serving = await openRuntime({ dir: made.dir, clock: made.clock })
    await serving.tick()
    expect(serving.now()).toBe(T0 + 60)
    await serving.close()
  })
})

describe('receipts that the vault can take', () => {
  it.each([
    ['201 characters', 'x'.repeat(201)],
    ['a line break', 'night\nshift'],
    ['nothing', ''],
    ['a control character', 'a\u0007b'],
  ])('an actor of %s is usage-invalid in every command, and nothing changes', async (_what, actor) => {
    const tenant = makeTenant('acme')
    const made = await makeServing(await makeVault(), [tenant])
    const client = { clientId: 'api', method: 'client_secret_basic', audiences: ['https://api'] } as const
    await made.runtime.clients.add('acme', { ...client, audiences: [...client.audiences] }, 'operator')
    await made.runtime.tick()
    made.clock.jump(DAY)
    made.runtime.now()
    const before = JSON.stringify([await made.runtime.status(), await made.runtime.clients.list()])
    const { taint, clients, confirmClock } = made.runtime
    for (const work of [
      () => taint('acme', tenant.keys[0]?.kid ?? '', { withdraw: true, actor }),
      () => clients.add('acme', { ...client, clientId: 'other', audiences: ['https://api'] }, actor),
      () => clients.remove('acme', 'api', actor),
      () => confirmClock(actor),
    ])
      expect(await codeOf(work)).toBe('usage-invalid')
    expect(JSON.stringify([await made.runtime.status(), await made.runtime.clients.list()])).toBe(before)
    await stated(made)
  })

  it('whatever else a receipt could not be read back with is refused before it is signed', async () => {
    const place = { dir: temporaryFolder(), runtimeId: 'eu-one', store: 'sqlite', fileKey: sha256('a key') }
    const { store, traffic } = await makeStores(place)
    const signer = receiptSigner(generateKeyPairSync('ed25519').privateKey)
    const chain = new ReceiptChain(store, signer, { runtimeId: 'eu-one', practice: false })
    await store.change((tx) => chain.append(tx, T0, { type: 'clock-confirmed', actor: 'operator' }))
    const head = await chain.head()
    const bad: [number, Stated][] = [
      [T0, { type: 'clock-confirmed', actor: 'a\nb' }],
      [T0, { type: 'clock-hold', from: -1, to: T0 }],
      [1e12, { type: 'clock-confirmed', actor: 'operator' }],
    ]
    for (const [at, one] of bad)
      await expect(store.change((tx) => chain.append(tx, at, one))).rejects.toMatchObject({ code: 'internal' })
    expect(await chain.head()).toEqual(head)
    await traffic.close()
    await store.close()
  })

  it('exported twice within one second are one file, and the second answer says so', async () => {
    const made = await makeServing(await makeVault(), [makeTenant('acme')])
    const folder = temporaryFolder()
    const first = await made.runtime.exportReceipts(folder)
    expect(first.existed).toBe(false)
    expect(await made.runtime.exportReceipts(folder)).toEqual({ ...first, existed: true })
    expect(filesIn(folder)).toHaveLength(1)
    writeFileSync(first.path, 'something else\n')
    expect(await codeOf(async () => await made.runtime.exportReceipts(folder))).toBe('file-exists')
  })
})
