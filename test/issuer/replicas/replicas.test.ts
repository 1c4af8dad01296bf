import { expect, it } from 'vitest'
import { temporaryFolder } from '../fixtures.ts'
import { childrenOf, serving, until } from '../serving/process.ts'
import { Load, signerNow } from './load.ts'
import {
  addClient,
  beside,
  changing,
  fresh,
  keyrite,
  nextHandoff,
  receiptsOf,
  replicaOf,
  runtimeOf,
  statedTwice,
} from './runtime.ts'
import { ownServer } from './server.ts'
import { targetOf, Wire } from './wire.ts'

/** Replicas share one PostgreSQL (issuer.md, "Store"); fault 30: a replica killed under load. */

const postgres = ownServer()
const LANES = 8

it('two replicas are one runtime under load: imports, clients, taints, a change of keys, and one of them killed', async (ctx) => {
  const place = await postgres(ctx).database(temporaryFolder())
  const ours = await runtimeOf([...fresh(['acme', 'beta']), ...changing(['delta'], 20)], place)
  const { dir, clients, tenants } = ours
  const [acme, beta, delta] = clients
  if (!acme || !beta || !delta) throw new Error('no clients')
  const other = replicaOf(ours)
  const one = await serving(dir, '--workers', '1', '--port', '0')
  const two = await serving(other, '--workers', '2', '--port', '0')
  const living = [one, two]
  const balancer = await Wire.to(() => living.map(({ url }) => targetOf(url)))
  const load = new Load(balancer.url, [acme, delta], LANES)
  const working = () =>
    until(
      () => (load.counts.tokens > 60 ? true : null),
      () => JSON.stringify(load.counts),
    )
  await working()

  // An import in one folder; the other replica serves it, with a client added in the other folder.
  const second = await nextHandoff(ours, fresh(['gamma']))
  await keyrite('import', '--dir', dir, second.bundle, second.material ?? '')
  const gamma = await addClient(other, 'gamma')
  for (const { url } of living) expect(typeof (await signerNow(url, gamma))).toBe('string')
  load.join(gamma)

  // A taint in one folder counts at the other replica.
  const tainted = String(await signerNow(two.url, beta))
  await beside(dir, (operator) => operator.taint('beta', tainted, { withdraw: false, actor: 'operator' }))
  const since = performance.now()
  await until(
    async () => ((await signerNow(two.url, beta)) === 503 ? true : null),
    () => 'the tainted key signs',
  )
  expect(performance.now() - since).toBeLessThan(1000)

  // A key takes over at its time, at both.
  const [before, after] = tenants[2]?.keys ?? []
  for (const { url } of living)
    await until(
      async () => ((await signerNow(url, delta)) === after?.kid ? true : null),
      () => 'the next key does not sign',
      60,
    )
  await until(
    async () => {
      const { receipts } = await receiptsOf(ours)
      return receipts.find(({ stated }) => stated.type === 'erased' && stated.kid === before?.kid) ?? null
    },
    () => 'no receipt of the erasure',
  )

  // One is killed, all of its processes at once.
  const count = load.counts.tokens
  const pids = [two.child.pid ?? 0, ...childrenOf(two.child.pid ?? 0)]
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await two.ended
  await until(
    () => (load.counts.tokens > count + 60 ? true : null),
    () => JSON.stringify(load.counts),
  )

  const { failed, cut, slowest } = await load.stop()

  // What happens without it, it knows when it is back.
  await beside(dir, (operator) => operator.clients.remove('gamma', 'app', 'operator'))
  const back = await serving(other, '--workers', '1', '--port', '0')
  expect(await signerNow(back.url, gamma)).toBe(401)
  expect(await signerNow(back.url, beta)).toBe(503)
  expect(await signerNow(back.url, delta)).toBe(after?.kid)

  expect(failed).toEqual({})
  // At most what was on the connections of the killed one.
  expect(cut).toBeLessThanOrEqual(LANES)
  const { kids, tenants: issued } = await load.verified()
  expect(kids).not.toContain(tainted)
  for (const kid of [before?.kid, after?.kid]) expect(kids).toContain(kid)
  expect([...issued].sort()).toEqual(['acme', 'delta', 'gamma'])
  expect(statedTwice(await receiptsOf(ours))).toEqual([])
  expect(slowest).toBeLessThan(5000)
})
