import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createIssuerServer } from '../../electron/issuer/http/server.ts'
import { openRuntime, type Runtime } from '../../electron/issuer/runtime.ts'
import { onPostgres } from './database.ts'
import { codeOf, type TestRuntime } from './fixtures.ts'
import { targetOf, Wire } from './replicas/wire.ts'
import { find, IAT, kidOf, servedBy, serving, signerOf, two } from './revoking.ts'
import { ask, askToken } from './serving/ask.ts'
import { AUDIENCE } from './serving/process.ts'

/** How soon an emergency at one replica stops the others, and what a replica does that cannot hear of one. */

const how = { withdraw: true, actor: 'night shift' }
/** Far above what is measured, for a machine that does much else. */
const MOST_MS = 1000

/** Another process' view of the same store, over `url` where it is a database. */
async function replica(made: TestRuntime, url?: string): Promise<Runtime> {
  const dir = url === undefined ? made.dir : join(made.folder, 'replica')
  if (url !== undefined) {
    cpSync(made.dir, dir, { recursive: true })
    const config = JSON.parse(readFileSync(join(dir, 'issuer.json'), 'utf8')) as object
    writeFileSync(join(dir, 'issuer.json'), JSON.stringify({ ...config, store: url }))
  }
  const runtime = await openRuntime({ dir, clock: made.clock })
  onTestFinished(() => runtime.close())
  return runtime
}

/** Milliseconds from the order to the first look at the other replica that shows its effect. */
async function effectMs(order: () => Promise<unknown>, shows: () => Promise<boolean>): Promise<number> {
  const start = performance.now()
  const seen = (async () => {
    while (!(await shows())) {
      if (performance.now() - start > 30_000) throw new Error('no effect')
      await setImmediate()
    }
    return performance.now() - start
  })()
  await order()
  return seen
}

const soFar = (times: number[]) =>
  `at most ${Math.max(...times).toFixed(0)} ms, median ${[...times].sort((a, b) => a - b)[times.length >> 1]?.toFixed(0)} ms`

describe('at another replica', () => {
  it('a taint stops the signing within milliseconds, and withdrawal the publishing', async ({ annotate }) => {
    const tenants = Array.from({ length: 5 }, (_, n) => two(`tenant-${n}`))
    const made = await serving(tenants)
    const other = { runtime: await replica(made) }
    const times: number[] = []
    for (const tenant of tenants) {
      const id = tenant.tenant
      expect(await signerOf(other, id)).toBe(kidOf(tenant, 0))
      const stopped = async () => (await signerOf(other, id)) === undefined
      times.push(await effectMs(() => made.runtime.taint(id, kidOf(tenant, 0), how), stopped))
      expect(await servedBy(other, id)).not.toContain(kidOf(tenant, 0))
    }
    await annotate(`${onPostgres() ? 'PostgreSQL' : 'SQLite'}: ${soFar(times)}`)
    expect(Math.max(...times)).toBeLessThan(MOST_MS)
  })

  it('a taint of the whole runtime stops every tenant, and rejected tokens are inactive', async () => {
    const made = await serving([two('acme'), two('beta'), two('gamma')])
    const other = { runtime: await replica(made) }
    for (const id of ['acme', 'beta', 'gamma']) expect(await signerOf(other, id)).toBeDefined()
    await made.runtime.rejectTokens('acme', IAT, 'ops')
    await made.runtime.taintRuntime(how)
    const stopped = async () =>
      (await Promise.all(['acme', 'beta', 'gamma'].map((id) => signerOf(other, id)))).every((kid) => kid === undefined)
    expect(await effectMs(async () => {}, stopped)).toBeLessThan(MOST_MS)
    expect((await find(other, 'acme')).rejectIssuedBefore).toBe(IAT)
  })
})

