import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { checkConfig, type Finding } from '../../electron/issuer/check-config.ts'
import { type Config, encodeConfig, readConfigFile } from '../../electron/issuer/config.ts'
import { openRuntime } from '../../electron/issuer/runtime.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { codeOf, filesIn, makeRuntime, makeVault, T0, temporaryFolder } from './fixtures.ts'

const FREE = { ISSUER_LISTEN: '127.0.0.1:0', ISSUER_OPS_LISTEN: '127.0.0.1:0' }

async function made() {
  const vault = await makeVault()
  const { dir, folder, runtime, clock } = await makeRuntime(vault)
  await runtime.close()
  const second = join(folder, 'second')
  mkdirSync(second)
  const open = async (at: string) => await (await openRuntime({ dir: at, clock })).close()
  const check = (env: Record<string, string> = {}, now = T0 + 60) =>
    checkConfig({ dir, open, now: () => now, env: { ...FREE, ISSUER_SECOND_PLACE: second, ...env } })
  const change = (config: Partial<Config>) =>
    writeFileSync(join(dir, 'issuer.json'), encodeConfig({ ...readConfigFile(dir), ...config }))
  return { dir, second, check, change, folder }
}
const errors = (findings: Finding[]) => findings.filter(({ kind }) => kind === 'error').map(({ about }) => about)
const warnings = (findings: Finding[]) => findings.filter(({ kind }) => kind === 'warning').map(({ about }) => about)

