import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readStorePassword } from '../../electron/issuer/config.ts'
import {
  discardStores,
  makeStores,
  openStores,
  type StorePlace,
  type Stores,
} from '../../electron/issuer/store/open.ts'
import type { Store, Value, Writer } from '../../electron/issuer/store/store.ts'
import { freshStore, onPostgres } from './database.ts'
import { codeOf, temporaryFolder } from './fixtures.ts'
import { targetOf, Wire } from './replicas/wire.ts'
import { until } from './serving/process.ts'

/** What both kinds of store promise (store.ts), each test with connections of its own, as different processes have them. */

const KEY = createHash('sha256').update('a key').digest()

async function placed(): Promise<StorePlace> {
  const dir = temporaryFolder()
  const { store = 'sqlite', storePasswordFile } = await freshStore(dir)
  const password = storePasswordFile && readStorePassword(storePasswordFile)
  return { dir, runtimeId: 'eu-one', store, fileKey: KEY, ...(password && { password }) }
}

const closedLater = (stores: Stores): Stores => {
  onTestFinished(async () => {
    await stores.traffic.close()
    await stores.store.close()
  })
  return stores
}
const opened = async (place: StorePlace) => closedLater(await openStores(place))

/** A store with its tables, open twice. */
async function two(): Promise<{ place: StorePlace; one: Store; other: Store; traffic: Store }> {
  const place = await placed()
  const { store: one, traffic } = closedLater(await makeStores(place))
  const { store: other } = await opened(place)
  return { place, one, other, traffic }
}

const count = (from: Store | Writer) => from.meta<number>('count')
const counted = async (tx: Writer) => {
  const before = (await count(tx)) ?? 0
  // Between reading and writing others have their chance.
  await new Promise((resolve) => setTimeout(resolve, 1))
  await tx.setMeta('count', before + 1)
  return before + 1
}
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a change', () => {
  it('counts as a whole, gives what its work gives, and is there for everybody', async () => {
    const { one, other } = await two()
    const given = await one.change(async (tx) => {
      await tx.setMeta('a', 1)
      await tx.setMeta('b', 2)
      return 'done'
    })
    expect(given).toBe('done')
    for (const store of [one, other]) expect([await store.meta('a'), await store.meta('b')]).toEqual([1, 2])
  })

  it('that throws leaves nothing, throws what was thrown, and the next one works', async () => {
    const { one, other } = await two()
    const failing = one.change(async (tx) => {
      await tx.setMeta('a', 1)
      throw new Error('on purpose')
    })
    await expect(failing).rejects.toThrow('on purpose')
    expect([await one.meta('a'), await other.meta('a')]).toEqual([null, null])
    await one.change((tx) => tx.setMeta('a', 2))
    expect(await other.meta('a')).toBe(2)
  })

  it('is seen by itself, and by nobody else before it is committed', async () => {
    const { one, other } = await two()
    await one.change(async (tx) => {
      await tx.setMeta('a', 1)
      expect([await tx.meta('a'), await one.meta('a'), await other.meta('a')]).toEqual([1, null, null])
    })
    expect([await one.meta('a'), await other.meta('a')]).toEqual([1, 1])
  })

  it('waits for every other, of whatever connection: none is lost', async () => {
    const { one, other } = await two()
    const gave = await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 ? one : other).change(counted)))
    expect(gave.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1))
    expect(await count(one)).toBe(40)
  })

  it('of what requests write does not wait for one of the runtime itself', async () => {
    const { one, traffic } = await two()
    const order: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const long = one.change(async (tx) => {
      await tx.setMeta('a', 1)
      await promise
      order.push('runtime')
    })
    await traffic.change((tx) =>
      tx.run('INSERT INTO assertions (tenant, id, expires) VALUES (?, ?, ?)', 'acme', 'x', 1),
    )
    order.push('traffic')
    resolve()
    await long
    expect(order).toEqual(['traffic', 'runtime'])
  })

  it('has one number, greater than every one before', async () => {
    const { one, other } = await two()
    const numbers: number[] = []
    for (const store of [one, other, one])
      await store.change(async (tx) => {
        numbers.push(await tx.version())
        expect(await tx.version()).toBe(numbers.at(-1))
      })
    expect(numbers).toEqual([1, 2, 3])
  })
})

