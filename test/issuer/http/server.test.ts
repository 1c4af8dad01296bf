import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIssuerServer } from '../../../electron/issuer/http/server.ts'
import { NO_OBSERVER } from '../../../electron/issuer/http/serving.ts'
import { exchange, request, statusOf } from './raw.ts'
import { askToken, GRANT, startIssuer, type TestIssuer, TestService } from './service.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await startIssuer(['acme', 'initech'], { headersTimeout: 400, requestTimeout: 600, checkInterval: 100 })
})
afterAll(() => issuer.server.close())

const host = () => `Host: 127.0.0.1:${issuer.server.port}`
const alive = async () =>
  expect((await fetch(`${issuer.tenant('acme').issuer}/.well-known/jwks.json`)).status).toBe(200)

describe('finding the issuer', () => {
  it('unknown issuer: 404, no hints; the answer is the one for an unknown path of a known issuer', async () => {
    const unknown = await fetch(`${issuer.server.url}/t/nobody/.well-known/jwks.json`)
    const path = await fetch(`${issuer.tenant('acme').issuer}/nothing`)
    expect([unknown.status, path.status]).toEqual([404, 404])
    expect(await unknown.text()).toBe(await path.text())
    const comparable = (response: Response) => [...response.headers].filter(([name]) => name !== 'date')
    expect(comparable(unknown)).toEqual(comparable(path))
  })

  it('an unknown issuer is 404 for every method, before any 405', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND'])
      expect((await fetch(`${issuer.server.url}/t/nobody/token`, { method })).status, method).toBe(404)
  })

  it.each([
    '/t//acme/token',
    '/t/acme/../acme/token',
    '/t/%61cme/token',
    '/T/acme/token',
    '//t/acme/token',
    '/t/acme/token/',
  ])('exact match of configured issuers: %s is 404', async (path) => {
    expect(statusOf(await exchange(issuer.server.port, request(`POST ${path}`, [host(), 'Content-Length: 0'])))).toBe(
      404,
    )
  })

  it('the Host header is compared without regard to case, and to nothing else', async () => {
    const tenant = issuer.add('upper', 'ES256')
    issuer.service.tenants.set('http://upper.example/t/upper', tenant)
    const status = async (value: string) =>
      statusOf(await exchange(issuer.server.port, request('GET /t/upper/.well-known/jwks.json', [`Host: ${value}`])))
    expect(await status('UPPER.example')).toBe(200)
    expect(await status('upper.example.')).toBe(404)
    expect(await status('upper.example:80')).toBe(404)
  })

  it('RFC 9112 section 3.2: no Host, two, or a malformed one is 400', async () => {
    const line = 'GET /t/acme/.well-known/jwks.json'
    for (const headers of [[], [host(), host()], ['Host: a b'], ['Host: a@b'], ['Host: [::1'], ['Host:']])
      expect(statusOf(await exchange(issuer.server.port, request(line, headers))), headers.join()).toBe(400)
    expect(statusOf(await exchange(issuer.server.port, `${line} HTTP/1.0\r\n\r\n`))).toBe(400)
    expect(statusOf(await exchange(issuer.server.port, request('GET http://x/token', [host()])))).toBe(400)
  })

  it('what is read from the store first is served as what is in memory', async () => {
    const { find } = issuer.service
    issuer.service.find = async (...asked) => find(...asked)
    const { issuer: iss } = issuer.tenant('acme')
    const statuses = async (base: string) => [
      (await fetch(`${base}/.well-known/jwks.json`)).status,
      (await fetch(`${base}/token`)).status,
    ]
    expect(await statuses(iss)).toEqual([200, 405])
    expect(await statuses(`${issuer.server.url}/t/nobody`)).toEqual([404, 404])
    issuer.service.find = async () => {
      throw new Error('canary')
    }
    expect(await statuses(iss)).toEqual([500, 500])
    issuer.service.find = find
    expect(issuer.log.join()).not.toContain('canary')
  })

  it('health, readiness and metrics are nothing that the public listener knows', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/t/acme/healthz', '/t/acme/metrics'])
      expect((await fetch(issuer.server.url + path)).status, path).toBe(404)
  })

  it('a tenant added while serving is found at once, and a removed one is gone at once', async () => {
    const tenant = issuer.add('late', 'ES256')
    const status = async () => (await fetch(`${tenant.issuer}/.well-known/jwks.json`)).status
    expect(await status()).toBe(200)
    issuer.service.tenants.delete(tenant.issuer)
    expect(await status()).toBe(404)
  })
})

