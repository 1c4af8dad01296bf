import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { expect, it } from 'vitest'
import { openRuntime } from '../../../electron/issuer/runtime.ts'
import { ask, askToken } from './ask.ts'
import { type Client, childrenOf, serving, today, until } from './process.ts'

/** One process per core (issuer.md, "Store"); fault 30: a worker killed under load. */

const verify = async (url: string, client: Client, token: string): Promise<string | undefined> => {
  const { body } = await ask(url, { host: client.host, path: '/.well-known/jwks.json' })
  const keys = createLocalJWKSet(JSON.parse(body) as JSONWebKeySet)
  return (await jwtVerify(token, keys, { issuer: `https://${client.host}` })).payload.iss
}

it('serves in several processes behind one port, with health and metrics beside; SIGTERM ends all of them', async () => {
  const made = await today(['acme', 'beta'])
  const { url, opsUrl, child, ended } = await serving(made.dir, '--workers', '2', '--port', '0')
  const workers = childrenOf(child.pid ?? 0)
  expect(workers).toHaveLength(2)
  for (const client of made.clients) {
    const { status, body } = await askToken(url, client)
    expect(status, body).toBe(200)
    expect(await verify(url, client, JSON.parse(body).access_token)).toBe(`https://${client.host}`)
  }
  const ops = new URL(opsUrl)
  for (const path of ['/healthz', '/readyz']) expect((await ask(opsUrl, { host: ops.host, path })).status).toBe(200)
  const counted = await until(
    async () => {
      const { body } = await ask(opsUrl, { host: ops.host, path: '/metrics' })
      return /^keyrite_tokens_issued_total\{tenant="acme".*\} 1$/m.test(body) ? body : null
    },
    () => 'no count of tokens',
  )
  expect(counted).toMatch(/^keyrite_signing_keys\{tenant="beta"\} 1$/m)
  expect((await ask(url, { host: ops.host, path: '/metrics' })).status).toBe(404)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
})

it('a worker that dies under load costs no request but those it had begun, and is replaced; no token is wrong', async () => {
  const made = await today(['acme', 'beta'])
  const { url, child, stderr } = await serving(made.dir, '--workers', '2', '--port', '0')
  const [victim = 0, other = 0] = childrenOf(child.pid ?? 0)
  const counts = { good: 0, bad: 0, cut: 0 }
  const tokens: { client: Client; token: string }[] = []
  let stop = false
  const load = async (client: Client) => {
    while (!stop) {
      try {
        const { status, body } = await askToken(url, client)
        if (status === 200) {
          counts.good += 1
          tokens.push({ client, token: JSON.parse(body).access_token })
        } else counts.bad += 1
      } catch {
        counts.cut += 1
      }
    }
  }
  const lanes = Array.from({ length: 16 }, (_, at) => load(made.clients[at % 2] as Client))
  await until(
    () => (counts.good > 200 ? true : null),
    () => JSON.stringify(counts),
  )
  process.kill(victim, 'SIGKILL')
  const replaced = await until(
    () => childrenOf(child.pid ?? 0).find((pid) => pid !== victim && pid !== other) ?? null,
    () => stderr(),
  )
  const before = counts.good
  await until(
    () => (counts.good > before + 200 ? true : null),
    () => JSON.stringify(counts),
  )
  stop = true
  await Promise.all(lanes)
  expect(replaced).toBeGreaterThan(0)
  expect(counts.bad).toBe(0)
  // At most what was on the connections of the dead one.
  expect(counts.cut).toBeLessThanOrEqual(16)
  expect(stderr()).toContain('worker-lost')
  for (const { client, token } of tokens.slice(-50)) await verify(url, client, token)
})

it('what a command changes counts for the very next request at every worker', async () => {
  const made = await today(['acme'])
  const { url } = await serving(made.dir, '--workers', '2', '--port', '0')
  const [client] = made.clients
  if (!client) throw new Error('no client')
  for (let at = 0; at < 20; at++) expect((await askToken(url, client)).status).toBe(200)
  const operator = await openRuntime({ dir: made.dir })
  await operator.clients.remove('acme', 'app', 'operator')
  const statuses = new Set<number>()
  for (let at = 0; at < 20; at++) statuses.add((await askToken(url, client)).status)
  await operator.close()
  expect([...statuses]).toEqual([401])
})

it('a port that is taken ends it with port-in-use, and leaves no process behind', async () => {
  const made = await today(['acme'])
  const { url, child } = await serving(made.dir, '--workers', '1', '--port', '0')
  const { port } = new URL(url)
  const failed = await serving(made.dir, '--workers', '2', '--port', port).catch((error: Error) => error)
  expect(String(failed)).toContain('port-in-use')
  child.kill('SIGTERM')
}, 60_000)
