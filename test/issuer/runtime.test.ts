import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { readConfig, readStorageKey } from '../../electron/issuer/config.ts'
import { writeHighwater } from '../../electron/issuer/highwater.ts'
import { initRuntime } from '../../electron/issuer/init.ts'
import { openReceiptSigner, ReceiptChain } from '../../electron/issuer/receipt-chain.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { Sealer } from '../../electron/issuer/sealing.ts'
import { openStores } from '../../electron/issuer/store/open.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { sha256, toBase64url } from '../../shared/formats/bytes.ts'
import {
  codeOf,
  filesIn,
  makeHandoff,
  makeRuntime,
  makeServing,
  makeTenant,
  makeVault,
  stateOf,
  T0,
  TestClock,
  temporaryFolder,
} from './fixtures.ts'

const optionsFor = (folder: string, trustAnchorFile: string) => ({
  dir: join(folder, 'issuer'),
  trustAnchorFile,
  runtimeId: 'eu-one',
  environment: 'production',
  listen: { host: '127.0.0.1', port: 47770 },
  enrollmentFolder: folder,
  practice: false,
  clock: new TestClock(),
})

describe('issuer init', () => {
  it('makes a folder of mode 0700 with files of mode 0600, and an enrollment', async () => {
    const { dir, folder, enrollment } = await makeRuntime(await makeVault())
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    const files = filesIn(dir)
    expect(files.filter((name) => !/-(wal|shm)$/.test(name))).toEqual([
      'highwater.json',
      'issuer.json',
      'storage.key',
      'store.db',
      'traffic.db',
      expect.stringMatching(/^trust-anchor-.*\.keyrite$/),
    ])
    for (const name of files) expect(statSync(join(dir, name)).mode & 0o777, name).toBe(0o600)
    expect(filesIn(folder).filter((name) => name.startsWith('enrollment-'))).toHaveLength(1)
    expect(enrollment).toMatchObject({ runtimeId: 'eu-one', environment: 'production', practice: false, iat: T0 })
  })

  it('refuses a folder with a runtime as runtime-exists, and one with anything else as folder-not-empty', async () => {
    const { dir, folder } = await makeRuntime(await makeVault())
    const { anchor } = await makeVault()
    const file = writeTrustAnchor(folder, anchor.jws, T0 + 1)
    const before = filesIn(folder)
    expect(await codeOf(() => initRuntime({ ...optionsFor(folder, file), dir }))).toBe('runtime-exists')
    expect(await codeOf(() => initRuntime({ ...optionsFor(folder, file), dir: folder }))).toBe('folder-not-empty')
    expect(filesIn(folder)).toEqual(before)
  })

  it.each([
    ['an enrollment folder that is not there', { enrollmentFolder: '/nonexistent/x' }, 'file-missing'],
    ['a trust anchor that is not there', { trustAnchorFile: '/nonexistent/x' }, 'file-missing'],
    ['a runtime id that is not allowed', { runtimeId: '../x' }, 'config-invalid'],
    ['an environment that is not allowed', { environment: 'Prod!' }, 'config-invalid'],
    ['a storage key that is not there', { storageKeyFile: '/nonexistent/x' }, 'file-missing'],
  ])('leaves nothing behind with %s', async (_what, changes, code) => {
    const folder = temporaryFolder()
    const { anchor } = await makeVault()
    const file = writeTrustAnchor(folder, anchor.jws, T0)
    const before = filesIn(folder)
    expect(await codeOf(() => initRuntime({ ...optionsFor(folder, file), ...changes }))).toBe(code)
    expect(filesIn(folder)).toEqual(before)
  })

  it('takes a storage key from elsewhere', async () => {
    const folder = temporaryFolder()
    const { anchor } = await makeVault()
    const storageKeyFile = join(folder, 'credential')
    writeFileSync(storageKeyFile, toBase64url(sha256('not a secret')))
    const made = await initRuntime({ ...optionsFor(folder, writeTrustAnchor(folder, anchor.jws, T0)), storageKeyFile })
    expect(filesIn(made.dir)).not.toContain('storage.key')
    const runtime = await openRuntime({ dir: made.dir, clock: new TestClock() })
    expect((await runtime.status()).tenants).toEqual([])
    await runtime.close()
  })
})

