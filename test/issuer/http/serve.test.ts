import { expect, it } from 'vitest'
import { describeTenants, serveIssuer } from '../../../electron/cli/serve.ts'
import { KeyriteError } from '../../../shared/errors.ts'
import { startIssuer, TestService } from './service.ts'

/** A runtime whose ticks do what `tick` says, being served. */
function serve(tick: () => unknown, port = 0) {
  const stop = new AbortController()
  const said: string[] = []
  const runtime = Object.assign(new TestService(), { config: { listen: { host: '127.0.0.1', port } }, tick })
  const options = { stop: stop.signal, say: (line: string) => said.push(line), tickSeconds: 0.02 }
  let done: Promise<void> = Promise.resolve()
  const ready = new Promise<string>((resolve, reject) => {
    done = serveIssuer(runtime, { ...options, onReady: resolve })
    done.catch(reject)
  })
  return { ready, stop, said, done: () => done }
}

it('ticks before it listens, then again and again, and stops when told', async () => {
  let ticks = 0
  const { ready, stop, said, done } = serve(() => ticks++)
  const url = await ready
  expect(ticks).toBeGreaterThan(0)
  await expect.poll(() => ticks).toBeGreaterThan(3)
  stop.abort()
  await done()
  await expect(fetch(url)).rejects.toThrow()
  expect(said).toEqual([])
})

it('a failing tick is said once and never ends serving; that it works again is said too', async () => {
  let ticks = 0
  const { ready, stop, said, done } = serve(async () => {
    ticks++
    if (ticks === 2 || ticks === 3) throw new KeyriteError('medium-full', 'The disk is full.')
    if (ticks === 4) throw new Error('canary')
  })
  const url = await ready
  await expect.poll(() => ticks).toBeGreaterThan(5)
  expect((await fetch(url)).status).toBe(404)
  expect(said).toHaveLength(3)
  expect(said[0]).toContain('The disk is full. (medium-full)')
  expect(said[2]).toBe('Keys move again.')
  expect(said.join()).not.toContain('canary')
  stop.abort()
  await done()
})

it('a port that is taken is port-in-use', async () => {
  const other = await startIssuer([])
  const { ready } = serve(() => {}, other.server.port)
  await expect(ready).rejects.toMatchObject({ code: 'port-in-use' })
  await other.server.close()
})

it('one line per tenant up to ten, then a count', () => {
  const tenant = (at: number) => ({
    tenant: `t${at}`,
    issuer: `https://t${at}.example`,
    signing: at === 1 ? [] : ['key'],
  })
  const lines = (count: number) => describeTenants(Array.from({ length: count }, (_, at) => tenant(at)))
  expect(lines(2)).toEqual(['  t0  https://t0.example  key', '  t1  https://t1.example  no key may sign now'])
  expect(lines(10)).toHaveLength(10)
  expect(lines(11)).toHaveLength(11)
  expect(lines(11).at(-1)).toBe('  and others: 11 tenants in all')
})
