import { cpSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readReceipts } from '../../electron/handoff/receipts.ts'
import { createIssuerServer } from '../../electron/issuer/http/server.ts'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import { DAY, HOUR } from '../../shared/domain/policy.ts'
import { type Operation, watching } from '../faults/harness/points.ts'
import {
  codeOf,
  extendTenant,
  type Handoff,
  makeHandoff,
  makeServing,
  makeTenant,
  makeVault,
  pathsOf,
  policyWith,
  RUNTIME_ID,
  T0,
  TestClock,
  type TestRuntime,
  type TestTenant,
  type TestVault,
  temporaryFolder,
} from './fixtures.ts'
import { statedTwice } from './replicas/runtime.ts'
import { ask, askToken } from './serving/ask.ts'
import { AUDIENCE, type Client, until } from './serving/process.ts'

/** What lifecycle.md and handoff.md promise, seen from outside while a runtime serves. */

type Served = TestRuntime & { url: string; clients: Map<string, Client>; vault: TestVault; first: Handoff }

/** Real requests to a runtime whose clock the test moves, with a client for each tenant. */
async function served(tenants: TestTenant[], vault?: TestVault): Promise<Served> {
  const of = vault ?? (await makeVault())
  const made = await makeServing(of, tenants)
  const server = await createIssuerServer(made.runtime, { listen: { host: '127.0.0.1', port: 0 } })
  onTestFinished(() => server.close())
  const clients = new Map<string, Client>()
  for (const { tenant } of tenants) clients.set(tenant, await newClient(made.runtime, tenant))
  await made.runtime.tick()
  return { ...made, url: server.url, clients, vault: of }
}

async function newClient(runtime: Runtime, tenant: string): Promise<Client> {
  const request = { clientId: 'app', method: 'client_secret_basic', audiences: [AUDIENCE] } as const
  const { secret } = await runtime.clients.add(tenant, { ...request, audiences: [AUDIENCE] }, 'operator')
  return { tenant, host: `${tenant}.example.com`, clientId: 'app', secret: secret ?? '' }
}

/** The kid of a token that is asked for now, or the status of the refusal. */
async function signer({ url, clients }: Served, tenant = 'acme'): Promise<string | number> {
  const client = clients.get(tenant)
  if (!client) throw new Error('no client')
  const { status, body } = await askToken(url, client)
  return status === 200
    ? (decodeProtectedHeader((JSON.parse(body) as { access_token: string }).access_token).kid ?? '')
    : status
}

const document = ({ url }: Served, name: string, headers: Record<string, string> = {}) =>
  ask(url, { host: 'acme.example.com', path: `/.well-known/${name}`, headers })
const published = async (at: Served): Promise<string[]> =>
  (JSON.parse((await document(at, 'jwks.json')).body) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)

const DOCUMENTS = ['jwks.json', 'jwks.jwt', 'openid-configuration']

async function chainOf({ runtime, enrollment }: Pick<TestRuntime, 'runtime' | 'enrollment'>) {
  const { path } = await runtime.exportReceipts(temporaryFolder(), { all: true })
  const { receiptSigner } = enrollment
  return await readReceipts(path, { signer: receiptSigner, runtimeId: RUNTIME_ID, after: null, practice: false })
}

async function offeredBy(at: Pick<TestRuntime, 'runtime' | 'enrollment'>) {
  const { offered } = await chainOf(at)
  if (!offered) throw new Error('no transport key')
  return offered
}

function keysOf({ keys }: TestTenant) {
  const [one, two, three] = keys
  if (!one || !two || !three) throw new Error('no keys')
  return { one, two, three }
}

