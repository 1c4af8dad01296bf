import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import {
  makeHandoff,
  makeRuntime,
  makeTenant,
  makeVault,
  pathsOf,
  policyWith,
  temporaryFolder,
} from '../issuer/fixtures.ts'
import { ask, askToken } from '../issuer/serving/ask.ts'
import { AUDIENCE, type Client, configure, serving, until } from '../issuer/serving/process.ts'

/**
 * Fault 16, with the clock of real processes set from outside (libfaketime): the floor, holds, and dates that break
 * software. Only the wall clock is set; the monotonic one goes on, as when somebody sets the clock of a machine.
 */

const CLI = fileURLToPath(new URL('../../electron/cli/main.ts', import.meta.url))
const real = () => Math.floor(Date.now() / 1000)
const utc = (text: string) => Date.parse(text) / 1000

/** Sets the clock of every process started from here on; the function given sets it anew, also for those that run. */
function fakeClock({ skip }: TestContext): (to: number) => void {
  const found = spawnSync('faketime', ['-m', '2026-01-01', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' })
  if (found.status !== 0) skip('libfaketime (Debian: faketime) is not installed')
  const file = join(temporaryFolder(), 'clock')
  vi.stubEnv('LD_PRELOAD', found.stdout.trim())
  vi.stubEnv('FAKETIME_TIMESTAMP_FILE', file)
  vi.stubEnv('FAKETIME_NO_CACHE', '1')
  vi.stubEnv('FAKETIME_DONT_FAKE_MONOTONIC', '1')
  vi.stubEnv('NO_FAKE_STAT', '1')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  return (to) => {
    const offset = to - real()
    writeFileSync(`${file}.new`, `${offset < 0 ? '' : '+'}${offset}\n`)
    renameSync(`${file}.new`, file)
  }
}

/** A runtime that imported a bundle at `imported` and was last served at `now`: its first key signs until `until`. */
async function madeAt(imported: number, now: number, signUntil: number) {
  const vault = await makeVault()
  const made = await makeRuntime(vault)
  made.clock.to(imported)
  const policy = policyWith({ rotationInterval: 60 * DAY, materialAhead: 1 })
  const tenant = makeTenant('acme', { from: signUntil - 60 * DAY, policy })
  const handoff = await makeHandoff(vault, made.folder, [tenant], {
    transportKey: made.transportKey,
    manifest: { iat: imported - 60, exp: imported + DAY },
  })
  await made.runtime.importFiles(pathsOf(handoff))
  await made.runtime.tick()
  const request = { clientId: 'app', method: 'client_secret_basic' as const, audiences: [AUDIENCE] }
  const { secret } = await made.runtime.clients.add('acme', request, 'operator')
  made.clock.to(now)
  await made.runtime.tick()
  const kids = tenant.keys.map(({ kid }) => kid)
  expect(tenant.keys[0]?.signUntil).toBe(signUntil)
  await made.runtime.close()
  configure(made.dir, { ops: { host: '127.0.0.1', port: 0 } })
  const client: Client = { tenant: 'acme', host: 'acme.example.com', clientId: 'app', secret: secret ?? '' }
  return { ...made, vault, tenant, handoff, kids, client }
}

type Token = { iat: number; exp: number; kid: string }

/** A token as the server gives it now, its signature checked against the keys that it serves now. */
async function tokenNow(url: string, client: Client): Promise<Token> {
  const { status, body } = await askToken(url, client)
  expect(status, body).toBe(200)
  const served = await ask(url, { host: client.host, path: '/.well-known/jwks.json' })
  const keys = createLocalJWKSet(JSON.parse(served.body) as JSONWebKeySet)
  const token: string = JSON.parse(body).access_token
  const { iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const { payload, protectedHeader } = await jwtVerify(token, keys, { currentDate: new Date(iat * 1000) })
  return { iat, exp: payload.exp ?? 0, kid: String(protectedHeader.kid) }
}

function command(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [CLI, 'issuer', ...args], { encoding: 'utf8' })
}

type Status = {
  clock: { now: number; hold: { kind: string } | null }
  tenants: { phases: { kid: string; phase: string; hasPrivate: boolean }[] }[]
}
function statusOf(dir: string): Status {
  const { stdout, stderr } = command('status', '--dir', dir, '--json')
  expect(stdout, stderr).not.toBe('')
  return JSON.parse(stdout).data
}
const privateKids = ({ tenants }: Status) =>
  tenants.flatMap(({ phases }) => phases.filter((key) => key.hasPrivate).map(({ kid }) => kid))

describe('fault 16: a clock that is wrong from the start', () => {
  it('1970: the time stays at the floor, tokens are from there, and the right clock goes on', async (ctx) => {
    const setClock = fakeClock(ctx)
    const now = real()
    const { dir, client } = await madeAt(now - HOUR, now, now + 30 * DAY)
    setClock(60)
    const wrong = await serving(dir, '--workers', '1', '--port', '0')
    const first = await tokenNow(wrong.url, client)
    const second = await tokenNow(wrong.url, client)
    expect([first.iat, second.iat]).toEqual([now, now])
    expect(statusOf(dir).clock).toEqual({ now, hold: null })
    wrong.child.kill('SIGTERM')
    await wrong.ended
    setClock(now + 100)
    const right = await serving(dir, '--workers', '1', '--port', '0')
    expect((await tokenNow(right.url, client)).iat).toBeGreaterThanOrEqual(now + 100)
  })

  it('2038 at a command: nothing is imported, and the time of the runtime stays', async (ctx) => {
    const setClock = fakeClock(ctx)
    const now = real()
    const made = await madeAt(now - HOUR, now, now + 30 * DAY)
    setClock(utc('2038-01-19T03:14:08Z'))
    const options = { previous: made.handoff, manifest: { iat: now - 60, exp: now + DAY } }
    const { bundle } = await makeHandoff(made.vault, temporaryFolder(), [made.tenant], options)
    const { status, stderr } = command('import', bundle, '--dir', made.dir)
    expect(status).not.toBe(0)
    expect(stderr).toContain('clock-refused')
    setClock(now + 10)
    expect(statusOf(made.dir).clock.now).toBeLessThan(now + 600)
    expect(command('import', bundle, '--dir', made.dir).status).toBe(0)
  })
})

describe('fault 16: dates that break software, while serving', () => {
  it('2038-01-19T03:14:08Z, the end of 32 bits, goes by like any second', async (ctx) => {
    const setClock = fakeClock(ctx)
    const end = 2 ** 31
    const { dir, client } = await madeAt(end - HOUR, end - 60, end + 30 * DAY)
    setClock(end - 30)
    const { url, stderr } = await serving(dir, '--workers', '2', '--port', '0')
    const before = await tokenNow(url, client)
    expect([before.iat < end, before.exp > end]).toEqual([true, true])
    setClock(end + 5)
    const after = await tokenNow(url, client)
    expect([after.iat >= end, after.kid]).toEqual([true, before.kid])
    const { clock } = statusOf(dir)
    expect([clock.now >= end, clock.hold]).toEqual([true, null])
    expect(stderr()).not.toContain('request-failed')
  })

  it('a leap day ends with a rotation: the next key signs from 1 March on, and both verify', async (ctx) => {
    const setClock = fakeClock(ctx)
    const midnight = utc('2028-03-01T00:00:00Z')
    const { dir, client, kids } = await madeAt(midnight - 30 * DAY, midnight - HOUR, midnight)
    setClock(midnight - 40)
    const { url } = await serving(dir, '--workers', '1', '--port', '0')
    const before = await tokenNow(url, client)
    expect([before.kid, new Date(before.iat * 1000).toISOString().slice(0, 10)]).toEqual([kids[0], '2028-02-29'])
    setClock(midnight + 1)
    const after = await tokenNow(url, client)
    expect([after.kid, new Date(after.iat * 1000).toISOString().slice(0, 10)]).toEqual([kids[1], '2028-03-01'])
    const { body } = await ask(url, { host: client.host, path: '/.well-known/jwks.json' })
    expect(JSON.parse(body).keys.map(({ kid }: { kid: string }) => kid)).toEqual(
      expect.arrayContaining(kids.slice(0, 2)),
    )
  })
})

describe('fault 16: a clock that is set while serving', () => {
  it('7 hours forward is a clock hold: phases freeze and nothing is erased until it is confirmed', async (ctx) => {
    const setClock = fakeClock(ctx)
    const now = real()
    const { dir, client, kids } = await madeAt(now - 20 * DAY, now, now + 3 * HOUR)
    setClock(now + 5)
    const { url, stderr } = await serving(dir, '--workers', '2', '--port', '0')
    const before = await tokenNow(url, client)
    expect(before.kid).toBe(kids[0])
    setClock(now + 7 * HOUR)
    for (let at = 0; at < 10; at++) {
      const held = await tokenNow(url, client)
      expect(held.kid).toBe(kids[0])
      expect(held.iat).toBeLessThan(now + 5 * 60)
      expect(held.iat).toBeGreaterThanOrEqual(before.iat)
    }
    const status = await until(
      () => (statusOf(dir).clock.hold?.kind === 'jump' ? statusOf(dir) : null),
      () => stderr(),
    )
    expect(status.clock.now).toBeLessThan(now + 5 * 60)
    expect(privateKids(status)).toContain(kids[0])
    expect(command('clock', 'confirm', '--dir', dir).status).toBe(0)
    await until(
      async () => ((await tokenNow(url, client)).kid === kids[1] ? true : null),
      () => stderr(),
    )
    expect((await tokenNow(url, client)).iat).toBeGreaterThanOrEqual(now + 7 * HOUR)
    await until(
      () => (privateKids(statusOf(dir)).includes(kids[0] ?? '') ? null : true),
      () => stderr(),
    )
  })

  it('back by a day: no token is older than the one before, nothing is held, and the time goes on by itself', async (ctx) => {
    const setClock = fakeClock(ctx)
    const now = real()
    const { dir, client } = await madeAt(now - HOUR, now, now + 30 * DAY)
    setClock(now + 5)
    const { url } = await serving(dir, '--workers', '2', '--port', '0')
    let last = (await tokenNow(url, client)).iat
    const picture = await ask(url, { host: client.host, path: '/.well-known/jwks.json' })
    setClock(now - DAY)
    for (let at = 0; at < 10; at++) {
      const { iat } = await tokenNow(url, client)
      expect(iat).toBeGreaterThanOrEqual(now)
      expect(iat).toBeLessThan(last + 60)
    }
    expect(statusOf(dir).clock.hold).toBeNull()
    expect((await ask(url, { host: client.host, path: '/.well-known/jwks.json' })).body).toBe(picture.body)
    setClock(real() + 30)
    last = (await tokenNow(url, client)).iat
    expect(last).toBeGreaterThanOrEqual(now + 30)
    expect(statusOf(dir).clock.hold).toBeNull()
  })
})
