import { generateKeyPairSync } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { TrustedClock } from '../../electron/issuer/clock.ts'
import { readConfig, readPinnedAnchor, readStorageKey, storageKeyPath } from '../../electron/issuer/config.ts'
import type { Context } from '../../electron/issuer/context.ts'
import { createIssuerServer } from '../../electron/issuer/http/server.ts'
import { lastKnown } from '../../electron/issuer/last-known.ts'
import { tick } from '../../electron/issuer/lifecycle.ts'
import { openReceiptSigner, ReceiptChain } from '../../electron/issuer/receipt-chain.ts'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import { Sealer } from '../../electron/issuer/sealing.ts'
import type { IssuerService } from '../../electron/issuer/service.ts'
import { openStores, placeOf, type Stores } from '../../electron/issuer/store/open.ts'
import type { Store } from '../../electron/issuer/store/store.ts'
import { TenantCache } from '../../electron/issuer/tenant-cache.ts'
import { StoredTenant } from '../../electron/issuer/tenant-service.ts'
import { loadTenant } from '../../electron/issuer/tenant-state.ts'
import { Traffic } from '../../electron/issuer/traffic.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { makeServing, makeTenant, makeVault, TestClock, type TestRuntime } from './fixtures.ts'
import { find, hot, kidOf, revocation, serving, signerOf, standbyOf, statedBy, two } from './revoking.ts'
import { ask } from './serving/ask.ts'
import { until } from './serving/process.ts'

/** What goes on while somebody waits: a request under way when its tenant changes, and a store that fails at the worst time. */

const AUDIENCE = 'https://api.example.com'
const how = { withdraw: true, actor: 'night shift' }

/** The same store, as another process has it. */
async function beside({ dir }: Pick<TestRuntime, 'dir'>): Promise<Stores & { context: Omit<Context, 'clock'> }> {
  const config = readConfig(dir)
  const sealer = new Sealer(readStorageKey(storageKeyPath(dir, config)), config)
  const { store, traffic: log } = await openStores(placeOf(dir, config, sealer.fileKey))
  onTestFinished(async () => {
    await log.close()
    await store.close()
  })
  const receipts = new ReceiptChain(store, await openReceiptSigner(store, sealer), config)
  const anchor = await readPinnedAnchor(dir, config)
  const parts = { dir, config, anchor, store, traffic: new Traffic(log), sealer, receipts, secondPlace: null }
  return { store, traffic: log, context: { ...parts, onKeyFailure: () => {} } }
}

async function served(runtime: IssuerService): Promise<{ url: string; port: number }> {
  const server = await createIssuerServer(runtime, { listen: { host: '127.0.0.1', port: 0 } })
  onTestFinished(() => server.close())
  return server
}

/** A form that is sent as far as its last byte; `finish` sends that and gives the whole answer. */
async function slowForm(port: number, path: string, credentials: string, form: Record<string, string>) {
  const body = new URLSearchParams(form).toString()
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: acme.example.com',
    `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  const socket = await connected(port)
  let answer = ''
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('data', (data) => {
    answer += data.toString()
  })
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, -1)}`)
  await sleep(100)
  return async () => {
    socket.write(body.slice(-1))
    await ended
    return answer
  }
}

const connected = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket)).once('error', reject)
  })

async function withClient() {
  const acme = two('acme')
  const made = await serving([acme, two('beta')])
  const request = { clientId: 'api', method: 'client_secret_basic' as const, audiences: [AUDIENCE], introspects: true }
  const { secret } = await made.runtime.clients.add('acme', request, 'ops')
  const { url, port } = await served(made.runtime)
  const grant = { grant_type: 'client_credentials' }
  const credentials = `api:${secret}`
  const slowToken = () => slowForm(port, '/token', credentials, grant)
  const token = async () => JSON.parse((await (await slowToken())()).split('\r\n\r\n')[1] ?? '').access_token as string
  return { made, acme, url, port, credentials, slowToken, token }
}

describe('a request whose body comes slowly', () => {
  it('is not signed with a key that was tainted meanwhile', async () => {
    const { made, acme, slowToken, token } = await withClient()
    expect(await token()).toContain('.')
    const finish = await slowToken()
    await made.runtime.taint('acme', kidOf(acme, 0), how)
    expect(await finish()).toMatch(/^HTTP\/1\.1 503/)
  })

  it('is refused when its client was removed meanwhile', async () => {
    const { made, slowToken, token } = await withClient()
    expect(await token()).toContain('.')
    const finish = await slowToken()
    await made.runtime.clients.remove('acme', 'api', 'ops')
    expect(await finish()).toMatch(/^HTTP\/1\.1 401/)
  })

  it('is not told that a token is active whose key was withdrawn meanwhile', async () => {
    const { made, acme, port, credentials, token } = await withClient()
    const issued = await token()
    const finish = await slowForm(port, '/introspect', credentials, { token: issued })
    await made.runtime.taint('acme', kidOf(acme, 0), how)
    expect(await finish()).toContain('{"active":false}')
  })
})