describe('files that come late, to a runtime that serves', () => {
  it('no next key: the last one signs to extendUntil, then 503 while all documents are served; late material ends it', async () => {
    const tenant = makeTenant('acme')
    const { one, two } = keysOf(tenant)
    const vault = await makeVault()
    const at = await served([tenant], vault)
    // The runtime that the test is about has the first key's private half alone.
    const bare = await servedWith(vault, tenant, (kid) => kid === one.kid)
    expect(await signer(bare)).toBe(one.kid)
    bare.clock.to(two.signFrom)
    await bare.runtime.tick()
    expect(await signer(bare)).toBe(one.kid)
    bare.clock.to(one.extendUntil - 1)
    expect(await signer(bare)).toBe(one.kid)
    bare.clock.advance(1)
    expect(await signer(bare)).toBe(503)
    await bare.runtime.tick()
    expect(await signer(bare)).toBe(503)
    for (const name of DOCUMENTS) expect((await document(bare, name)).status, name).toBe(200)
    expect(await published(bare)).toContain(two.kid)
    const second = await makeHandoff(vault, bare.folder, [tenant], {
      previous: bare.first,
      transportKey: await offeredBy(bare),
      manifest: { iat: bare.clock.now(), exp: bare.clock.now() + DAY },
      kids: (kid) => kid === two.kid,
    })
    await bare.runtime.importFiles(pathsOf(second))
    expect(await signer(bare)).toBe(two.kid)
    expect(await signer(at)).toBe(one.kid)
  })

  it('a bundle is imported between two requests: nobody is refused, and the switch waits for its announcement', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme', { policy: policyWith({ horizon: 1 }) })
    const [one] = tenant.keys
    if (!one) throw new Error('no key')
    tenant.keys.length = 1
    for (const kid of tenant.secrets.keys()) if (kid !== one.kid) tenant.secrets.delete(kid)
    const at = await served([tenant], vault)
    at.clock.to(one.signUntil - 10 * DAY)
    await at.runtime.tick()
    extendTenant(tenant, one.signUntil - 14 * DAY)
    const [, two] = tenant.keys
    if (!two) throw new Error('no key')
    const manifest = { iat: at.clock.now(), exp: at.clock.now() + DAY }
    const transportKey = await offeredBy(at)
    const kids = (kid: string) => kid === two.kid
    const second = await makeHandoff(vault, at.folder, [tenant], { previous: at.first, transportKey, manifest, kids })
    const answers: (string | number)[] = []
    let done = false
    const asking = (async () => {
      while (!done) answers.push(await signer(at))
    })()
    await at.runtime.importFiles(pathsOf(second))
    const announced = at.clock.now()
    done = true
    await asking
    expect(new Set(answers)).toEqual(new Set([one.kid]))
    expect(await published(at)).toEqual([one.kid, two.kid])
    at.clock.to(announced + tenant.policy.propagationTime - 1)
    expect(await signer(at)).toBe(one.kid)
    at.clock.advance(1)
    expect(await signer(at)).toBe(two.kid)
  })

  async function servedWith(vault: TestVault, tenant: TestTenant, kids: (kid: string) => boolean): Promise<Served> {
    const secrets = new Map([...tenant.secrets].filter(([kid]) => kids(kid)))
    return await served([{ ...tenant, secrets }], vault)
  }
})

describe('reserved tenants', () => {
  it('are assigned while they serve: a label for operators and a receipt, and nothing else', async () => {
    const at = await served([makeTenant('r-0001', { issuer: 'https://acme.example.com' }), makeTenant('beta')])
    const client = at.clients.get('r-0001')
    if (!client) throw new Error('no client')
    at.clients.set('acme', { ...client, host: 'acme.example.com' })
    const seen = async () => [await signer(at), ...(await Promise.all(DOCUMENTS.map((name) => document(at, name))))]
    const before = await seen()
    expect(before[0]).toEqual(expect.any(String))
    const operator = await openRuntime({ dir: at.dir, clock: at.clock })
    await operator.assign('r-0001', 'Acme GmbH', 'operator')
    expect(await codeOf(() => operator.assign('r-0001', 'two\nlines', 'operator'))).toBe('usage-invalid')
    expect(await codeOf(() => operator.assign('r-0002', 'Acme GmbH', 'operator'))).toBe('tenant-unknown')
    await operator.close()
    expect(await seen()).toEqual(before)
    const { tenants } = await at.runtime.status()
    expect(tenants.map(({ tenant, name }) => [tenant, name])).toEqual([
      ['beta', 'Tenant beta'],
      ['r-0001', 'Acme GmbH'],
    ])
    const said = (await chainOf(at)).receipts.map(({ stated }) => stated)
    const named = { type: 'tenant-named', tenant: 'r-0001', name: 'Acme GmbH', actor: 'operator' }
    expect(said.filter(({ type }) => type === 'tenant-named')).toEqual([named])
  })
})

