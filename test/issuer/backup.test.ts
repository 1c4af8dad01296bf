import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readBackupHeader } from '../../electron/issuer/keeping/backup-file.ts'
import { restoreRuntime } from '../../electron/issuer/keeping/restore.ts'
import { TABLES } from '../../electron/issuer/keeping/snapshot.ts'
import { SQLITE_RUNTIME } from '../../electron/issuer/store/schema.ts'
import { sha256, toBase64url } from '../../shared/formats/bytes.ts'
import { codeOf, filesIn, makeHandoff, makeTenant, makeVault, temporaryFolder } from './fixtures.ts'
import { burn, makeKept, opened, REQUEST, restore, statedBy } from './keeping.ts'

async function backedUp() {
  const vault = await makeVault()
  const tenants = [makeTenant('acme'), makeTenant('globex')]
  const made = await makeKept(vault, tenants)
  const { secret } = await made.runtime.clients.add('acme', REQUEST, 'Olga Operator')
  const folder = temporaryFolder()
  return { ...made, vault, tenants, secret, folder, backup: await made.runtime.backup(folder, 'Olga Operator') }
}

describe('a backup', () => {
  it('is one file of its owner alone, with a receipt that names it, its keys and its storage key', async () => {
    const made = await backedUp()
    const { path, digest, keys, storageKey } = made.backup
    expect(filesIn(made.folder)).toEqual([expect.stringMatching(/^runtime-backup-[0-9a-f]{8}-\d{8}T\d{6}Z\.keyrite$/)])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(digest).toBe(toBase64url(sha256(readFileSync(path))))
    expect(keys).toBe(made.tenants.flatMap((tenant) => [...tenant.secrets]).length)
    expect(await statedBy(made.runtime, made)).toContainEqual({
      type: 'backup-made',
      backup: digest,
      keys,
      storageKey,
      actor: 'Olga Operator',
    })
    expect(readBackupHeader(path)).toMatchObject({ runtimeId: 'eu-one', storageKeyId: storageKey, practice: false })
  })

  it('tells nothing but its first line to who reads it (fault 29)', async () => {
    const made = await backedUp()
    const content = readFileSync(made.backup.path)
    for (const { secrets } of made.tenants)
      for (const pkcs8 of secrets.values()) expect(content.includes(Buffer.from(pkcs8).subarray(40, 60))).toBe(false)
    for (const word of ['acme', 'globex', 'Olga', made.secret ?? '']) expect(content.includes(word), word).toBe(false)
  })

  it('holds every table of the store but those that an import fills before it counts', () => {
    const all = [...SQLITE_RUNTIME.matchAll(/CREATE TABLE (\w+)/g)].map(([, name]) => name)
    expect(all.filter((name) => !TABLES.includes(name ?? ''))).toEqual([
      'staged_tenants',
      'staged_keys',
      'staged_private_keys',
      'staged_tombstones',
      'staged_removed',
    ])
  })

  it('is of one instant, although changes and imports go on while it is written', async () => {
    const made = await backedUp()
    const two = await makeHandoff(made.vault, made.folder, [...made.tenants, makeTenant('initech')], {
      previous: made.first,
      manifest: { exp: made.clock.now() + 1000 },
    })
    const [backup] = await Promise.all([
      made.runtime.backup(made.folder, 'test'),
      made.runtime.importFiles([two.bundle]),
      made.runtime.clients.remove('acme', 'api', 'test'),
    ])
    await burn(made)
    const { caughtUp } = await restore(made, backup.path)
    expect([2, null]).toContain(caughtUp?.bundle)
  })
})

describe('a backup during which a private half is erased', () => {
  it('is not kept: the vault would not know that it holds that key', async () => {
    const made = await backedUp()
    const [key] = (await made.runtime.status()).tenants[0]?.phases ?? []
    const folder = temporaryFolder()
    const results = await Promise.allSettled([
      made.runtime.backup(folder, 'test'),
      made.runtime.taint('acme', key?.kid ?? '', { withdraw: false, actor: 'test' }),
    ])
    const stated = (await statedBy(made.runtime, made)).map(({ type }) => type)
    const told = stated.lastIndexOf('backup-made') > stated.indexOf('erased')
    // Whichever came first: a kept file is one whose receipt tells the truth.
    if (results[0]?.status === 'rejected') expect(filesIn(folder)).toEqual([])
    else expect(told && (results[0]?.value.keys ?? 0) === made.backup.keys).toBe(false)
  })
})

