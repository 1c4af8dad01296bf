import { afterEach, describe, expect, it } from 'vitest'
import type { Listener } from '../../../electron/issuer/http/listener.ts'
import { createOpsServer, type OpsOptions } from '../../../electron/issuer/http/ops.ts'

let ops: Listener | null = null
afterEach(async () => {
  await ops?.close()
  ops = null
})

async function start(options: Partial<OpsOptions> = {}): Promise<string> {
  ops = await createOpsServer({ listen: { port: 0 }, ready: () => [], metrics: () => 'up 1\n', ...options })
  return ops.url
}

describe('the listener for operators', () => {
  it('is on loopback unless it says otherwise', async () => {
    expect(await start()).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${ops?.url}/healthz`)).status).toBe(200)
  })

  it('/healthz lives even where nothing else works', async () => {
    const url = await start({
      ready: () => ['the store does not answer'],
      metrics: () => Promise.reject(new Error('x')),
    })
    const response = await fetch(`${url}/healthz`)
    expect([response.status, await response.json()]).toEqual([200, { status: 'alive' }])
  })

  it('/readyz is 200, or 503 with the reasons, as things are now', async () => {
    let reasons: string[] = []
    const url = await start({ ready: async () => reasons })
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }])
    reasons = ['the store does not answer', 'the clock is held']
    const not = await fetch(`${url}/readyz`)
    expect([not.status, await not.json()]).toEqual([503, { status: 'not ready', reasons }])
    expect(not.headers.get('cache-control')).toBe('no-store')
  })

  it("/metrics is the text as it was given, in Prometheus's content type", async () => {
    const text = '# HELP é\nissued_total{tenant="acme"} 3\n'
    const response = await fetch(`${await start({ metrics: async () => text })}/metrics`)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await response.text()).toBe(text)
  })

  it('what fails inside is a plain 500, and serving goes on', async () => {
    const url = await start({
      ready: () => {
        throw new Error('canary')
      },
      metrics: () => Promise.reject(new Error('canary')),
    })
    for (const path of ['/readyz', '/metrics']) {
      const response = await fetch(url + path)
      expect([response.status, await response.json()]).toEqual([500, { error: 'server_error' }])
    }
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('knows these three paths and two methods', async () => {
    const url = await start()
    for (const path of ['/', '/token', '/metrics/', '/healthz?x', '/.well-known/jwks.json'])
      expect((await fetch(url + path)).status, path).toBe(404)
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const response = await fetch(url + path, { method: 'POST' })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
      expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(200)
    }
  })

  it('a port that is taken is port-in-use', async () => {
    await start()
    const listen = { port: ops?.port ?? 0 }
    await expect(createOpsServer({ listen, ready: () => [], metrics: () => '' })).rejects.toMatchObject({
      code: 'port-in-use',
    })
  })
})