describe('opening a runtime', () => {
  it('with another storage key is storage-key-wrong; without one file-missing; without a runtime runtime-missing', async () => {
    const { dir, clock } = await makeRuntime(await makeVault())
    const file = join(dir, 'storage.key')
    writeFileSync(file, `${toBase64url(sha256('another'))}\n`)
    expect(await codeOf(() => openRuntime({ dir, clock }))).toBe('storage-key-wrong')
    writeFileSync(file, 'nothing')
    expect(await codeOf(() => openRuntime({ dir, clock }))).toBe('storage-key-wrong')
    rmSync(file)
    expect(await codeOf(() => openRuntime({ dir, clock }))).toBe('file-missing')
    expect(await codeOf(() => openRuntime({ dir: temporaryFolder(), clock }))).toBe('runtime-missing')
  })

  it('with an older store is runtime-behind (fault 32)', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const made = await makeServing(vault, [tenant])
    const { dir, clock, folder, first } = made
    await made.runtime.close()
    const older = join(folder, 'older')
    cpSync(dir, older, { recursive: true })
    const restore = (files: string[]) => {
      for (const name of files) cpSync(join(older, name), join(dir, name))
    }
    const second = await makeHandoff(vault, folder, [tenant], { previous: first })
    const runtime = await openRuntime({ dir, clock })
    await runtime.importFiles([second.bundle])
    await runtime.close()
    const newest = readFileSync(join(dir, 'store.db'))
    restore(['store.db'])
    expect(await codeOf(() => openRuntime({ dir, clock }))).toBe('runtime-behind')
    writeFileSync(join(dir, 'store.db'), newest)
    const again = await openRuntime({ dir, clock })
    expect((await again.status()).bundle?.number).toBe(2)
    await again.close()
    rmSync(join(dir, 'highwater.json'))
    expect(await codeOf(() => openRuntime({ dir, clock }))).toBe('runtime-behind')
  })

  it('opens after more than a million receipts', async () => {
    const { dir, clock, runtime } = await makeRuntime(await makeVault())
    await runtime.close()
    const config = readConfig(dir)
    const sealer = new Sealer(readStorageKey(join(dir, 'storage.key')), config)
    const place = { dir, runtimeId: config.runtimeId, store: 'sqlite', fileKey: sealer.fileKey }
    const { store, traffic } = await openStores(place)
    const chain = new ReceiptChain(store, await openReceiptSigner(store, sealer), config)
    await store.change(async (tx) => {
      await tx.run('INSERT INTO receipts (seq, jws) VALUES (?, ?)', 1_000_000, 'the one before')
      await chain.append(tx, T0, { type: 'clock-confirmed', actor: 'operator' })
    })
    await writeHighwater(dir, store, chain)
    await traffic.close()
    await store.close()
    expect(JSON.parse(readFileSync(join(dir, 'highwater.json'), 'utf8'))).toMatchObject({ receiptSeq: 1_000_001 })
    const again = await openRuntime({ dir, clock })
    expect((await again.status()).receiptsNotExported).toBe(1_000_001)
    await again.close()
  })

  it('whose trust anchor was exchanged is config-invalid', async () => {
    const { dir, clock } = await makeRuntime(await makeVault())
    const other = await makeVault()
    const name = filesIn(dir).find((file) => file.startsWith('trust-anchor')) ?? ''
    writeFileSync(join(dir, name), `${other.anchor.jws}\n`)
    expect(await codeOf(() => openRuntime({ dir, clock }))).toBe('config-invalid')
  })

  it.each([['{'], ['{"format":2}'], ['{"format":1,"format":1}'], ['']])(
    'with the configuration %j is config-invalid',
    async (text) => {
      const { dir, clock } = await makeRuntime(await makeVault())
      writeFileSync(join(dir, 'issuer.json'), text)
      expect(await codeOf(() => openRuntime({ dir, clock }))).toBe('config-invalid')
    },
  )

  it('no private key, secret or transport key stands in the clear in any file of the runtime (fault 29)', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const made = await makeServing(vault, [tenant])
    const { secret } = await made.runtime.clients.add(
      'acme',
      { clientId: 'api', method: 'client_secret_basic', audiences: ['https://api'] },
      'test',
    )
    await made.runtime.close()
    for (const name of filesIn(made.dir)) {
      const content = readFileSync(join(made.dir, name))
      for (const pkcs8 of tenant.secrets.values())
        expect(content.includes(Buffer.from(pkcs8).subarray(40, 60)), name).toBe(false)
      expect(content.includes(secret ?? ''), name).toBe(false)
    }
  })
})

