import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type Config,
  encodeConfig,
  readConfig,
  readConfigFile,
  readStorePassword,
  resolveConfig,
  storageKeyPath,
  storePasswordPath,
} from '../../electron/issuer/config.ts'
import { parseAddress, SETTINGS, unknownVariables, workerCount } from '../../electron/issuer/settings.ts'
import { codeOf, makeRuntime, makeVault, temporaryFolder } from './fixtures.ts'

const DIGEST = 'A'.repeat(43)
const FILE: Config = {
  format: 1,
  runtimeId: 'eu-one',
  environment: 'production',
  practice: false,
  listen: { host: '127.0.0.1', port: 47_770 },
  storageKeyFile: 'storage.key',
  storageKeyId: DIGEST,
  vaultId: 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6',
  rootKid: DIGEST,
  trustAnchor: 'trust-anchor.keyrite',
}
const nothing = () => false

describe('the configuration of a runtime', () => {
  it('that init wrote has every setting by default', async () => {
    const { dir, runtime } = await makeRuntime(await makeVault())
    await runtime.close()
    expect(readConfig(dir, {})).toMatchObject({
      ops: { host: '127.0.0.1', port: 47_771 },
      trustProxy: [],
      workers: 'auto',
      store: 'sqlite',
      storePasswordFile: null,
      storageKeyFile: 'storage.key',
      secondPlace: null,
      log: { level: 'info' },
      limits: { clientFailuresPerMinute: 30, connections: 4096 },
    })
  })

  it('is written as it was read, and an effective one as valid JSON too', async () => {
    const { dir, runtime } = await makeRuntime(await makeVault())
    await runtime.close()
    const before = readFileSync(join(dir, 'issuer.json'), 'utf8')
    expect(encodeConfig(readConfigFile(dir))).toBe(before)
    const effective = readConfig(dir, { ISSUER_WORKERS: '3' })
    writeFileSync(join(dir, 'issuer.json'), encodeConfig(effective))
    expect(readConfig(dir, {}).workers).toBe(3)
  })

  it('takes the variable first, then the file, then the default, and says which', () => {
    const file = { ...FILE, workers: 4, log: { level: 'warn' as const }, limits: { connections: 100 } }
    const { config, sources, problems } = resolveConfig(
      file,
      { ISSUER_WORKERS: '2', ISSUER_LISTEN: '[::1]:0' },
      nothing,
    )
    expect(problems).toEqual([])
    expect(config).toMatchObject({ workers: 2, listen: { host: '::1', port: 0 }, log: { level: 'warn' } })
    expect(config.limits).toEqual({ clientFailuresPerMinute: 30, connections: 100 })
    expect(sources).toMatchObject({
      workers: 'environment',
      listen: 'environment',
      'log.level': 'file',
      'limits.connections': 'file',
      'limits.clientFailuresPerMinute': 'default',
      store: 'default',
    })
    expect(Object.keys(sources).sort()).toEqual(Object.keys(SETTINGS).sort())
  })

  it.each([
    ['ISSUER_OPS_LISTEN', 'off', { ops: null }],
    ['ISSUER_OPS_LISTEN', '10.0.0.1:9000', { ops: { host: '10.0.0.1', port: 9000 } }],
    ['ISSUER_TRUST_PROXY', '10.0.0.0/8, ::1,fd00::/8', { trustProxy: ['10.0.0.0/8', '::1', 'fd00::/8'] }],
    ['ISSUER_TRUST_PROXY', '', { trustProxy: [] }],
    ['ISSUER_WORKERS', 'auto', { workers: 'auto' }],
    ['ISSUER_STORE', 'postgres://keyrite@db.example:5432/keyrite?sslmode=verify-full', {}],
    ['ISSUER_STORE', 'postgresql:///keyrite?host=/run/postgresql', {}],
    ['ISSUER_SECOND_PLACE', '/mnt/second', { secondPlace: '/mnt/second' }],
    ['ISSUER_SECOND_PLACE', 'off', { secondPlace: null }],
    ['ISSUER_LOG_LEVEL', 'debug', { log: { level: 'debug' } }],
    ['ISSUER_STORAGE_KEY_FILE', '/run/key', { storageKeyFile: '/run/key' }],
  ])('takes %s=%s', (name, value, expected) => {
    const { config, problems } = resolveConfig(FILE, { [name]: value }, nothing)
    expect(problems).toEqual([])
    expect(config).toMatchObject(name === 'ISSUER_STORE' ? { store: value } : expected)
  })

  it.each([
    ['ISSUER_LISTEN', '127.0.0.1'],
    ['ISSUER_LISTEN', '127.0.0.1:65536'],
    ['ISSUER_LISTEN', 'off'],
    ['ISSUER_OPS_LISTEN', ''],
    ['ISSUER_TRUST_PROXY', '10.0.0.0/33'],
    ['ISSUER_TRUST_PROXY', 'proxy.example'],
    ['ISSUER_TRUST_PROXY', '10.0.0.1,'],
    ['ISSUER_TRUST_PROXY', '10.0.0.1/8/8'],
    ['ISSUER_WORKERS', '0'],
    ['ISSUER_WORKERS', '2.5'],
    ['ISSUER_WORKERS', '257'],
    ['ISSUER_STORE', 'mysql://canary@db/keyrite'],
    ['ISSUER_STORE', 'postgres://keyrite:canary@db/keyrite'],
    ['ISSUER_STORE', 'postgres://keyrite@db/keyrite?password=canary'],
    ['ISSUER_STORE', 'postgres://keyrite@db/keyrite?sslmode=require&sslmode=canary'],
    ['ISSUER_STORE', 'postgres://keyrite@db'],
    ['ISSUER_STORE', ''],
    ['ISSUER_SECOND_PLACE', 'canary/relative'],
    ['ISSUER_LOG_LEVEL', 'trace'],
    ['ISSUER_STORAGE_KEY_FILE', ''],
  ])('refuses %s=%s as config-invalid and never repeats the value', async (name, value) => {
    const { config, problems } = resolveConfig(FILE, { [name]: value }, nothing)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(name)
    expect(problems[0]).not.toContain('canary')
    expect(config).toEqual(resolveConfig(FILE, {}, nothing).config)
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'issuer.json'), encodeConfig(FILE))
    expect(await codeOf(() => readConfig(folder, { [name]: value }))).toBe('config-invalid')
  })

  it('names all that is wrong at once', () => {
    const { problems } = resolveConfig(FILE, { ISSUER_WORKERS: 'x', ISSUER_LISTEN: 'x', ISSUER_STORE: 'x' }, nothing)
    expect(problems).toHaveLength(3)
  })

  it.each<[string, object]>([
    ['an unknown member', { colour: 'red' }],
    ['an unknown limit', { limits: { tokens: 1 } }],
    ['a password in the address of the store', { store: 'postgres://a:b@c/d' }],
    ['a relative second place', { secondPlace: 'second' }],
    ['text for a number', { workers: '2' }],
    ['a proxy by name', { trustProxy: ['proxy'] }],
  ])('refuses a file with %s as config-invalid', async (_what, change) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'issuer.json'), JSON.stringify({ ...FILE, ...change }))
    expect(await codeOf(() => readConfig(folder, {}))).toBe('config-invalid')
  })

  it('says so when a password file is named for a store that has no password', () => {
    const named = resolveConfig({ ...FILE, storePasswordFile: 'pw' }, {}, nothing)
    expect(named.problems).toEqual(['A password file of the store is named, but the store is sqlite.'])
    const used = resolveConfig({ ...FILE, storePasswordFile: 'pw', store: 'postgres://a@b/c' }, {}, nothing)
    expect(used.problems).toEqual([])
    expect(storePasswordPath('/d', used.config)).toBe('/d/pw')
  })
})