describe('restoring', () => {
  it('gives the runtime as it was: configuration, anchor, tenants, keys that sign, clients', async () => {
    const made = await backedUp()
    const before = await made.runtime.status()
    await burn(made)
    const { dir, caughtUp, rows } = await restore(made, made.backup.path)
    expect(rows).toBeGreaterThan(10)
    expect(caughtUp).toMatchObject({ erased: 0, bundle: null })
    const runtime = await opened({ dir, clock: made.clock })
    const after = await runtime.status()
    expect(after.tenants).toEqual(before.tenants)
    expect([after.runtimeId, after.vaultId, after.bundle]).toEqual([before.runtimeId, before.vaultId, before.bundle])
    const service = await runtime.find('globex.example.com', '')
    expect((await service?.signer('ES256', runtime.now()))?.sign('a.b')).toMatch(/^[\w-]{86}$/)
    expect((await runtime.clients.list())[0]?.client.secretDigest).toBe(toBase64url(sha256(made.secret ?? '')))
  })

  it('the folder is 0700, holds no storage key, and a runtime in it is never overwritten', async () => {
    const made = await backedUp()
    await burn(made)
    const { dir } = await restore(made, made.backup.path)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(readdirSync(dir).filter((name) => name.endsWith('.key'))).toEqual([])
    const again = { file: made.backup.path, dir, storageKeyFile: made.storageKey, actor: 'test' }
    expect(await codeOf(() => restoreRuntime(again))).toBe('runtime-exists')
  })

  it('moves between the kinds of store: from here into a file, and from the file back', async () => {
    const made = await backedUp()
    const before = await made.runtime.status()
    await burn(made)
    const inFile = await restore(made, made.backup.path, { into: { store: 'sqlite' } })
    expect(readdirSync(inFile.dir)).toContain('store.db')
    const runtime = await opened({ dir: inFile.dir, clock: made.clock })
    const again = await runtime.backup(made.folder, 'test')
    await burn({ runtime, dir: inFile.dir })
    const back = await restore(made, again.path)
    const after = await opened({ dir: back.dir, clock: made.clock })
    expect((await after.status()).tenants).toEqual(before.tenants)
    const service = await after.find('acme.example.com', '')
    expect((await service?.signer('ES256', after.now()))?.sign('a.b')).toMatch(/^[\w-]{86}$/)
  })

  it.each([
    ['cut off after a part', 3, (lines: string[]) => lines.slice(0, -1)],
    ['with two parts exchanged', 3, ([a = '', b = '', c = '', ...rest]: string[]) => [a, c, b, ...rest]],
    ['with another first line', 2, ([a = '', ...rest]: string[]) => [a.replace('production', 'staging'), ...rest]],
    ['with a changed part', 2, ([a = '', b = '', ...rest]: string[]) => [a, `${b.slice(0, -9)}AAAAAAAAA`, ...rest]],
    ['without any part', 2, ([a = '']: string[]) => [a]],
    ['of nothing', 2, () => []],
  ])('a backup %s is refused, and nothing is left', async (_what, parts, spoil) => {
    const vault = await makeVault()
    const made = await makeKept(vault, [makeTenant('acme')])
    // Enough for several parts.
    if (parts > 2) {
      await made.runtime.envelopes.offer(400)
    }
    const backup = await made.runtime.backup(made.folder, 'test')
    const lines = readFileSync(backup.path, 'utf8').trimEnd().split('\n')
    expect(lines.length).toBeGreaterThanOrEqual(parts)
    const spoilt = join(temporaryFolder(), 'spoilt')
    writeFileSync(
      spoilt,
      spoil(lines)
        .map((line) => `${line}\n`)
        .join(''),
    )
    const folder = temporaryFolder()
    const options = { file: spoilt, dir: join(folder, 'issuer'), storageKeyFile: made.storageKey, actor: 'test' }
    expect(await codeOf(() => restoreRuntime(options))).toMatch(/^(?:decryption-failed|format-invalid)$/)
    expect(filesIn(folder)).toEqual([])
  })

  it('another storage key is refused before anything is made', async () => {
    const made = await backedUp()
    const other = join(temporaryFolder(), 'other.key')
    writeFileSync(other, `${toBase64url(sha256('another'))}\n`)
    expect(await codeOf(() => restore({ ...made, storageKey: other }, made.backup.path))).toBe('storage-key-wrong')
  })
})