describe('sealed private halves', () => {
  it('open only for their tenant, kid and runtime', () => {
    const storageKey = sha256('a storage key')
    const sealer = new Sealer(storageKey, { runtimeId: 'eu-one', practice: false })
    const dataKey = sealer.newDataKey('acme')
    const sealed = sealer.sealKey('acme', 'kid', dataKey, sha256('secret'))
    expect(sealer.openKey('acme', 'kid', dataKey, sealed)).toEqual(sha256('secret'))
    const others = [
      new Sealer(storageKey, { runtimeId: 'us-one', practice: false }),
      new Sealer(storageKey, { runtimeId: 'eu-one', practice: true }),
    ]
    expect(() => sealer.openKey('beta', 'kid', dataKey, sealed)).toThrow('does not open')
    expect(() => sealer.openKey('acme', 'other', dataKey, sealed)).toThrow('does not open')
    for (const other of others) expect(() => other.openKey('acme', 'kid', dataKey, sealed)).toThrow('does not open')
    expect(() => sealer.openKey('acme', 'kid', sealer.newDataKey('acme'), sealed)).toThrow('does not open')
  })
})

describe('clients', () => {
  const request = {
    clientId: 'api',
    method: 'client_secret_basic',
    audiences: ['https://api.example.com'],
    scopes: ['read'],
  } as const

  it('get a secret once, kept as its SHA-256, and are known to a running server at once', async () => {
    const made = await makeServing(await makeVault(), [makeTenant('acme'), makeTenant('beta')])
    expect(await (await made.runtime.find('acme.example.com', ''))?.client('api')).toBeNull()
    const operator = await openRuntime({ dir: made.dir, clock: made.clock })
    const { client, secret } = await operator.clients.add('acme', request as never, 'operator')
    expect(client.secretDigest).toBe(toBase64url(sha256(secret ?? '')))
    expect(client.accessTokenLifetime).toBe(3600)
    expect(await (await made.runtime.find('acme.example.com', ''))?.client('api')).toEqual(client)
    expect(await (await made.runtime.find('beta.example.com', ''))?.client('api')).toBeNull()
    expect(await codeOf(async () => await operator.clients.add('acme', request as never, 'operator'))).toBe(
      'client-exists',
    )
    await operator.clients.remove('acme', 'api', 'operator')
    expect(await (await made.runtime.find('acme.example.com', ''))?.client('api')).toBeNull()
    expect(await codeOf(async () => await operator.clients.remove('acme', 'api', 'operator'))).toBe('client-unknown')
    await operator.close()
  })

  it.each([
    ['an unknown tenant', 'gamma', {}, 'tenant-unknown'],
    ['a lifetime beyond the policy', 'acme', { accessTokenLifetime: 3601 }, 'usage-invalid'],
    ['an algorithm the tenant has not', 'acme', { algorithm: 'RS256' }, 'usage-invalid'],
    ['no audience', 'acme', { audiences: [] }, 'usage-invalid'],
    ['a scope with a space', 'acme', { scopes: ['a b'] }, 'usage-invalid'],
    ['a client id with a colon', 'acme', { clientId: 'a:b' }, 'usage-invalid'],
    ['keys for a secret method', 'acme', { jwks: [{ kty: 'EC', alg: 'ES256', kid: 'k' }] }, 'usage-invalid'],
    ['private_key_jwt without keys', 'acme', { method: 'private_key_jwt' }, 'usage-invalid'],
    [
      'a private key as client key',
      'acme',
      {
        method: 'private_key_jwt',
        jwks: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'AA', alg: 'Ed25519', kid: 'k' }],
      },
      'key-refused',
    ],
  ])('%s is refused, nothing changed', async (_what, tenant, changes, code) => {
    const { runtime } = await makeServing(await makeVault(), [makeTenant('acme')])
    const before = await stateOf(runtime)
    expect(
      await codeOf(async () => await runtime.clients.add(tenant, { ...request, ...changes } as never, 'test')),
    ).toBe(code)
    expect(await stateOf(runtime)).toBe(before)
    expect(await runtime.clients.list()).toEqual([])
  })

  it("an assertion's jti counts once per tenant and client, in every process", async () => {
    const made = await makeServing(await makeVault(), [makeTenant('acme'), makeTenant('beta')])
    const other = await openRuntime({ dir: made.dir, clock: made.clock })
    const [acme, beta] = [await made.runtime.find('acme.example.com', ''), await other.find('beta.example.com', '')]
    expect(await acme?.takeAssertion('api', 'one', T0 + 60)).toBe(true)
    expect(await acme?.takeAssertion('api', 'one', T0 + 60)).toBe(false)
    expect(await (await other.find('acme.example.com', ''))?.takeAssertion('api', 'one', T0 + 60)).toBe(false)
    expect(await acme?.takeAssertion('batch', 'one', T0 + 60)).toBe(true)
    expect(await beta?.takeAssertion('api', 'one', T0 + 60)).toBe(true)
    await other.close()
    made.clock.advance(DAY)
    await made.runtime.tick()
    expect(await acme?.takeAssertion('api', 'one', T0 + 2 * DAY)).toBe(true)
  })
})
