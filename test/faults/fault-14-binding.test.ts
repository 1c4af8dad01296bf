import { describe, expect, it } from 'vitest'
import { writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { initRuntime } from '../../electron/issuer/init.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { sealTo } from '../../shared/formats/jwe.ts'
import { materialTyp } from '../../shared/formats/material.ts'
import {
  codeOf,
  filesIn,
  makeHandoff,
  makeRoot,
  makeRuntime,
  makeTenant,
  makeVault,
  pathsOf,
  rawMaterial,
  stateOf,
  T0,
  TestClock,
  temporaryFolder,
} from '../issuer/fixtures.ts'

const init = (folder: string, trustAnchorFile: string, practice: boolean) =>
  initRuntime({
    dir: `${folder}/issuer`,
    trustAnchorFile,
    runtimeId: 'eu-one',
    environment: 'production',
    listen: { host: '127.0.0.1', port: 0 },
    enrollmentFolder: folder,
    practice,
    clock: new TestClock(),
  })

describe('fault 14, files for somebody else: nothing is imported', () => {
  it.each([
    ['another runtime', { runtimeId: 'us-one' }, 'audience-wrong'],
    ['another environment', { environment: 'staging' }, 'environment-wrong'],
    ['another vault named by the same root', { vaultId: '3f3a0f52-6d0b-4c57-93a4-0f3b1a2c4d5e' }, 'vault-mismatch'],
  ])('a bundle and material for %s', async (_what, manifest, code) => {
    const vault = await makeVault()
    const { runtime, folder, transportKey } = await makeRuntime(vault)
    const before = await stateOf(runtime)
    const handoff = await makeHandoff(vault, folder, [makeTenant('acme')], { manifest, transportKey })
    expect(await codeOf(() => runtime.importFiles(pathsOf(handoff)))).toBe(code)
    expect(await stateOf(runtime)).toBe(before)
    const good = await makeHandoff(vault, temporaryFolder(), [makeTenant('acme')])
    await runtime.importFiles([good.bundle])
    const after = await stateOf(runtime)
    expect(await codeOf(() => runtime.importFiles(pathsOf(handoff).slice(1)))).toBe(code)
    expect(await stateOf(runtime)).toBe(after)
  })

  it('a bundle of another vault is vault-mismatch; of a practice vault practice-refused, and the other way round', async () => {
    const production = await makeVault()
    const practice = await makeVault({ practice: true })
    const cases = [
      [production, await makeVault(), 'vault-mismatch'],
      [production, practice, 'practice-refused'],
      [practice, production, 'practice-refused'],
    ] as const
    for (const [mine, other, code] of cases) {
      const { runtime, folder } = await makeRuntime(mine)
      const handoff = await makeHandoff(other, folder, [makeTenant('acme')])
      const before = await stateOf(runtime)
      expect(await codeOf(() => runtime.importFiles([handoff.bundle]))).toBe(code)
      expect(await stateOf(runtime)).toBe(before)
    }
  })

  it('a practice statement signed by the production root itself is practice-refused', async () => {
    const vault = await makeVault()
    const { runtime, folder } = await makeRuntime(vault)
    const handoff = await makeHandoff({ ...vault, practice: true }, folder, [makeTenant('acme')])
    expect(await codeOf(() => runtime.importFiles([handoff.bundle]))).toBe('practice-refused')
  })

  it('material that belongs to another bundle of the same number is bundle-forked', async () => {
    const vault = await makeVault()
    const { runtime, folder, transportKey } = await makeRuntime(vault)
    const material = { bundle: 'A'.repeat(43) }
    const handoff = await makeHandoff(vault, folder, [makeTenant('acme')], { transportKey, material })
    const before = await stateOf(runtime)
    expect(await codeOf(() => runtime.importFiles(pathsOf(handoff)))).toBe('bundle-forked')
    expect(await stateOf(runtime)).toBe(before)
  })

  it.each([
    ['another tenant', { tenant: 'beta' }, 'bundle-refused'],
    ['another runtime', { runtime: 'us-one' }, 'decryption-failed'],
    ['another handoff', { number: '2' }, 'decryption-failed'],
    ['another use', { typ: 'keyrite-practice-key' }, 'jose-refused'],
    ['a transport key of somebody else', { foreign: true }, 'decryption-failed'],
  ])('a private key sealed for %s does not open, although the root signed the list', async (_what, changes, code) => {
    const vault = await makeVault()
    const { runtime, folder, transportKey } = await makeRuntime(vault)
    const [acme, beta] = [makeTenant('acme'), makeTenant('beta')]
    const handoff = await makeHandoff(vault, folder, [acme, beta])
    const [[kid, pkcs8] = ['', new Uint8Array()]] = [...acme.secrets]
    const {
      typ = materialTyp(false),
      foreign = false,
      ...bound
    } = changes as Record<string, string> & { foreign?: boolean }
    const jwk = foreign ? (await makeRoot()).jwk : transportKey
    const binding = { tenant: 'acme', key: kid, runtime: 'eu-one', number: '1', ...bound }
    const jwe = await sealTo({ kid: thumbprint(transportKey), jwk }, typ, pkcs8, binding)
    const material = await rawMaterial(vault, folder, handoff, transportKey, [jwe])
    const before = await stateOf(runtime)
    expect(await codeOf(() => runtime.importFiles([handoff.bundle, material]))).toBe(code)
    expect(await stateOf(runtime)).toBe(before)
  })

  it.each([
    ['practice', true, false],
    ['production', false, true],
  ])(
    'a %s trust anchor is pinned only when that is asked for, and nothing is left otherwise',
    async (_what, anchored, asked) => {
      const folder = temporaryFolder()
      const { anchor } = await makeVault({ practice: anchored })
      const file = writeTrustAnchor(folder, anchor.jws, T0)
      const before = filesIn(folder)
      expect(await codeOf(() => init(folder, file, asked))).toBe('practice-refused')
      expect(filesIn(folder)).toEqual(before)
    },
  )
})