describe('a token request that waits for the store', () => {
  it('is not signed with a key that was tainted meanwhile', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const jwk = { ...publicKey.export({ format: 'jwk' }), kty: 'OKP' as const, alg: 'Ed25519' as const, kid: 'one' }
    const request = { clientId: 'api', method: 'private_key_jwt' as const, audiences: [AUDIENCE], jwks: [jwk] }
    await made.runtime.clients.add('acme', request, 'ops')
    const { url } = await served(made.runtime)
    expect(await signerOf(made, 'acme')).toBe(kidOf(acme, 0))
    const now = made.clock.now()
    const assertion = await new SignJWT({ jti: 'a', iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'Ed25519', kid: 'one' })
      .setIssuer('api')
      .setSubject('api')
      .setAudience('https://acme.example.com')
      .sign(privateKey)
    const release = Promise.withResolvers<void>()
    const { traffic } = await beside(made)
    const held = traffic.change(async (tx) => {
      await tx.run('DELETE FROM assertions')
      await release.promise
    })
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const form = { grant_type: 'client_credentials', client_assertion_type: type, client_assertion: assertion }
    const answer = ask(url, { host: 'acme.example.com', path: '/token', form })
    await sleep(300)
    await made.runtime.taint('acme', kidOf(acme, 0), how)
    release.resolve()
    await held
    expect((await answer).status).toBe(503)
  })
})

describe('a change that is known of, but not yet read', () => {
  it('lets nobody sign as the tenant was: neither while it is read, nor after it could not be read', async () => {
    const acme = two('acme')
    const made = await serving([acme])
    const { store, context } = await beside(made)
    let gate: Promise<void> = Promise.resolve()
    const slow = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name !== 'meta') return value.bind(target)
        return async (asked: string) => {
          await gate
          return target.meta(asked)
        }
      },
    })
    const cache = new TenantCache({ ...context, store: slow as Store, clock: clockOf(made, await store.clock()) })
    const signer = async () => {
      const service = await cache.find('acme.example.com')
      return (await service?.signer('ES256', made.clock.now()))?.kid
    }
    expect(await signer()).toBe(kidOf(acme, 0))
    await sleep(2)

    const failing = Promise.withResolvers<void>()
    gate = failing.promise
    await made.runtime.taint('acme', kidOf(acme, 0), how)
    const nobody = () => signer().catch(() => undefined)
    const asked = Array.from({ length: 3 }, nobody)
    await sleep(20)
    failing.reject(new Error('no answer'))
    expect(await Promise.all(asked)).toEqual([undefined, undefined, undefined])
    expect(await Promise.all([nobody(), nobody()])).toEqual([undefined, undefined])
    gate = Promise.resolve()
    expect(await signer()).toBeUndefined()
  })

  it('and another one that comes while it is read, are both read before anybody is answered', async () => {
    const [acme, beta] = [two('acme'), two('beta')]
    const made = await serving([acme, beta])
    const { store, context } = await beside(made)
    const read = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    let stops = false
    const slow = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name !== 'clock') return value.bind(target)
        return async () => {
          if (stops) {
            stops = false
            read.resolve()
            await goOn.promise
          }
          return target.clock()
        }
      },
    })
    const cache = new TenantCache({ ...context, store: slow as Store, clock: clockOf(made, await store.clock()) })
    const signer = async (tenant: string) => {
      const service = await cache.find(`${tenant}.example.com`)
      return (await service?.signer('ES256', made.clock.now()))?.kid
    }
    expect([await signer('acme'), await signer('beta')]).toEqual([kidOf(acme, 0), kidOf(beta, 0)])
    await sleep(2)
    await made.runtime.taint('acme', kidOf(acme, 0), how)
    stops = true
    const first = signer('acme')
    await read.promise
    await made.runtime.taint('beta', kidOf(beta, 0), how)
    await sleep(2)
    const second = signer('beta')
    goOn.resolve()
    expect([await first, await second]).toEqual([undefined, undefined])
  })
})

