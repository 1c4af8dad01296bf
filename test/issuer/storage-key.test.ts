import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfigFile } from '../../electron/issuer/config.ts'
import { type RotateOptions, rotateStorageKey } from '../../electron/issuer/keeping/storage-key.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { sha256, toBase64url } from '../../shared/formats/bytes.ts'
import { onPostgres } from './database.ts'
import { codeOf, filesIn, makeTenant, makeVault, temporaryFolder } from './fixtures.ts'
import { burn, type Kept, makeKept, opened, REQUEST, restore, statedBy } from './keeping.ts'

async function stopped() {
  const made = await makeKept(await makeVault(), [makeTenant('acme'), makeTenant('globex')])
  await made.runtime.clients.add('acme', REQUEST, 'test')
  const before = await made.runtime.status()
  await made.runtime.close()
  return { ...made, before }
}

/** Signs with a key of each tenant, and has all that was there. */
async function mustBeWhole({ dir, clock, before }: Awaited<ReturnType<typeof stopped>>) {
  const runtime = await opened({ dir, clock })
  expect((await runtime.status()).tenants).toEqual(before.tenants)
  for (const tenant of ['acme', 'globex']) {
    const service = await runtime.find(`${tenant}.example.com`, '')
    expect((await service?.signer('ES256', runtime.now()))?.sign('a.b')).toMatch(/^[\w-]{86}$/)
  }
  expect(await runtime.clients.list('acme')).toHaveLength(1)
  return runtime
}

const rotate = (made: Pick<Kept, 'dir'>, options: Partial<RotateOptions> = {}) =>
  rotateStorageKey({ dir: made.dir, actor: 'Olga', ...options })