describe('methods', () => {
  it.each([
    ['/.well-known/jwks.json', 'GET, HEAD'],
    ['/.well-known/jwks.jwt', 'GET, HEAD'],
    ['/.well-known/openid-configuration', 'GET, HEAD'],
    ['/.well-known/historical-keys.jwt', 'GET, HEAD'],
    ['/token', 'POST'],
    ['/introspect', 'POST'],
  ])('RFC 9110 section 15.5.6: %s answers 405 with Allow: %s', async (path, allow) => {
    const all = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']
    for (const method of all.filter((one) => !allow.split(', ').includes(one))) {
      const response = await fetch(issuer.tenant('acme').issuer + path, { method })
      expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, allow])
    }
  })

  it('HEAD answers as GET, without the body', async () => {
    issuer.tenant('acme').historical = 'e30.e30.e30'
    for (const file of ['jwks.json', 'jwks.jwt', 'historical-keys.jwt', 'openid-configuration']) {
      const path = `/.well-known/${file}`
      const [get, head] = await Promise.all(
        ['GET', 'HEAD'].map((method) => fetch(issuer.tenant('acme').issuer + path, { method })),
      )
      expect(head?.status).toBe(200)
      expect(head?.headers.get('content-length')).toBe(String((await get?.arrayBuffer())?.byteLength))
      expect(await head?.text()).toBe('')
    }
  })
})