const clockOf = ({ clock }: TestRuntime, state: ConstructorParameters<typeof TrustedClock>[1]) =>
  new TrustedClock(clock, state, () => {})

/** The runtime as another process has it, by a clock that differs. */
async function byClock(made: TestRuntime, ahead: number): Promise<{ runtime: Runtime; clock: TestClock }> {
  const clock = new TestClock(made.clock.now() + ahead)
  const runtime = await openRuntime({ dir: made.dir, clock })
  onTestFinished(() => runtime.close())
  return { runtime, clock }
}

describe('at a switch of keys', () => {
  /** A runtime in service, `before` seconds before the second key takes over. */
  async function shortlyBefore(before: number) {
    const acme = two('acme')
    const made = await serving([acme, two('beta')])
    made.clock.to((acme.keys[1]?.signFrom ?? 0) - before)
    await made.runtime.confirmClock('ops')
    await made.runtime.tick()
    const signs = async ({ runtime }: { runtime: Runtime } = made) => {
      const service = await find({ runtime }, 'acme')
      return (await service.signer('ES256', runtime.now()))?.kid
    }
    return { acme, made, signs }
  }

  it('somebody signs at every replica, though the clock of one of them is behind', async () => {
    const { acme, made, signs } = await shortlyBefore(40)
    const ahead = await byClock(made, 30)
    await ahead.runtime.tick()
    await sleep(2)
    expect([await signs(), await signs(ahead)]).toEqual([kidOf(acme, 0), kidOf(acme, 0)])
    for (const { clock } of [made, ahead]) clock.advance(8)
    ahead.clock.advance(12)
    await ahead.runtime.tick()
    expect(await signs(ahead)).toBe(kidOf(acme, 1))
    await sleep(2)
    expect(await signs()).toBe(kidOf(acme, 1))
  })

  it('a command whose clock is hours ahead switches nothing and erases nothing that still signs', async () => {
    const { acme, made, signs } = await shortlyBefore(2 * HOUR)
    const { runtime } = await byClock(made, 3 * HOUR)
    await runtime.clients.add('beta', { clientId: 'x', method: 'client_secret_basic', audiences: [AUDIENCE] }, 'ops')
    await runtime.taint('beta', (await signerOf(made, 'beta')) ?? '', how)
    await sleep(2)
    expect(await signs()).toBe(kidOf(acme, 0))
    // When the time has come, it happens all the same.
    made.clock.advance(2 * HOUR)
    await made.runtime.tick()
    expect(await signs()).toBe(kidOf(acme, 1))
    const status = (await made.runtime.status()).tenants[0]?.phases.find(({ kid }) => kid === kidOf(acme, 0))
    expect(status).toMatchObject({ phase: 'retired', hasPrivate: false })
  })
})

describe('an emergency by a command whose clock is hours ahead', () => {
  it('has the standby key sign at once, and not when that clock says', async () => {
    const acme = hot('acme')
    const made = await serving([acme])
    const { runtime } = await byClock(made, 3 * HOUR)
    expect(await runtime.taint('acme', kidOf(acme, 0), how)).toMatchObject({ standbys: [standbyOf(acme)] })
    await sleep(2)
    expect(await signerOf(made, 'acme')).toBe(standbyOf(acme))
  })

  it('calls upon it also where by that clock the next key would sign already', async () => {
    const acme = hot('acme')
    const made = await serving([acme])
    made.clock.to((acme.keys[1]?.signFrom ?? 0) - 2 * HOUR)
    await made.runtime.confirmClock('ops')
    await made.runtime.tick()
    const { runtime } = await byClock(made, 3 * HOUR)
    await runtime.taint('acme', kidOf(acme, 0), how)
    await sleep(2)
    expect(await signerOf(made, 'acme', made.clock.now())).toBe(standbyOf(acme))
  })

  it('by a signed revocation, the same', async () => {
    const acme = hot('acme')
    const made = await serving([acme])
    const file = await revocation(made.vault, [{ tenant: acme, revoke: [kidOf(acme, 0)], standby: standbyOf(acme) }])
    const { runtime } = await byClock(made, 3 * HOUR)
    expect(await runtime.importRevocation(file, 'ops')).toMatchObject({ standbys: [standbyOf(acme)] })
    await sleep(2)
    expect(await signerOf(made, 'acme')).toBe(standbyOf(acme))
  })
})