describe('the revision', () => {
  it('is another one once anybody has committed a change, and stays while nobody has', async () => {
    const { one, other } = await two()
    for (const [changing, seeing] of [
      [one, other],
      [other, one],
      [one, one],
    ] as const) {
      await later(onPostgres() ? 1200 : 0)
      const before = seeing.revision()
      const failed = changing.change(async (tx) => {
        await tx.setMeta('a', Math.PI)
        throw new Error('on purpose')
      })
      await failed.catch(() => {})
      await changing.change((tx) => tx.meta('a'))
      await later(50)
      expect(seeing.revision()).toBe(before)
      await changing.change(counted)
      const waited = performance.now()
      await until(
        () => (seeing.revision() === before ? null : true),
        () => 'no other revision',
        5,
      )
      expect(performance.now() - waited).toBeLessThan(1000)
    }
  })

  it('comes with knowledge: a store that answers was heard from', async () => {
    const { one, other } = await two()
    expect([one.heard(), other.heard()]).toEqual([true, true])
  })
})

describe('a lock', () => {
  it('is held by one alone, name by name, until it is given back', async () => {
    const { one, other } = await two()
    const unlock = await one.lock('import')
    for (const store of [one, other]) expect(await codeOf(() => store.lock('import'))).toBe('store-busy')
    await (await other.lock('backup'))()
    await unlock()
    await (await other.lock('import'))()
  })

  it('ends with the process that held it, however that ended', async () => {
    const place = await placed()
    const { store } = closedLater(await makeStores(place))
    const child = spawn(process.execPath, [HOLDER, JSON.stringify({ ...place, fileKey: [...place.fileKey] })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    expect(await codeOf(() => store.lock('import'))).toBe('store-busy')
    child.kill('SIGKILL')
    await ended
    const unlock = await until(
      () => store.lock('import').catch(() => null),
      () => 'the lock is still held',
    )
    await unlock()
  })
})

describe('rows', () => {
  const INTO = 'INSERT INTO keys (kid, tenant, spec, jwk, announce_at, delivered_until) VALUES'
  const rows = (most: number): Value[][] =>
    Array.from({ length: most }, (_, at) => [`kid-${at}`, 'acme', 'ES256', '{}', at, 2 ** 53 - 1 - at])

  it('many at once are all there, and what is to follow holds for each of them', async () => {
    const { one, other } = await two()
    await one.change((tx) => tx.insert(INTO, rows(25_000)))
    await one.change((tx) => tx.insert(INTO, rows(25_001), 'ON CONFLICT (kid) DO UPDATE SET announce_at = -1'))
    const sql = 'SELECT count(*) AS n, min(announce_at) AS least, max(delivered_until) AS most FROM keys'
    expect(await other.get(sql)).toEqual({ n: 25_001, least: -1, most: 2 ** 53 - 1 })
    expect(await other.get('SELECT announce_at AS at FROM keys WHERE kid = ?', 'kid-25000')).toEqual({ at: 25_000 })
    await one.change((tx) => tx.insert(INTO, []))
    expect(await other.get('SELECT count(*) AS n FROM keys')).toEqual({ n: 25_001 })
  })

  it('one of many that is there already undoes all of them', async () => {
    const { one } = await two()
    expect(await codeOf(() => one.change((tx) => tx.insert(INTO, [...rows(10), ...rows(1)])))).toBe('store-busy')
    expect(await one.get('SELECT count(*) AS n FROM keys')).toEqual({ n: 0 })
  })

  it('come back as they were given: bytes, whole numbers, nothing, and every character', async () => {
    const { one, other } = await two()
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
    const text = 'quote \' and " and ? and $1 and \\ and \u{1f511} and \u0001'
    const sql = 'INSERT INTO own_keys (kid, use, jwk, sealed, offered_at, erased_at) VALUES (?, ?, ?, ?, ?, ?)'
    await one.change((tx) => tx.run(sql, 'k', 'test', text, bytes, -(2 ** 53) + 1, null))
    const row = await other.get<{ sealed: Uint8Array }>('SELECT jwk, sealed, offered_at, erased_at FROM own_keys')
    expect({ ...row, sealed: [...(row?.sealed ?? [])] }).toEqual({
      jwk: text,
      sealed: [...bytes],
      offered_at: -(2 ** 53) + 1,
      erased_at: null,
    })
    expect(await one.get('SELECT 1 AS one FROM own_keys WHERE kid = ?', 'nobody')).toBeUndefined()
  })

  it('are compared and sorted byte by byte', async () => {
    const { one } = await two()
    const names = ['b', 'B', 'a-b', 'a_b', 'aB', 'é', 'z', '']
    for (const name of names) await one.change((tx) => tx.setMeta(name, 1))
    const sorted = await one.all<{ name: string }>(`SELECT name FROM meta WHERE name <> 'changes' ORDER BY name`)
    expect(sorted.map(({ name }) => name)).toEqual(['', 'B', 'a-b', 'aB', 'a_b', 'b', 'z', 'é'])
  })

  it('are counted by the change that touches them', async () => {
    const { one } = await two()
    const touched = await one.change(async (tx) => {
      await tx.insert(INTO, rows(7))
      return [
        await tx.run('UPDATE keys SET tenant = ? WHERE announce_at >= ?', 'beta', 4),
        await tx.run('DELETE FROM keys WHERE tenant = ?', 'nobody'),
      ]
    })
    expect(touched).toEqual([3, 0])
  })
})

it('a store that is not there is said so, and a second one is not made over the first', async () => {
  const place = await placed()
  expect(await codeOf(() => openStores(place))).toBe(onPostgres() ? 'store-missing' : 'runtime-missing')
  const { store } = closedLater(await makeStores(place))
  await store.change((tx) => tx.setMeta('a', 1))
  expect(await codeOf(() => makeStores(place))).toBe(onPostgres() ? 'runtime-exists' : 'file-exists')
  expect(await store.meta('a')).toBe(1)
})

const HOLDER = fileURLToPath(new URL('./replicas/holder.ts', import.meta.url))

if (onPostgres()) {
  const nameOf = ({ store }: StorePlace) => new URL(store).pathname.slice(1)
  async function ask<R extends object>({ store, password }: StorePlace, sql: string, values: string[] = []) {
    const { hostname: host, port, username: user } = new URL(store)
    const client = new pg.Client({
      host,
      port: Number(port),
      user,
      database: 'postgres',
      ...(password && { password }),
    })
    await client.connect()
    const { rows } = await client.query<R>(sql, values)
    await client.end()
    return rows
  }
  const terminate = (place: StorePlace) =>
    ask(place, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [nameOf(place)])
  const connections = async (place: StorePlace) =>
    (await ask(place, 'SELECT pid FROM pg_stat_activity WHERE datname = $1', [nameOf(place)])).length

  /** The same place, reached over a wire that can fail. */
  async function wired(place: StorePlace) {
    const wire = await Wire.to(() => [targetOf(place.store)])
    const address = new URL(place.store)
    address.port = String(wire.port)
    return { wire, far: { ...place, store: address.href } }
  }

  describe('a database', () => {
    it('that nobody answers for, that refuses, or that is another one, is unreachable in the same word', async () => {
      const place = await placed()
      const { wire, far } = await wired(place)
      wire.refuse()
      const other = new URL(place.store)
      other.pathname = '/nothing'
      for (const wrong of [far, { ...place, password: 'wrong' }, { ...place, store: other.href }])
        for (const work of [makeStores, openStores, discardStores])
          expect(await codeOf(() => work(wrong))).toBe('store-unreachable')
    })

    it('that ends its connections loses the changes under way and nothing else; the process lives on', async () => {
      const { place, one, other, traffic } = await two()
      await one.change((tx) => tx.setMeta('a', 1))
      const unlock = await one.lock('import')
      const broken = [one, other, traffic].map((store) =>
        codeOf(() =>
          store.change(async (tx) => {
            if (store !== traffic) await tx.setMeta('a', 2)
            await terminate(place)
            await later(100)
            await tx.meta('a')
          }),
        ),
      )
      for (const code of await Promise.all(broken)) expect(['store-unreachable', 'store-busy']).toContain(code)
      expect(
        await until(
          () => one.meta('a').catch(() => null),
          () => 'no answer',
        ),
      ).toBe(1)
      await one.change((tx) => tx.setMeta('a', 3))
      // The lock went with its connection, and giving it back does no harm.
      await (await other.lock('import'))()
      await unlock()
      await until(
        () => (one.heard() && other.heard() ? true : null),
        () => 'not heard from',
      )
    })

    it('whose answers are slow is asked by one connection at a time: none is left over', async () => {
      const place = await placed()
      await closedLater(await makeStores(place))
      const { wire, far } = await wired(place)
      const { store } = await opened(far)
      wire.slow(2500)
      wire.cut()
      await later(4000)
      wire.restore()
      await until(
        async () =>
          (await store.meta('a').then(
            () => store.heard(),
            () => false,
          ))
            ? true
            : null,
        () => 'not heard from',
      )
      await later(3000)
      // The two that listen, and what reading needed.
      expect(await connections(place)).toBeLessThanOrEqual(4)
      expect(wire.open).toBeLessThanOrEqual(2)
    })

    it('does not wait for who fell silent within a change: others go on after two seconds, or eight', async () => {
      const { place, one, traffic } = await two()
      const { wire, far } = await wired(place)
      const silent = await opened(far)
      const forget = 'DELETE FROM assertions'
      const { promise: never, resolve: end } = Promise.withResolvers<void>()
      onTestFinished(() => end())
      for (const [theirs, ours, most] of [
        [silent.traffic, () => traffic.change((tx) => tx.run(forget)), 4000],
        [silent.store, () => one.change((tx) => tx.setMeta('a', 1)), 9500],
      ] as const) {
        const { promise: locked, resolve } = Promise.withResolvers<void>()
        void codeOf(() =>
          theirs.change(async (tx) => {
            await tx.run(forget)
            wire.silence()
            resolve()
            await never
          }),
        )
        await locked
        const began = performance.now()
        await ours()
        expect(performance.now() - began).toBeLessThan(most)
        wire.restore()
      }
    })

    it('that falls silent is not waited for: nothing hangs, and all goes on once it can be reached again', async () => {
      const place = await placed()
      await closedLater(await makeStores(place))
      const { wire, far } = await wired(place)
      const { store, traffic } = await opened(far)
      await Promise.all(Array.from({ length: 8 }, () => store.meta('a')))
      wire.silence()
      const silent = performance.now()
      const hanging = [
        codeOf(() => store.meta('a')),
        codeOf(() => store.change((tx) => tx.setMeta('a', 1))),
        codeOf(() => traffic.change((tx) => tx.run('DELETE FROM assertions'))),
      ]
      await until(
        () => (store.heard() ? null : true),
        () => 'still heard from',
      )
      expect(performance.now() - silent).toBeLessThan(6500)
      expect(await Promise.all(hanging)).toEqual(['store-unreachable', 'store-unreachable', 'store-unreachable'])
      expect(performance.now() - silent).toBeLessThan(13_000)
      wire.restore()
      await until(
        () => (store.heard() ? true : null),
        () => 'not heard from',
        10,
      )
      await store.change((tx) => tx.setMeta('a', 2))
      await traffic.change((tx) => tx.run('DELETE FROM assertions'))
      expect(await store.meta('a')).toBe(2)
    })
  })
}