describe('staying up', () => {
  it('security headers stand on every answer', async () => {
    for (const path of [
      '/t/acme/.well-known/jwks.json',
      '/t/acme/token',
      '/nothing',
      '/t/acme/.well-known/openid-configuration',
    ]) {
      const { headers } = await fetch(issuer.server.url + path)
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('content-security-policy'), path).toContain("default-src 'none'")
    }
  })

  it('no internal message reaches a client: a failing service is a plain 500, and one line in the log', async () => {
    const tenant = issuer.add('broken', 'ES256')
    tenant.client = () => {
      throw new Error('canary: SELECT secret FROM clients')
    }
    const { status, body } = await askToken(tenant, GRANT, { Authorization: tenant.basic() })
    expect([status, body]).toEqual([500, { error: 'server_error' }])
    expect(issuer.log.at(-1)).toMatch(/^broken token: .*\(internal\)$/)
    expect(issuer.log.join()).not.toContain('canary')
    await alive()
  })

  it.each([
    ['not HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01', 400],
    ['a bad request line', 'GET /\r\n\r\n', 400],
    ['a control character in a header', 'GET / HTTP/1.1\r\nHost: a\x01b\r\n\r\n', 400],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', 400],
    ['two lengths', 'POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'length and chunks',
      'POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a bad chunk', 'POST /t/acme/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
    ['headers of more than 8 KB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`, 431],
    ['a target of more than 8 KB', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ])('%s is refused in fixed words', async (_what, bytes, status) => {
    const ours = bytes.replace('Host: a\r\n', `${host()}\r\n`)
    const response = await exchange(issuer.server.port, Buffer.from(ours, 'latin1'))
    expect(statusOf(response)).toBe(status)
    expect(response).not.toMatch(/Error|HPE_|node|fastify|\.ts/)
    await alive()
  })

  it('slow headers are cut off', async () => {
    const response = await exchange(issuer.server.port, 'GET /t/acme/token HTTP/1.1\r\nHost: 127', 4000)
    expect(statusOf(response)).toBe(408)
    await alive()
  })

  it('a client that asks and asks but never reads is cut off', async () => {
    let served = 0
    const observer = { ...NO_OBSERVER, served: () => served++ }
    const limits = { idleTimeout: 300, keepAliveTimeout: 5000 }
    const slow = await startIssuer(['initech'], limits, { observer })
    const line = `GET /t/initech/.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1:${slow.server.port}\r\n\r\n`
    const socket = connect(slow.server.port, '127.0.0.1')
      .pause()
      .on('error', () => {})
    socket.write(line.repeat(50_000))
    // Until the server can write no more, and then longer than it waits.
    for (let before = -1; before !== served; await new Promise((resolve) => setTimeout(resolve, 800))) before = served
    expect(served).toBeGreaterThan(0)
    let received = 0
    socket.on('data', (chunk) => {
      received += chunk.length
    })
    await new Promise((resolve) => socket.on('close', resolve).resume())
    expect(received).toBeLessThan(50_000 * 600)
    await slow.server.close()
  })

  it('RFC 9112 section 3.2: a second Host behind two thousand headers is found', async () => {
    const many = `GET /t/acme/.well-known/jwks.json HTTP/1.1\r\n${host()}\r\n${'a:\r\n'.repeat(2000)}Host: b\r\n\r\n`
    expect(many.length).toBeLessThan(8 * 1024)
    expect(statusOf(await exchange(issuer.server.port, many))).toBe(400)
  })

  it('a connection that says nothing is cut off', async () => {
    const started = performance.now()
    await new Promise((resolve) => connect(issuer.server.port, '127.0.0.1').on('close', resolve).resume())
    expect(performance.now() - started).toBeLessThan(4000)
  })
})

describe('starting and stopping', () => {
  it('port in use: port-in-use, and the other server is untouched', async () => {
    const listen = { host: '127.0.0.1', port: issuer.server.port }
    await expect(createIssuerServer(new TestService(), { listen })).rejects.toMatchObject({ code: 'port-in-use' })
    await alive()
  })

  it('an address that is not ours is config-invalid', async () => {
    const listen = { host: '192.0.2.1', port: 0 }
    await expect(createIssuerServer(new TestService(), { listen })).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('more connections than the cap are dropped, and served again when others leave', async () => {
    const small = await startIssuer(['initech'], { connections: 2 })
    const held = [1, 2].map(() => connect(small.server.port, '127.0.0.1'))
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.on('connect', resolve))))
    const line = 'GET /t/initech/.well-known/jwks.json'
    const headers = [`Host: 127.0.0.1:${small.server.port}`]
    expect(await exchange(small.server.port, request(line, headers))).toBe('')
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.on('close', resolve).destroy())))
    await expect.poll(async () => statusOf(await exchange(small.server.port, request(line, headers)))).toBe(200)
    await small.server.close()
  })

  it('close() lets a request in flight finish, then refuses', async () => {
    const closing = await startIssuer(['initech'])
    const { port } = closing.server
    const body = 'grant_type=client_credentials'
    const head = request('POST /t/initech/token', [
      `Host: 127.0.0.1:${port}`,
      `Authorization: ${closing.tenant('initech').basic()}`,
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${body.length}`,
    ])
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString()
    })
    socket.write(head + body.slice(0, 5))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const closed = closing.server.close()
    socket.write(body.slice(5))
    await closed
    await expect.poll(() => statusOf(received)).toBe(200)
    await expect(fetch(closing.server.url)).rejects.toThrow()
  })

  it('close() does not wait for connections that were to be kept alive', async () => {
    const closing = await startIssuer(['initech'])
    const tenant = closing.tenant('initech')
    const waiting: (() => void)[] = []
    tenant.record = () => new Promise((resolve) => waiting.push(resolve))
    const answer = askToken(tenant, GRANT, { Authorization: tenant.basic() })
    await expect.poll(() => waiting.length).toBe(1)
    const started = performance.now()
    const closed = closing.server.close()
    for (const written of waiting) written()
    expect((await answer).status).toBe(200)
    await closed
    expect(performance.now() - started).toBeLessThan(4000)
  })
})