describe('restarts and company', () => {
  it('killed at any operation of the tick that changes keys: the copy signs with the next, and states everything once', async () => {
    const tenant = makeTenant('acme')
    const { one, two } = keysOf(tenant)
    const { runtime, dir, clock, enrollment } = await makeServing(await makeVault(), [tenant])
    const moments: { where: string; copy: string }[] = []
    const before = ({ kind, name, path }: Operation) => {
      // Files that have no final name yet are nobody's.
      if (kind === 'fs' && name !== 'rename') return
      const copy = join(temporaryFolder(), basename(dir))
      cpSync(dir, copy, { recursive: true })
      const where = `operation ${moments.length + 1}, ${name} of ${basename(path)}`
      moments.push({ where, copy })
    }
    await runtime.tick()
    clock.to(two.announceAt)
    await runtime.tick()
    clock.to(two.signFrom)
    await watching({ before }, () => runtime.tick())
    const whole = await statedBy(runtime)
    expect(whole).toEqual([
      `${one.kid} signing`,
      `${two.kid} announced`,
      `${one.kid} retired`,
      `${two.kid} signing`,
      `${one.kid} erased`,
    ])
    expect(moments.length).toBeGreaterThan(10)
    for (const { where, copy } of moments) {
      const again = await openRuntime({ dir: copy, clock })
      const service = await again.find('acme.example.com', '')
      expect((await service?.signer('ES256', clock.now()))?.kid, where).toBe(two.kid)
      await again.confirmClock('operator')
      await again.tick()
      expect(await again.tick(), where).toEqual({ phases: 0, erased: 0 })
      expect(await statedBy(again), where).toEqual(whole)
      await again.close()
      rmSync(copy, { recursive: true })
    }

    async function statedBy(by: Runtime): Promise<string[]> {
      const chain = await chainOf({ runtime: by, enrollment })
      expect(statedTwice(chain)).toEqual([])
      return chain.receipts.flatMap(({ stated }) => {
        if (stated.type === 'phase') return [`${stated.kid} ${stated.phase}`]
        return stated.type === 'erased' ? [`${stated.kid} erased`] : []
      })
    }
  })

  it('several that tick at the same moments state each phase and each erasure once', async () => {
    const tenants = [makeTenant('acme'), makeTenant('beta', { from: T0 - 30 * DAY })]
    const made = await makeServing(await makeVault(), tenants)
    const others = await Promise.all([1, 2].map(() => openRuntime({ dir: made.dir, clock: made.clock })))
    onTestFinished(async () => {
      for (const other of others) await other.close()
    })
    const all = [made.runtime, ...others]
    const changes = tenants
      .flatMap(({ keys }) => keys.flatMap((key) => [key.announceAt, key.signFrom, key.removeAt]))
      .filter((at) => at >= T0)
      .sort((a, b) => a - b)
    for (const at of changes) {
      made.clock.to(at)
      await Promise.all(all.map((one) => one.tick()))
      for (const one of all) expect(await one.tick()).toEqual({ phases: 0, erased: 0 })
    }
    const chain = await chainOf(made)
    expect(statedTwice(chain)).toEqual([])
    const erased = chain.receipts.filter(({ stated }) => stated.type === 'erased').length
    const left = (await made.runtime.status()).tenants.flatMap(({ phases }) => phases.filter((key) => key.hasPrivate))
    expect(erased + left.length).toBe(tenants.flatMap(({ keys }) => keys).length)
    expect(erased).toBeGreaterThanOrEqual(4)
  })
})