describe('rotating the storage key', () => {
  it('everything is under the new key, the old one is gone from the folder, and a receipt says so', async () => {
    const made = await stopped()
    const from = readConfigFile(made.dir).storageKeyId
    const done = await rotate(made)
    expect(done).toMatchObject({ from, oldErased: true })
    expect(readConfigFile(made.dir)).toMatchObject({ storageKeyId: done.to })
    expect(existsSync(join(made.dir, 'storage.key'))).toBe(false)
    expect(filesIn(made.dir).filter((name) => /rotat|partial/.test(name))).toEqual([])
    const runtime = await mustBeWhole(made)
    const stated = await statedBy(runtime, made)
    expect(stated).toContainEqual({ type: 'storage-key-rotated', from, to: done.to, actor: 'Olga' })
    expect((await runtime.keeping()).secondPlace?.behindSince).toBeNull()
  })

  it('a backup made before opens with the old key alone; one made after brings the runtime back', async () => {
    const made = await stopped()
    const first = await opened({ dir: made.dir, clock: made.clock })
    const old = await first.backup(made.folder, 'test')
    await first.close()
    const { keyFile } = await rotate(made)
    writeFileSync(join(made.folder, 'new.key'), readFileSync(keyFile))
    const storageKey = join(made.folder, 'new.key')
    const runtime = await mustBeWhole(made)
    const fresh = await runtime.backup(made.folder, 'test')
    await runtime.clients.add('globex', REQUEST, 'test')
    await burn({ ...made, runtime })
    expect(await codeOf(() => restore({ ...made, storageKey }, old.path))).toBe('storage-key-wrong')
    // What the old key opens is the backup; the journal is under the new one.
    expect(await codeOf(() => restore(made, old.path))).toBe('storage-key-wrong')
    const restored = await restore({ ...made, storageKey }, fresh.path)
    const again = await mustBeWhole({ ...made, dir: restored.dir })
    expect(await again.clients.list('globex')).toHaveLength(1)
  })

  it('counts erasures, and begins to count anew', async () => {
    const made = await stopped()
    const first = await opened({ dir: made.dir, clock: made.clock })
    const [key] = (await first.status()).tenants[0]?.phases ?? []
    await first.taint('acme', key?.kid ?? '', { withdraw: false, actor: 'test' })
    expect((await first.keeping()).erased).toBe(1)
    await first.close()
    await rotate(made)
    const runtime = await opened({ dir: made.dir, clock: made.clock })
    expect(await runtime.keeping()).toMatchObject({ erased: 0, rotatedAt: made.clock.now() })
  })

  it.each(['key', 'plan', 'store', 'config', 'files', 'second-place', 'old-key'] as const)(
    'ended before the step "%s": the runtime opens as it is, and the same command goes on',
    async (stop) => {
      const made = await stopped()
      const from = readConfigFile(made.dir).storageKeyId
      const killed = rotate(made, {
        onStep: (step) => {
          if (step === stop) throw new Error('killed')
        },
      })
      await expect(killed).rejects.toThrow('killed')
      const after = readConfigFile(made.dir).storageKeyId
      const early = ['key', 'plan', 'store', 'config'].includes(stop)
      expect(after === from).toBe(early)
      // In a database the new key counts as soon as the rows are sealed with it.
      if (onPostgres() && stop === 'config')
        expect(await codeOf(() => openRuntime({ dir: made.dir, clock: made.clock }))).toBe('storage-key-wrong')
      else await (await mustBeWhole(made)).close()
      const done = await rotate(made)
      expect(readConfigFile(made.dir).storageKeyId).toBe(done.to)
      expect(existsSync(join(made.dir, 'storage.key'))).toBe(false)
      expect(filesIn(made.dir).filter((name) => /rotat|partial/.test(name))).toEqual([])
      const runtime = await mustBeWhole(made)
      const rotations = (await statedBy(runtime, made)).filter(({ type }) => type === 'storage-key-rotated')
      expect(rotations).toHaveLength(1)
    },
  )

  it('a new key outside of the folder: it is taken as it is, and the old one outside is left to the operator', async () => {
    const made = await stopped()
    const newKeyFile = join(temporaryFolder(), 'vaulted.key')
    writeFileSync(newKeyFile, `${toBase64url(sha256('chosen'))}\n`, { mode: 0o600 })
    const first = await rotate(made, { newKeyFile })
    expect(first).toMatchObject({ keyFile: newKeyFile, oldErased: true })
    const second = await rotate(made)
    expect(second).toMatchObject({ oldKeyFile: newKeyFile, oldErased: false })
    expect(existsSync(newKeyFile)).toBe(true)
    await mustBeWhole(made)
    expect(await codeOf(() => rotate(made, { newKeyFile: second.keyFile }))).toBe('usage-invalid')
  })

  it('while another process serves: refused for files; replicas of a database stop signing', async () => {
    const made = await stopped()
    const serving = await opened({ dir: made.dir, clock: made.clock })
    if (!onPostgres()) {
      await serving.find('acme.example.com', '')
      const before = filesIn(made.dir)
      expect(await codeOf(() => rotate(made))).toBe('store-busy')
      expect(readConfigFile(made.dir).storageKeyId).toBe(serving.config.storageKeyId)
      expect(await (await serving.find('acme.example.com', ''))?.signer('ES256', serving.now())).toBeTruthy()
      await serving.close()
      await rotate(made)
      expect(filesIn(made.dir).length).toBeLessThanOrEqual(before.length)
      return
    }
    expect(serving.cannotSign()).toBeNull()
    await rotate(made)
    await serving.follow()
    expect(serving.cannotSign()).toContain('rotated')
  })

  it('a second place that cannot be written keeps the old key until it can', async () => {
    const made = await stopped()
    writeFileSync(join(made.place, 'eu-one.mark'), 'damaged\n')
    writeFileSync(join(made.place, 'eu-one.journal'), 'damaged\n')
    expect(await codeOf(() => rotate(made))).toBe('medium-failed')
    expect(existsSync(join(made.dir, 'storage.key'))).toBe(true)
  })
})
