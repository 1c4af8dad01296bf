import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Runtime } from '../../electron/issuer/runtime.ts'
import { DAY } from '../../shared/domain/policy.ts'
import {
  alarmsOf,
  codeOf,
  type Handoff,
  makeHandoff,
  makeRuntime,
  makeServing,
  makeTenant,
  makeVault,
  pathsOf,
  stateOf,
  T0,
  temporaryFolder,
} from '../issuer/fixtures.ts'

async function refused(runtime: Runtime, files: string[]): Promise<string | null> {
  const before = await stateOf(runtime)
  const code = await codeOf(() => runtime.importFiles(files))
  expect(await stateOf(runtime)).toBe(before)
  return code
}

describe('fault 15, sequence: replay, rollback, fork and gap', () => {
  it('the same bundle again is a recorded no-op', async () => {
    const made = await makeServing(await makeVault(), [makeTenant('acme')])
    const before = await stateOf(made.runtime)
    const again = await made.runtime.importFiles(pathsOf(made.first))
    expect(again).toMatchObject({ outcome: 'no-op', number: 1, keys: 0 })
    expect(await stateOf(made.runtime)).toBe(before)
  })

  it('a lower number is refused as bundle-lower', async () => {
    const vault = await makeVault()
    const tenants = [makeTenant('acme')]
    const made = await makeServing(vault, tenants)
    const second = await makeHandoff(vault, made.folder, tenants, { previous: made.first })
    await made.runtime.importFiles([second.bundle])
    expect(await refused(made.runtime, pathsOf(made.first))).toBe('bundle-lower')
    expect(await alarmsOf(made)).toEqual([])
  })

  it('the same number with another digest is bundle-forked, and an alarm', async () => {
    const vault = await makeVault()
    const made = await makeServing(vault, [makeTenant('acme')])
    const fork = await makeHandoff(vault, temporaryFolder(), [makeTenant('acme')])
    expect(await refused(made.runtime, [fork.bundle])).toBe('bundle-forked')
    expect(await alarmsOf(made)).toEqual(['bundle-forked'])
  })

  it('the next number after another predecessor is bundle-forked, and an alarm', async () => {
    const vault = await makeVault()
    const made = await makeServing(vault, [makeTenant('acme')])
    const fork = await makeHandoff(vault, temporaryFolder(), [makeTenant('acme')])
    const next = await makeHandoff(vault, temporaryFolder(), [makeTenant('acme')], { previous: fork })
    expect(await refused(made.runtime, [next.bundle])).toBe('bundle-forked')
    expect(await alarmsOf(made)).toEqual(['bundle-forked'])
  })

  it('a gap is refused as bundle-gap and names the missing number', async () => {
    const vault = await makeVault()
    const tenants = [makeTenant('acme')]
    const made = await makeServing(vault, tenants)
    const second = await makeHandoff(vault, made.folder, tenants, { previous: made.first })
    const third = await makeHandoff(vault, made.folder, tenants, { previous: second })
    expect(await refused(made.runtime, [third.bundle])).toBe('bundle-gap')
    await expect(made.runtime.importFiles([third.bundle])).rejects.toThrow('Bundle 2 is missing')
  })

  it('a bundle after receipts that this runtime never made is runtime-behind: its store was rolled back', async () => {
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const { bundle } = await makeHandoff(vault, folder, [makeTenant('acme')], { manifest: { receiptsSeen: 1 } })
    expect(await refused(runtime, [bundle])).toBe('runtime-behind')
  })

  it('material of another bundle, or for a used transport key, is refused', async () => {
    const vault = await makeVault()
    const tenants = [makeTenant('acme')]
    const made = await makeServing(vault, tenants)
    const { transportKey } = made
    const second = await makeHandoff(vault, made.folder, tenants, { previous: made.first, transportKey })
    expect(await refused(made.runtime, pathsOf(second).slice(1))).toBe('bundle-gap')
    expect(await refused(made.runtime, pathsOf(second))).toBe('decryption-failed')
    const other = await makeHandoff(vault, temporaryFolder(), tenants, { transportKey })
    expect(await refused(made.runtime, pathsOf(other).slice(1))).toBe('bundle-forked')
  })

  it('a file that expired or comes from the future is refused, with the difference named', async () => {
    const vault = await makeVault()
    const { runtime, folder, clock } = await makeRuntime(vault)
    const late = await makeHandoff(vault, folder, [makeTenant('acme')], { manifest: { exp: T0 + DAY } })
    clock.advance(DAY)
    expect(await refused(runtime, [late.bundle])).toBe('file-expired')
    const early = await makeHandoff(vault, folder, [makeTenant('acme')], { manifest: { iat: T0 + DAY + 601 } })
    expect(await refused(runtime, [early.bundle])).toBe('file-from-future')
    await expect(runtime.importFiles([early.bundle])).rejects.toThrow('10 minutes, 1 second')
    const nearly = await makeHandoff(vault, folder, [makeTenant('acme')], { manifest: { iat: T0 + DAY + 600 } })
    expect((await runtime.importFiles([nearly.bundle])).outcome).toBe('imported')
  })

  it('in any order and interleaving only the next one of the chain is ever taken', async () => {
    const vault = await makeVault()
    const tenants = [makeTenant('acme')]
    const folder = temporaryFolder()
    const chain: Handoff[] = []
    for (let number = 0; number < 4; number++)
      chain.push(await makeHandoff(vault, folder, tenants, { previous: chain.at(-1) ?? null }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 8 }), async (order) => {
        const { runtime } = await makeRuntime(vault)
        let current = 0
        for (const index of order) {
          const expected =
            index + 1 === current
              ? 'no-op'
              : index === current
                ? 'imported'
                : index < current
                  ? 'bundle-lower'
                  : 'bundle-gap'
          const got = await runtime.importFiles([chain[index]?.bundle ?? '']).then(
            (result) => result.outcome,
            (error) => error.code,
          )
          expect(got).toBe(expected)
          if (got === 'imported') current += 1
          expect((await runtime.status()).bundle?.number ?? 0).toBe(current)
        }
      }),
      { numRuns: 6 },
    )
  })
})