describe('credentials of systemd', () => {
  const env = { CREDENTIALS_DIRECTORY: '/run/credentials/keyrite' }
  const all = () => true

  it('are taken when they are there and nothing else names a file', () => {
    const { config, sources } = resolveConfig({ ...FILE, store: 'postgres://a@b/c' }, env, all)
    expect(config.storageKeyFile).toBe('/run/credentials/keyrite/storage-key')
    expect(config.storePasswordFile).toBe('/run/credentials/keyrite/store-password')
    expect(sources).toMatchObject({ storageKeyFile: 'credential', storePasswordFile: 'credential' })
    expect(storageKeyPath('/d', config)).toBe('/run/credentials/keyrite/storage-key')
  })

  it('are left alone when they are not there, or when the variable or the file names another', () => {
    expect(resolveConfig(FILE, env, nothing).config.storageKeyFile).toBe('storage.key')
    const named = { ...FILE, storageKeyFile: '/etc/key' }
    expect(resolveConfig(named, env, all).config.storageKeyFile).toBe('/etc/key')
    const variable = { ...env, ISSUER_STORAGE_KEY_FILE: '/run/key' }
    expect(resolveConfig(FILE, variable, all).config.storageKeyFile).toBe('/run/key')
  })

  it('are looked for on the disk', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'credentials'))
    writeFileSync(join(folder, 'issuer.json'), encodeConfig(FILE))
    const there = { CREDENTIALS_DIRECTORY: join(folder, 'credentials') }
    expect(readConfig(folder, there).storageKeyFile).toBe('storage.key')
    writeFileSync(join(folder, 'credentials', 'storage-key'), '')
    expect(readConfig(folder, there).storageKeyFile).toBe(join(folder, 'credentials', 'storage-key'))
  })
})

it('a variable ISSUER_… that nothing reads is found', () => {
  const env = { ISSUER_WORKER: '2', ISSUER_DIR: 'x', ISSUER_WORKERS: '2', HOME: '/', issuer_x: '' }
  expect(unknownVariables(env)).toEqual(['ISSUER_WORKER'])
})

it('an address is a host and a port', () => {
  expect(parseAddress('id.example:443')).toEqual({ host: 'id.example', port: 443 })
  for (const wrong of ['', ':80', 'a b:80', '::1:80', '[::1]', 'a:b', 'a:-1', 'a:100000'])
    expect(parseAddress(wrong)).toBe(null)
})

it('workers are as many as cores unless a number says otherwise', () => {
  expect(workerCount('auto')).toBeGreaterThan(0)
  expect(workerCount(7)).toBe(7)
})

it('a password is one line', async () => {
  const path = join(temporaryFolder(), 'pw')
  writeFileSync(path, 'open sesame\n')
  expect(readStorePassword(path)).toBe('open sesame')
  for (const wrong of ['', '\n', 'a\nb\n', 'x'.repeat(1001)]) {
    writeFileSync(path, wrong)
    expect(await codeOf(() => readStorePassword(path)), wrong.slice(0, 5)).toBe('config-invalid')
  }
})
