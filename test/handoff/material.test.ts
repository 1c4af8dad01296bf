import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readMaterial, writeMaterial } from '../../electron/handoff/material.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import {
  codeOf,
  filesIn,
  makeHandoff,
  makeKey,
  makeRoot,
  makeRuntime,
  makeTenant,
  makeVault,
  manifestAfter,
  stateOf,
  T0,
  temporaryFolder,
} from '../issuer/fixtures.ts'

describe('key material', () => {
  it('names every key, holds no private key in the clear, and the bytes given are wiped', async () => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    const transport = await makeRoot()
    const [one, two] = [makeKey('ES256'), makeKey('RS256')]
    const keys = [
      { tenant: 'beta', kid: thumbprint(two.jwk), pkcs8: two.pkcs8 },
      { tenant: 'acme', kid: thumbprint(one.jwk), pkcs8: one.pkcs8 },
    ]
    const [secret] = [Buffer.from(one.pkcs8)]
    const { vaultId, runtimeId, environment, number, iat, exp } = manifestAfter(vault, null)
    const written = await writeMaterial(folder, {
      manifest: { vaultId, runtimeId, environment, number, bundle: 'A'.repeat(43), iat, exp },
      transportKey: transport.jwk,
      keys,
      root: vault.root,
      practice: false,
    })
    expect(keys.every((key) => key.pkcs8.every((byte) => byte === 0))).toBe(true)
    const content = readFileSync(written.path)
    for (const spelling of [secret.toString('base64'), secret.toString('base64url'), secret.toString('hex')])
      expect(content.includes(spelling.slice(60, 100))).toBe(false)
    const seen: string[] = []
    const read = await readMaterial(written.path, vault.anchor, (key) => seen.push(key.tenant))
    expect(seen).toEqual(['acme', 'beta'])
    expect(read.manifest).toMatchObject({ keys: 2, transportKey: thumbprint(transport.jwk), iat: T0 })
    expect(filesIn(folder)).toHaveLength(1)
  })

  it('wipes what it was given and leaves no file when it fails', async () => {
    const vault = await makeVault()
    const folder = temporaryFolder()
    const transport = await makeRoot()
    const { jwk, pkcs8 } = makeKey('ES256')
    const twice = [0, 1].map(() => ({ tenant: 'acme', kid: thumbprint(jwk), pkcs8: pkcs8.slice() }))
    const { vaultId, runtimeId, environment, number, iat, exp } = manifestAfter(vault, null)
    const manifest = { vaultId, runtimeId, environment, number, bundle: 'A'.repeat(43), iat, exp }
    await expect(
      writeMaterial(folder, { manifest, transportKey: transport.jwk, keys: twice, root: vault.root, practice: false }),
    ).rejects.toThrow('twice')
    expect(twice.every((key) => key.pkcs8.every((byte) => byte === 0))).toBe(true)
    expect(filesIn(folder)).toEqual([])
  })

  it('is refused by a runtime when it is torn or one byte is another: nothing of the handoff is imported', async () => {
    const vault = await makeVault()
    const { runtime, folder, transportKey } = await makeRuntime(vault)
    const handoff = await makeHandoff(vault, folder, [makeTenant('acme')], { transportKey })
    const content = readFileSync(handoff.material ?? '')
    const before = await stateOf(runtime)
    const path = join(folder, 'torn')
    for (let length = 0; length < content.length; length += 61) {
      writeFileSync(path, content.subarray(0, length))
      expect(await codeOf(() => runtime.importFiles([handoff.bundle, path])), `torn at ${length}`).not.toBeNull()
      const flipped = Buffer.from(content)
      flipped[length] = (flipped[length] ?? 0) ^ 1
      writeFileSync(path, flipped)
      expect(await codeOf(() => runtime.importFiles([handoff.bundle, path])), `flipped at ${length}`).not.toBeNull()
    }
    expect(await stateOf(runtime)).toBe(before)
    expect((await runtime.importFiles([handoff.bundle, handoff.material ?? ''])).keys).toBe(3)
  })
})
