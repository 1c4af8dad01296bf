import { expect, it } from 'vitest'
import { temporaryFolder } from '../fixtures.ts'
import { ask } from '../serving/ask.ts'
import { AUDIENCE, type Client, configure, type Serving, serving, until } from '../serving/process.ts'
import { askKeySet, Load, signerNow } from './load.ts'
import { beside, fresh, now, replicaOf, runtimeOf } from './runtime.ts'
import { ownServer } from './server.ts'
import { targetOf, Wire } from './wire.ts'

/** The database fails under replicas (issuer.md, "Store"): nothing is signed by who cannot know of a taint. */

const postgres = ownServer()
const LANES = 6
/** How long a replica may sign without having heard from the database (listening.ts), and some for a busy machine. */
const SILENCE = 5000
const SOME = 1500

const one = <T>(things: readonly T[]): T => {
  const [first] = things
  if (first === undefined) throw new Error('nothing')
  return first
}
const ready = async ({ opsUrl }: Serving): Promise<{ status: number; body: string }> =>
  await ask(opsUrl, { host: new URL(opsUrl).host, path: '/readyz' })

/** Asks for tokens until one is refused; gives the status, and for how long there were tokens. */
async function refusedAfter(url: string, client: Client): Promise<{ status: number; after: number }> {
  const began = performance.now()
  const status = await until(
    async () => {
      const answer = await signerNow(url, client)
      return typeof answer === 'number' ? answer : null
    },
    () => 'tokens are still issued',
  )
  return { status, after: performance.now() - began }
}

const signsAgain = (url: string, client: Client): Promise<string> =>
  until(
    async () => {
      const answer = await signerNow(url, client)
      return typeof answer === 'string' ? answer : null
    },
    () => 'no token is issued',
  )

it('PostgreSQL ends its connections, stops and starts again under load: 503 meanwhile, and no process falls', async (ctx) => {
  const server = postgres(ctx)
  const place = await server.database(temporaryFolder())
  const { dir, clients } = await runtimeOf(fresh(['acme', 'beta']), place)
  const acme = one(clients)
  const served = await serving(dir, '--workers', '2', '--port', '0')
  const load = new Load(served.url, clients, LANES)
  const working = async () => {
    const { tokens } = load.counts
    await until(
      () => (load.counts.tokens > tokens + 40 ? true : null),
      () => `${JSON.stringify(load.counts)} ${served.stderr()}`,
    )
  }
  await working()
  for (let at = 0; at < 5; at++) {
    expect(await server.terminate(place.name)).toBeGreaterThan(0)
    await working()
  }
  await server.stop()
  // At once nothing can be recorded, and what is not recorded is not handed out.
  expect(await signerNow(served.url, acme)).toBe(503)
  await until(
    async () => ((await ready(served)).status === 503 ? true : null),
    () => 'still ready',
  )
  const keySet = await askKeySet(served.url, acme)
  expect([keySet.status, keySet.body.includes('"kid"')]).toEqual([200, true])
  await server.start()
  await signsAgain(served.url, acme)
  await working()
  await until(
    async () => ((await ready(served)).status === 200 ? true : null),
    () => 'not ready',
  )
  const { failed, cut, slowest } = await load.stop()
  expect(Object.keys(failed)).toEqual(['token 503'])
  expect(cut).toBe(0)
  expect(slowest).toBeLessThan(SILENCE * 2 + SOME)
  expect(served.stderr()).not.toContain('worker-lost')
  await load.verified()
})

