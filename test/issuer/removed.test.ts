import { describe, expect, it } from 'vitest'
import { writeBundle } from '../../electron/handoff/bundle.ts'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import type { RemovedLine } from '../../shared/formats/bundle.ts'
import {
  codeOf,
  type Handoff,
  makeServing,
  makeTenant,
  makeVault,
  manifestAfter,
  RUNTIME_ID,
  stateOf,
  T0,
  type TestRuntime,
  type TestVault,
} from './fixtures.ts'

/** What a runtime does with the line of a tenant that was offboarded. */

const gone = (tenant: string, issuer = `https://${tenant}.example.com`): RemovedLine => ({
  tenant,
  issuer,
  removed: T0,
})

/** The next bundle, of these lines alone. */
async function next(vault: TestVault, at: TestRuntime, previous: Handoff, lines: RemovedLine[]): Promise<Handoff> {
  const { root, practice } = vault
  const manifest = manifestAfter(vault, previous, { iat: at.clock.now(), exp: at.clock.now() + 7 * DAY })
  const written = await writeBundle(at.folder, { manifest, tenants: lines, root, practice })
  return { number: manifest.number, manifestDigest: written.manifestDigest, bundle: written.path, material: null }
}

/** Why private halves were erased, as the receipts say. */
async function erasedIn({ runtime, enrollment, folder, clock }: TestRuntime): Promise<string[]> {
  const { path } = await runtime.exportReceipts(`${folder}/receipts-${clock.monotonic()}`)
  const { receiptSigner: signer } = enrollment
  const { receipts } = await readReceipts(path, { signer, runtimeId: RUNTIME_ID, after: null, practice: false })
  return receipts.flatMap(({ stated }) => (stated.type === 'erased' ? [stated.reason] : []))
}

const held = async (at: TestRuntime, tenant: string): Promise<number> =>
  (await at.runtime.status()).tenants
    .filter((one) => one.tenant === tenant)
    .flatMap(({ phases }) => phases)
    .filter(({ hasPrivate }) => hasPrivate).length

describe('a tenant that was offboarded', () => {
  it('is not found any more, and another with its own keys goes on; the same bundle again changes nothing', async () => {
    const vault = await makeVault()
    const at = await makeServing(vault, [makeTenant('acme'), makeTenant('globex')])
    expect(await held(at, 'acme')).toBeGreaterThan(0)
    const bundle = await next(vault, at, at.first, [gone('acme')])
    expect(await at.runtime.importFiles([bundle.bundle])).toMatchObject({ outcome: 'imported', tenants: 1 })
    expect(await at.runtime.find('acme.example.com', '')).toBeNull()
    expect(await (await at.runtime.find('globex.example.com', ''))?.signer('ES256', at.clock.now())).not.toBeNull()
    const after = await stateOf(at.runtime)
    expect(await at.runtime.importFiles([bundle.bundle])).toMatchObject({ outcome: 'no-op' })
    expect(await stateOf(at.runtime)).toBe(after)
  })

  it('removed under another issuer, or under that of another tenant, is refused and stays', async () => {
    const vault = await makeVault()
    const at = await makeServing(vault, [makeTenant('acme'), makeTenant('globex')])
    const before = await stateOf(at.runtime)
    for (const line of [gone('acme', 'https://other.example.com'), gone('new', 'https://globex.example.com')]) {
      const bundle = await next(vault, at, at.first, [line])
      expect(await codeOf(() => at.runtime.importFiles([bundle.bundle]))).toBe('bundle-refused')
      expect(await stateOf(at.runtime)).toBe(before)
      at.clock.advance(1)
    }
    expect(await at.runtime.find('acme.example.com', '')).not.toBeNull()
  })

  it('one that this runtime never had is remembered: it never comes', async () => {
    const vault = await makeVault()
    const at = await makeServing(vault, [makeTenant('acme')])
    const bundle = await next(vault, at, at.first, [gone('evil')])
    await at.runtime.importFiles([bundle.bundle])
    expect((await at.runtime.status()).offboarded).toEqual([{ tenant: 'evil', at: T0 }])
    expect(await at.runtime.find('acme.example.com', '')).not.toBeNull()
  })

  it('nothing signs for it, taints it, or names it: for every command it is unknown', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const at = await makeServing(vault, [tenant, makeTenant('globex')])
    const bundle = await next(vault, at, at.first, [gone('acme')])
    await at.runtime.importFiles([bundle.bundle])
    const kid = tenant.keys[0]?.kid ?? ''
    const { taint, assign, clients } = at.runtime
    expect(await codeOf(() => taint('acme', kid, { withdraw: true, actor: 'ops' }))).toBe('tenant-unknown')
    expect(await codeOf(() => assign('acme', 'Acme', 'ops'))).toBe('tenant-unknown')
    const client = { clientId: 'x', method: 'client_secret_basic', audiences: ['a'] } as const
    expect(await codeOf(() => clients.add('acme', { ...client, audiences: ['a'] }, 'ops'))).toBe('tenant-unknown')
  })

  it('while the clock is in doubt nothing of it is erased, and it is not served all the same', async () => {
    const vault = await makeVault()
    const at = await makeServing(vault, [makeTenant('acme')])
    await at.runtime.tick()
    const bundle = await next(vault, at, at.first, [gone('acme')])
    at.clock.jump(9 * HOUR)
    await at.runtime.tick()
    expect((await at.runtime.status()).clock.hold).not.toBeNull()
    expect(await at.runtime.importFiles([bundle.bundle])).toMatchObject({ outcome: 'imported' })
    expect(await at.runtime.find('acme.example.com', '')).toBeNull()
    expect(await erasedIn(at)).toEqual([])
    await at.runtime.confirmClock('ops')
    await at.runtime.tick()
    expect(await erasedIn(at)).toEqual(['offboarded', 'offboarded', 'offboarded'])
    expect(await at.runtime.status()).toMatchObject({ tenants: [], offboarded: [{ tenant: 'acme' }] })
  })
})
