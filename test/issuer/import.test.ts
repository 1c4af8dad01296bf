import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { verifySignature } from '../../electron/issuer/signing.ts'
import { KEY_SPEC_NAMES } from '../../shared/domain/algorithms.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { makeHandoff, makeRuntime, makeServing, makeTenant, makeVault, pathsOf, policyWith, T0 } from './fixtures.ts'

describe('a handoff goes into a runtime', () => {
  it.each(KEY_SPEC_NAMES)('and its %s key signs what the published key verifies', async (spec) => {
    const vault = await makeVault()
    const tenant = makeTenant('acme', { policy: policyWith({ signingAlgorithms: [spec], horizon: 1 }) })
    const { runtime } = await makeServing(vault, [tenant])
    const service = await runtime.find('acme.example.com', '')
    const [algorithm] = service?.algorithms ?? []
    const signer = algorithm && (await service?.signer(algorithm, runtime.now()))
    const [jwk] = service?.published(runtime.now()).keys ?? []
    expect(signer?.kid).toBe(jwk?.kid)
    const signature = signer ? signer.sign('a.b') : ''
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    expect(verifySignature(spec, key, 'a.b', signature)).toBe(true)
    expect(verifySignature(spec, key, 'a.c', signature)).toBe(false)
  })

  it('and its receipts go back as a chain that ends with a fresh transport key', async () => {
    const vault = await makeVault()
    const { runtime, folder, enrollment, transportKey } = await makeServing(vault, [
      makeTenant('acme'),
      makeTenant('beta'),
    ])
    await runtime.tick()
    const exported = await runtime.exportReceipts(folder)
    const read = await readReceipts(exported.path, {
      signer: enrollment.receiptSigner,
      runtimeId: 'eu-one',
      after: null,
      practice: false,
    })
    expect(read.receipts.map((one) => one.stated.type)).toEqual([
      'imported',
      'transport-key-erased',
      'phase',
      'phase',
      'transport-key-offered',
    ])
    expect(read.offered).not.toEqual(transportKey)
    expect((await runtime.exportReceipts(`${folder}/again`)).to).toBe(exported.to)
  })

  it('the bundle alone publishes; the material later lets it sign', async () => {
    const vault = await makeVault()
    const { runtime, folder, transportKey } = await makeRuntime(vault)
    const handoff = await makeHandoff(vault, folder, [makeTenant('acme')], { transportKey })
    expect(await runtime.importFiles([handoff.bundle])).toMatchObject({ outcome: 'imported', tenants: 1, keys: 0 })
    const service = await runtime.find('acme.example.com', '')
    expect(service?.published(T0).keys).toHaveLength(1)
    expect(await service?.signer('ES256', T0)).toBeNull()
    expect(await runtime.importFiles(pathsOf(handoff).slice(1))).toMatchObject({ outcome: 'imported', keys: 3 })
    expect((await (await runtime.find('acme.example.com', ''))?.signer('ES256', T0))?.alg).toBe('ES256')
    expect(await runtime.importFiles(pathsOf(handoff).reverse())).toMatchObject({ outcome: 'no-op' })
  })

  it('and a second bundle takes its place', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const { runtime, folder, first, clock } = await makeServing(vault, [tenant])
    clock.advance(DAY)
    const second = await makeHandoff(vault, folder, [tenant], { previous: first, manifest: { iat: T0 + DAY } })
    expect(await runtime.importFiles([second.bundle])).toMatchObject({ outcome: 'imported', number: 2 })
    expect((await runtime.status()).bundle).toEqual({ number: 2, at: T0 + DAY })
    expect(await (await runtime.find('acme.example.com', ''))?.signer('ES256', T0 + DAY)).not.toBeNull()
  })
})