/** A replica behind a wire to its database, serving on a port, with a client of acme. */
async function cutOff() {
  const acme = two('acme')
  const made = await serving([acme, two('beta')])
  const { store } = made.runtime.config
  const wire = await Wire.to(() => [targetOf(store)])
  const address = new URL(store)
  address.port = String(wire.port)
  const { secret } = await made.runtime.clients.add(
    'acme',
    { clientId: 'api', method: 'client_secret_basic', audiences: [AUDIENCE], scopes: [] } as never,
    'ops',
  )
  const runtime = await replica(made, address.href)
  const server = await createIssuerServer(runtime, { listen: { host: '127.0.0.1', port: 0 } })
  onTestFinished(() => server.close())
  const client = { tenant: 'acme', host: 'acme.example.com', clientId: 'api', secret: secret ?? '' }
  const jwks = () => ask(server.url, { host: client.host, path: '/.well-known/jwks.json' })
  /** A token request that waits for its writing counts as none. */
  const token = async () =>
    (await Promise.race([askToken(server.url, client), sleep(800, { status: 0, body: '' })])).status
  return { made, acme, wire, runtime, jwks, token }
}

async function until(holds: () => boolean | Promise<boolean>, most: number): Promise<number> {
  const start = performance.now()
  while (!(await holds())) {
    if (performance.now() - start > most) throw new Error(`not after ${most} ms`)
    await sleep(20)
  }
  return performance.now() - start
}

// One file has nobody to be cut off from.
if (onPostgres())
  describe('a replica that is cut off from its database', () => {
    it.each(['silence', 'refuse'] as const)(
      '(%s) signs nothing after five seconds, serves its key sets all the while, and comes back by itself, with the taint',
      async (fault) => {
        const { made, acme, wire, runtime, jwks, token } = await cutOff()
        expect(await token()).toBe(200)
        const served = (await jwks()).body
        wire[fault]()
        await made.runtime.taint('acme', kidOf(acme, 0), how)
        const silentMs = await until(() => runtime.cannotSign() !== null, 7000)
        expect(silentMs).toBeLessThan(6500)
        for (let n = 0; n < 5; n++) {
          expect(await token()).toBe(503)
          expect(await jwks()).toMatchObject({ status: 200, body: served })
        }
        wire.restore()
        await until(() => runtime.cannotSign() === null, 20_000)
        // The first thing that it may sign again is signed in the knowledge of the taint.
        expect(await signerOf({ runtime }, 'acme')).toBeUndefined()
        expect(await token()).toBe(503)
        expect((await jwks()).body).not.toContain(kidOf(acme, 0))
        expect(await signerOf({ runtime }, 'beta')).toBeDefined()
      },
    )

    it('for an instant only, by its server, goes on, and a taint of that instant reaches it within seconds', async () => {
      const { made, acme, runtime, token } = await cutOff()
      expect(await token()).toBe(200)
      await terminateAll(made)
      await until(
        async () => (await made.runtime.taint('acme', kidOf(acme, 0), how).catch(() => null)) !== null,
        10_000,
      )
      const stopped = async () => (await signerOf({ runtime }, 'acme').catch(() => 'unknown')) === undefined
      expect(await effectMs(async () => {}, stopped)).toBeLessThan(5000)
      expect(runtime.cannotSign()).toBeNull()
    })
  })

if (onPostgres())
  it('a drill needs a file: with a database it says what to do instead', async () => {
    const made = await serving([two('acme')])
    expect(await codeOf(() => made.runtime.drill('acme'))).toBe('usage-invalid')
  })

/** Ends every connection to the database of a runtime, as its administrator may. */
async function terminateAll({ runtime, folder }: TestRuntime): Promise<void> {
  const password = readFileSync(join(folder, 'store.password'), 'utf8').trim()
  const address = new URL(runtime.config.store)
  address.password = encodeURIComponent(password)
  const client = new pg.Client({ connectionString: address.href })
  await client.connect()
  const others = 'pid <> pg_backend_pid() AND datname = current_database()'
  await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others}`)
  await client.end()
}