it('a replica that is cut off from the database signs nothing after five seconds, and goes on serving key sets', async (ctx) => {
  const place = await postgres(ctx).database(temporaryFolder())
  const ours = await runtimeOf(fresh(['acme', 'beta']), place)
  const [acme, beta] = ours.clients
  if (!acme || !beta) throw new Error('no clients')
  const wire = await Wire.to(() => [targetOf(place.store)])
  const far = replicaOf(ours)
  const address = new URL(place.store)
  address.port = String(wire.port)
  configure(far, { store: address.href })
  const near = await serving(ours.dir, '--workers', '1', '--port', '0')
  const cutOff = await serving(far, '--workers', '2', '--port', '0')
  const kid = await signerNow(cutOff.url, acme)
  await signerNow(cutOff.url, beta)
  expect([(await askKeySet(cutOff.url, acme)).status, (await ready(cutOff)).status]).toEqual([200, 200])

  const load = new Load(cutOff.url, ours.clients, LANES)
  const others = new Load(near.url, [beta], 2)
  // Both processes have both tenants in memory from here on.
  await until(
    () => (load.counts.keySets > 60 ? true : null),
    () => JSON.stringify(load.counts),
  )
  for (const how of ['silence', 'refuse'] as const) {
    await signsAgain(cutOff.url, acme)
    wire[how]()
    const { status, after } = await refusedAfter(cutOff.url, beta)
    expect(status).toBe(503)
    expect(after).toBeLessThan(SILENCE * 2 + SOME)
    // Whoever waited for the database has an answer, too.
    const { keySets } = load.counts
    await until(
      () => (load.counts.keySets > keySets + 2 * LANES ? true : null),
      () => 'the load hangs',
      (SILENCE * 2 + SOME) / 1000,
    )
    await until(
      async () => ((await ready(cutOff)).status === 503 ? true : null),
      () => 'still ready',
    )
    const { tokens } = load.counts
    expect(await signerNow(cutOff.url, acme)).toBe(503)
    expect((await askKeySet(cutOff.url, acme)).status).toBe(200)
    // Refusals and key sets come at once, from memory.
    const began = performance.now()
    for (let at = 0; at < 20; at++) {
      expect((await askKeySet(cutOff.url, beta)).status).toBe(200)
      expect(await signerNow(cutOff.url, beta)).toBe(503)
    }
    expect(performance.now() - began).toBeLessThan(2000)
    expect(load.counts.tokens).toBe(tokens)

    // What happened meanwhile counts for the first token after it is back.
    if (how === 'refuse')
      await beside(ours.dir, (operator) => operator.taint('acme', String(kid), { withdraw: true, actor: 'operator' }))
    wire.restore()
    await signsAgain(cutOff.url, beta)
    await until(
      async () => ((await ready(cutOff)).status === 200 ? true : null),
      () => 'not ready',
    )
  }
  expect(await signerNow(cutOff.url, acme)).toBe(503)
  expect((await askKeySet(cutOff.url, acme)).body).not.toContain(String(kid))
  const { failed, cut } = await load.stop()
  // No key set among them: those come from memory.
  for (const name of Object.keys(failed)) expect(name).toMatch(/^token 50[03]$/)
  expect(cut).toBe(0)
  // Whatever it was doing when it was cut off, the other one goes on.
  const undisturbed = await others.stop()
  expect([undisturbed.failed, undisturbed.cut]).toEqual([{}, 0])
  expect(undisturbed.slowest).toBeLessThan(SILENCE)
})

it('a change whose news came, and nothing more, leaves key sets as they were, and nobody signs until it is known', async (ctx) => {
  const place = await postgres(ctx).database(temporaryFolder())
  const ours = await runtimeOf(fresh(['acme', 'beta']), place)
  const wire = await Wire.to(() => [targetOf(place.store)])
  const far = replicaOf(ours)
  const address = new URL(place.store)
  address.port = String(wire.port)
  configure(far, { store: address.href })
  for (const known of ['nothing', 'that it changed'] as const) {
    await beside(far, async (runtime) => {
      const find = async (tenant: string) => {
        const service = await runtime.find(`${tenant}.example.com`, '')
        if (!service) throw new Error('no tenant')
        return service
      }
      const kidsOf = async (tenant: string) => (await find(tenant)).published(now()).keys.map((key) => key.kid)
      const signerOf = async (tenant: string) => (await (await find(tenant)).signer('ES256', now()))?.kid ?? null
      const before = await kidsOf('acme')
      const kid = await signerOf('acme')
      const other = await signerOf('beta')
      expect(before).toContain(kid)
      const how = { ...EMPTY, clientId: `app-${known.length}` }
      await beside(ours.dir, (operator) => operator.clients.add('acme', how, 'operator'))
      await new Promise((resolve) => setTimeout(resolve, 300))
      if (known === 'that it changed') await runtime.follow()
      wire.refuse()
      for (let at = 0; at < 3; at++) {
        expect([await kidsOf('acme'), await signerOf('acme')]).toEqual([before, null])
        expect((await kidsOf('beta')).length).toBeGreaterThan(0)
        if (known === 'nothing') expect(await signerOf('beta')).toBeNull()
      }
      await until(
        () => (runtime.cannotSign() === null ? null : true),
        () => 'still heard from',
      )
      expect(await kidsOf('acme')).toEqual(before)
      wire.restore()
      await until(
        async () => ((await signerOf('acme')) === kid && (await signerOf('beta')) === other ? true : null),
        () => 'nobody signs',
      )
    })
  }
})

const EMPTY = { method: 'client_secret_basic' as const, audiences: [AUDIENCE], scopes: [] }