describe('one-time transport keys', () => {
  it('each opens one handoff: offered until it is used, then erased, and what was sealed to it opens for nobody', async () => {
    const vault = await makeVault()
    const tenant = makeTenant('acme')
    const at = await served([tenant], vault)
    const { first, folder, runtime } = at
    const offered = await offeredBy(at)
    expect(await offeredBy(at)).toEqual(offered)
    expect(offered).not.toEqual(at.transportKey)
    const recorded = await makeHandoff(vault, folder, [tenant], { previous: first, transportKey: at.transportKey })
    expect(await codeOf(() => runtime.importFiles(pathsOf(recorded)))).toBe('decryption-failed')
    expect((await runtime.status()).bundle?.number).toBe(1)
    const second = await makeHandoff(vault, temporaryFolder(), [tenant], { previous: first, transportKey: offered })
    await runtime.importFiles(pathsOf(second))
    expect(await runtime.importFiles(pathsOf(second))).toMatchObject({ outcome: 'no-op' })
    const next = await offeredBy(at)
    expect(next).not.toEqual(offered)
    const options = { previous: second, transportKey: offered }
    const third = await makeHandoff(vault, temporaryFolder(), [tenant], options)
    expect(await codeOf(() => runtime.importFiles(pathsOf(third)))).toBe('decryption-failed')
    const chain = await chainOf(at)
    expect(statedTwice(chain)).toEqual([])
    expect(chain.receipts.filter(({ stated }) => stated.type === 'transport-key-erased')).toHaveLength(2)
    expect(typeof (await signer(at))).toBe('string')
  })
})

describe('propagation evidence (issuer.md, "Watching it")', () => {
  it('status tells which registered relying parties fetched the announced key before it signs, and which did not', async () => {
    const party = (name: string) => ({ name, cacheSeconds: HOUR, refreshesOnUnknownKid: true })
    const tenant = makeTenant('acme', { relyingParties: [party('bank'), party('shop')] })
    const { two } = keysOf(tenant)
    const at = await served([tenant])
    const propagation = async () => (await at.runtime.status()).tenants[0]?.propagation
    const fetch = (name: string, document = 'jwks.json') =>
      ask(at.url, {
        host: 'acme.example.com',
        path: `/.well-known/${document}`,
        headers: { 'Keyrite-Relying-Party': name },
      })
    expect((await fetch('shop')).status).toBe(200)
    expect(await propagation()).toBeNull()
    at.clock.to(two.announceAt)
    await at.runtime.tick()
    // Who fetched before the announcement has not seen the new key.
    const none = { kid: two.kid, signFrom: two.signFrom, fetched: [], missing: ['bank', 'shop'], unnamed: false }
    expect(await propagation()).toEqual(none)
    at.clock.advance(DAY)
    expect((await fetch('bank')).status).toBe(200)
    expect((await fetch('stranger', 'jwks.jwt')).status).toBe(200)
    expect((await document(at, 'jwks.json')).status).toBe(200)
    const seen = await until(
      async () => {
        const now = await propagation()
        return now && now.fetched.length === 2 && now.unnamed ? now : null
      },
      () => 'no fetch is told',
    )
    const when = two.announceAt + DAY
    expect(seen).toMatchObject({ missing: ['shop'], unnamed: true })
    expect(seen.fetched.toSorted((a, b) => a.party.localeCompare(b.party))).toEqual([
      { party: 'bank', at: when },
      { party: 'stranger', at: when },
    ])
    // Any process of the runtime tells the same, and the time is that of the first fetch.
    at.clock.advance(DAY)
    await fetch('bank')
    const operator = await openRuntime({ dir: at.dir, clock: at.clock })
    expect((await operator.status()).tenants[0]?.propagation?.fetched).toContainEqual({ party: 'bank', at: when })
    await operator.close()
    at.clock.to(two.signFrom)
    await at.runtime.tick()
    expect(await propagation()).toBeNull()
    expect(await signer(at)).toBe(two.kid)
  })
})

it('replicas whose clocks are a minute apart never take back what one of them stated', async () => {
  const tenant = makeTenant('acme')
  const { two, three } = keysOf(tenant)
  const made = await makeServing(await makeVault(), [tenant])
  const behind = new TestClock(T0 - 60)
  const other = await openRuntime({ dir: made.dir, clock: behind })
  onTestFinished(() => other.close())
  for (const at of [two.announceAt, two.signFrom]) {
    made.clock.to(at)
    behind.to(at - 60)
    await other.tick()
    await made.runtime.tick()
    // Whatever makes the one behind look at the tenant anew.
    await other.taint('acme', three.kid, { withdraw: at === two.signFrom, actor: 'operator' })
    behind.advance(30)
    await other.tick()
    await made.runtime.tick()
  }
  const chain = await chainOf(made)
  expect(statedTwice(chain)).toEqual([])
})