describe('introspection', () => {
  it('calls no token active while the newest state of its tenant could not be read', async () => {
    const { made, url, credentials, token } = await withClient()
    const issued = await token()
    const service = await find(made, 'acme')
    const runtime: IssuerService = { ...made.runtime, find: () => lastKnown(service) }
    const { url: stale } = await served(runtime)
    const headers = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
    const asked = { host: 'acme.example.com', path: '/introspect', form: { token: issued }, headers }
    expect(await ask(url, asked)).toMatchObject({ status: 200, body: expect.stringContaining('"active":true') })
    expect((await ask(stale, asked)).status).toBe(503)
  })
})

describe('the clock', () => {
  it('that jumps while the store cannot be written ends nothing, and is written down as soon as it can be', async () => {
    const made = await serving([two('acme')])
    const { store } = await beside(made)
    const trigger = "CREATE TRIGGER full BEFORE INSERT ON receipts BEGIN SELECT RAISE(FAIL, 'full'); END"
    await store.change((tx) => tx.run(trigger))
    made.clock.jump(7 * HOUR)
    const held = made.runtime.now()
    await sleep(100)
    expect(made.runtime.now()).toBe(held)
    await expect(made.runtime.tick()).rejects.toMatchObject({ code: 'store-busy' })
    expect((await store.clock()).hold).toBeNull()

    await store.change((tx) => tx.run('DROP TRIGGER full'))
    await made.runtime.tick()
    expect((await store.clock()).hold).toMatchObject({ kind: 'jump', from: held })
    expect((await statedBy(made)).filter(({ type }) => type === 'clock-hold')).toHaveLength(1)
    // So that an operator's word can end it.
    const command = await openRuntime({ dir: made.dir, clock: made.clock })
    onTestFinished(() => command.close())
    expect(await command.confirmClock('ops')).toBe(true)
  })

  it('that was confirmed while a serving process kept the time stays confirmed', async () => {
    const made = await serving([two('acme')])
    await made.runtime.close()
    made.clock.advance(DAY)
    const { store, context } = await beside(made)
    const clock = clockOf(made, await store.clock())
    await tick({ ...context, clock }, true)
    expect((await store.clock()).hold).toMatchObject({ kind: 'downtime' })

    const command = await openRuntime({ dir: made.dir, clock: made.clock })
    onTestFinished(() => command.close())
    made.clock.advance(HOUR)
    expect(await command.confirmClock('ops')).toBe(true)
    await tick({ ...context, clock }, false)
    expect((await store.clock()).hold).toBeNull()
    expect(clock.hold).toBeNull()
  })
})

describe('propagation evidence', () => {
  it('of a registered party is kept, however many names strangers give themselves first', async () => {
    const acme = two('acme')
    acme.relyingParties = [{ name: 'shop', cacheSeconds: HOUR, refreshesOnUnknownKid: true }]
    const made = await serving([acme])
    const service = await find(made, 'acme')
    const now = made.clock.now()
    const kids = service.published(now).keys.map(({ kid }) => kid)
    for (let n = 0; n < 500; n++) service.noteFetch(`stranger-${n}`, kids, now)
    service.noteFetch('shop', kids, now)
    const seen = async () => (await made.runtime.status()).tenants[0]?.propagation ?? null
    const found = await until(
      async () => ((await seen())?.fetched.length ? await seen() : null),
      () => 'nothing is noted',
    )
    expect(found?.missing).toEqual([])
    expect(found?.fetched.length).toBeLessThanOrEqual(65)
  })
})

describe('what the vault signed', () => {
  it('is read once from the store for as long as it does not change, so that discovery needs no store', async () => {
    const made = await serving([two('acme')])
    const { store, context } = await beside(made)
    const state = await loadTenant(store, 'acme')
    if (!state) throw new Error('no tenant')
    let reads = 0
    const counting = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (name === 'get') reads += 1
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const tenant = new StoredTenant({ ...context, store: counting as Store }, state)
    const first = await tenant.historicalSet()
    expect(reads).toBe(1)
    expect(await tenant.historicalSet()).toBe(first)
    expect(reads).toBe(1)
    expect((await find(made, 'acme')).tenant).toBe('acme')
  })
})

it('a clock that is held signs nothing once it has stood for five minutes, and signs again when it is confirmed', async () => {
  const made = await makeServing(await makeVault(), [makeTenant('acme')])
  await made.runtime.tick()
  made.clock.jump(7 * HOUR)
  made.runtime.now()
  expect(made.runtime.cannotSign()).toBeNull()
  made.clock.advance(301)
  expect(made.runtime.cannotSign()).toBe('The clock is held until somebody confirms it.')
  expect(await made.runtime.confirmClock('operator')).toBe(true)
  expect(made.runtime.cannotSign()).toBeNull()
})