describe('a runtime as init made it', () => {
  it('has no error, and every setting says where it came from', async () => {
    const { dir, check } = await made()
    const before = filesIn(dir)
    const { settings, findings } = await check({ ISSUER_WORKERS: '1' })
    expect(errors(findings)).toEqual([])
    expect(settings).toContainEqual({ name: 'workers', value: 1, from: 'environment', variable: 'ISSUER_WORKERS' })
    expect(settings).toContainEqual({ name: 'store', value: 'sqlite', from: 'default', variable: 'ISSUER_STORE' })
    expect(settings).toContainEqual({
      name: 'log.level',
      value: 'info',
      from: 'default',
      variable: 'ISSUER_LOG_LEVEL',
    })
    expect(settings).toContainEqual({
      name: 'limits.connections',
      value: 4096,
      from: 'default',
      variable: null,
    })
    const key = readFileSync(join(dir, 'storage.key'), 'utf8').trim()
    expect(JSON.stringify({ settings, findings })).not.toContain(key)
    expect(filesIn(dir).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(
      before.filter((name) => !/-(wal|shm)$/.test(name)),
    )
  })
})

describe('what is wrong', () => {
  it('is told all at once', async () => {
    const { dir, check } = await made()
    chmodSync(dir, 0o755)
    chmodSync(join(dir, 'storage.key'), 0o640)
    const env = { ISSUER_WORKES: '2', ISSUER_LOG_LEVEL: 'loud', ISSUER_SECOND_PLACE: '/nonexistent/x' }
    const { findings } = await check(env)
    expect(errors(findings).sort()).toEqual(['ISSUER_WORKES', 'folder', 'secondPlace', 'settings', 'storageKeyFile'])
  })

  it('a folder without a runtime is runtime-missing', async () => {
    const open = async () => {}
    const empty = { dir: temporaryFolder(), env: {}, open, now: () => T0 }
    expect(await codeOf(() => checkConfig(empty))).toBe('runtime-missing')
  })

  it('a file that is no configuration', async () => {
    const { dir, check } = await made()
    writeFileSync(join(dir, 'issuer.json'), '{"format":1}')
    expect(errors((await check()).findings)).toEqual(['issuer.json'])
  })

  it('a storage key that is missing, and one of another runtime', async () => {
    const { dir, check, folder } = await made()
    rmSync(join(dir, 'storage.key'))
    expect(errors((await check()).findings)).toEqual(['storageKeyFile'])
    const other = join(folder, 'other.key')
    writeFileSync(other, `${'A'.repeat(43)}\n`, { mode: 0o600 })
    vi.stubEnv('ISSUER_STORAGE_KEY_FILE', other)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { findings } = await check({ ISSUER_STORAGE_KEY_FILE: other })
    expect(findings.filter(({ kind }) => kind === 'error')).toEqual([
      { kind: 'error', about: 'store', message: expect.stringContaining('(storage-key-wrong)') },
    ])
  })

  it('a trust anchor that is not the pinned one', async () => {
    const { dir, check } = await made()
    const other = await makeVault()
    writeFileSync(join(dir, readConfigFile(dir).trustAnchor), `${other.anchor.jws}\n`)
    expect(errors((await check()).findings)).toEqual(['trustAnchor'])
  })

  it('a clock that is older than the trust anchor', async () => {
    const { check } = await made()
    expect(errors((await check({}, T0 - 400 * DAY)).findings)).toEqual(['clock'])
  })

  it('a store that does not open', async () => {
    const { dir, check } = await made()
    writeFileSync(join(dir, 'store.db'), 'x'.repeat(8192))
    expect(errors((await check()).findings)).toEqual(['store'])
  })

  it('a second place inside the folder, and one that is a file', async () => {
    const { dir, check, folder } = await made()
    mkdirSync(join(dir, 'second'))
    expect(errors((await check({ ISSUER_SECOND_PLACE: join(dir, 'second') })).findings)).toEqual(['secondPlace'])
    writeFileSync(join(folder, 'file'), '')
    expect(errors((await check({ ISSUER_SECOND_PLACE: join(folder, 'file') })).findings)).toEqual(['secondPlace'])
  })

  it('a password file that is missing or open to others', async () => {
    const { check, change, dir } = await made()
    change({ store: 'postgres://keyrite@127.0.0.1/keyrite', storePasswordFile: 'password' })
    expect(errors((await check()).findings)).toContain('storePasswordFile')
    writeFileSync(join(dir, 'password'), 'canary\n')
    chmodSync(join(dir, 'password'), 0o644)
    const { findings, settings } = await check()
    expect(errors(findings)).toContain('storePasswordFile')
    expect(JSON.stringify({ findings, settings })).not.toContain('canary')
  })

  it('one address for both listeners, and an address that is not here', async () => {
    const { check } = await made()
    const both = { ISSUER_LISTEN: '127.0.0.1:47999', ISSUER_OPS_LISTEN: '127.0.0.1:47999' }
    expect(errors((await check(both)).findings)).toEqual(['ops'])
    expect(errors((await check({ ISSUER_LISTEN: '192.0.2.1:0' })).findings)).toEqual(['listen'])
  })
})

describe('what a person has to judge', () => {
  it('a port that is taken, no second place, too many processes, an open ops port, an unchecked database', async () => {
    const { check, change } = await made()
    const taken = createServer()
    onTestFinished(() => void taken.close())
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve(Number(Object(taken.address()).port)))
    })
    const env = { ISSUER_LISTEN: `127.0.0.1:${port}`, ISSUER_SECOND_PLACE: 'off', ISSUER_WORKERS: '256' }
    expect(warnings((await check(env)).findings).sort()).toEqual(['listen', 'secondPlace', 'workers'])
    change({ store: 'postgres://keyrite@db.example/keyrite' })
    const { findings } = await check({ ISSUER_OPS_LISTEN: '0.0.0.0:0' })
    expect(warnings(findings)).toEqual(expect.arrayContaining(['ops', 'store']))
  })
})

it('the command prints every setting and every finding, and exits 2 for an error', async () => {
  const { dir } = await made()
  const main = join(import.meta.dirname, '../../electron/cli/main.ts')
  const run = (env: Record<string, string>, ...flags: string[]) =>
    spawnSync(process.execPath, [main, 'issuer', 'check-config', '--dir', dir, ...flags], {
      encoding: 'utf8',
      env: { ...process.env, ...FREE, ...env },
    })
  const good = run({})
  expect(good.status).toBe(0)
  expect(good.stdout).toMatch(/^listen +\{"host":"127.0.0.1","port":0\} +ISSUER_LISTEN$/m)
  expect(good.stdout).toMatch(/^store +"sqlite" +default$/m)
  expect(good.stdout).toContain('Ready to serve.')
  const bad = run({ ISSUER_WORKES: '2', ISSUER_STORE: 'postgres://a:canary@b/c' }, '--json')
  expect(bad.status).toBe(2)
  expect(bad.stdout + bad.stderr).not.toContain('canary')
  const answer = JSON.parse(bad.stdout)
  expect(answer.ok).toBe(false)
  expect(errors(answer.data.findings)).toEqual(['ISSUER_WORKES', 'settings'])
})
