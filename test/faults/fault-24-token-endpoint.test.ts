import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { exchange, request, statusOf } from '../issuer/http/raw.ts'
import {
  askToken,
  assertionForm,
  GRANT,
  makeAssertion,
  startIssuer,
  type TestIssuer,
  type TestTenant,
} from '../issuer/http/service.ts'

/** Fault 24: duplicate parameters, two authentications, wrong scope or audience, replay, slow body, oversize, flood. */

let issuer: TestIssuer
let tenant: TestTenant
beforeAll(async () => {
  const limits = { headersTimeout: 500, requestTimeout: 700, checkInterval: 100, connections: 600 }
  issuer = await startIssuer(['initech'], limits)
  tenant = issuer.tenant('initech')
})
afterAll(() => issuer.server.close())

let signatures = 0
beforeEach(() => {
  const [key] = tenant.keys
  if (!key) return
  signatures = 0
  const { signer } = key
  const counting = (input: string) => {
    signatures++
    return signer.sign(input)
  }
  tenant.keys = [{ ...key, signer: { ...signer, sign: counting } }]
  return () => {
    tenant.keys = [key]
  }
})

const ask = (form: Record<string, string> | string, headers: Record<string, string> = {}) =>
  askToken(tenant, form, { Authorization: tenant.basic(), ...headers })

const head = (headers: string[]) =>
  request('POST /t/initech/token', [
    `Host: 127.0.0.1:${issuer.server.port}`,
    'Content-Type: application/x-www-form-urlencoded',
    ...headers,
  ])

describe('fault 24: bad token requests get the errors of RFC 6749 and sign nothing', () => {
  it.each([
    'grant_type=client_credentials&grant_type=client_credentials',
    'grant_type=client_credentials&grant_type=password',
    'grant_type=client_credentials&scope=orders:read&scope=orders:write',
    'grant_type=client_credentials&audience=a&audience=b',
    'grant_type=client_credentials&%67rant_type=client_credentials',
  ])('RFC 6749 section 3.2, parameters MUST NOT be included more than once: %s', async (body) => {
    expect(await ask(body)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect(signatures).toBe(0)
  })

  it('RFC 6749 section 2.3, not more than one authentication method in each request', async () => {
    const key = tenant.addKeyClient('double', 'ES256')
    const secret = { client_id: 'post', client_secret: tenant.secretOf('post') }
    const assertion = assertionForm(await makeAssertion(tenant, 'double', key))
    const basic = { Authorization: tenant.basic() }
    const attempts = [
      askToken(tenant, { ...GRANT, ...secret }, basic),
      askToken(tenant, { ...GRANT, client_id: 'basic', client_secret: tenant.secretOf('basic') }, basic),
      askToken(tenant, assertion, basic),
      askToken(tenant, { ...assertion, ...secret }),
      askToken(tenant, { ...assertion, ...secret }, basic),
    ]
    for (const attempt of await Promise.all(attempts))
      expect(attempt).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect([signatures, tenant.used.size]).toEqual([0, 0])
  })

  it('two Authorization headers are invalid_request, whichever of them is right', async () => {
    const good = `Authorization: ${tenant.basic()}`
    const bad = `Authorization: ${tenant.basic('basic', 'wrong')}`
    const body = 'grant_type=client_credentials'
    for (const pair of [
      [good, bad],
      [bad, good],
      [good, good],
    ]) {
      const response = await exchange(issuer.server.port, head([...pair, `Content-Length: ${body.length}`]) + body)
      expect(statusOf(response)).toBe(400)
      expect(response).toContain('"invalid_request"')
    }
    expect(signatures).toBe(0)
  })

  it.each([
    'admin',
    'orders:read admin',
    'orders:read  orders:write',
    ' orders:read',
    'orders:read orders:read',
    'ORDERS:READ',
    '*',
  ])('RFC 6749 section 3.3, a scope beyond the client\'s or malformed is invalid_scope: "%s"', async (scope) => {
    expect(await ask({ ...GRANT, scope })).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
    expect(signatures).toBe(0)
  })

  it.each([
    'https://evil.example',
    'https://api.example.com/',
    'HTTPS://API.EXAMPLE.COM',
    'https://api.example.com https://other.example.com',
  ])("RFC 8707 section 2, an audience that is not the client's is invalid_target: %s", async (target) => {
    for (const name of ['audience', 'resource'])
      expect(await ask({ ...GRANT, [name]: target })).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
    expect(signatures).toBe(0)
  })

  it('audience and resource together are refused', async () => {
    const both = { ...GRANT, audience: 'https://api.example.com', resource: 'https://api.example.com' }
    expect(await ask(both)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  it('RFC 7523 section 3, a replayed assertion is refused: of twenty at once, one token', async () => {
    const key = tenant.addKeyClient('replay', 'ES256')
    const form = assertionForm(await makeAssertion(tenant, 'replay', key))
    const answers = await Promise.all(Array.from({ length: 20 }, () => askToken(tenant, form)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ body }) => body.error === 'invalid_client')).toHaveLength(19)
    expect(signatures).toBe(1)
  })
})

describe('fault 24: bounded time and memory', () => {
  it('a slow body is cut off with 408', async () => {
    const begun = head([`Authorization: ${tenant.basic()}`, 'Content-Length: 100'])
    expect(statusOf(await exchange(issuer.server.port, `${begun}grant_type`, 4000))).toBe(408)
    expect(signatures).toBe(0)
  })

  it('no body at all, with and without its length, is an invalid request at once', async () => {
    for (const length of [[], ['Content-Length: 0']]) {
      const response = await exchange(issuer.server.port, head([`Authorization: ${tenant.basic()}`, ...length]))
      expect(statusOf(response)).toBe(400)
      expect(response).toContain('"invalid_request"')
    }
    expect(signatures).toBe(0)
  })

  it('a body over 16 KB is 413, told by its length before it is read', async () => {
    expect(statusOf(await exchange(issuer.server.port, head(['Content-Length: 1000000000'])))).toBe(413)
  })

  it('a chunked body over 16 KB is 413, however it goes on', async () => {
    const chunk = `2000\r\n${'a'.repeat(0x2000)}\r\n`
    expect(statusOf(await exchange(issuer.server.port, head(['Transfer-Encoding: chunked']) + chunk.repeat(8)))).toBe(
      413,
    )
  })

  it('a compressed body is not unpacked', async () => {
    const zipped = gzipSync('grant_type=client_credentials').toString('latin1')
    const headers = [`Authorization: ${tenant.basic()}`, 'Content-Encoding: gzip', `Content-Length: ${zipped.length}`]
    const response = await exchange(issuer.server.port, Buffer.from(head(headers) + zipped, 'latin1'))
    expect(statusOf(response)).toBe(400)
    expect(signatures).toBe(0)
  })

  it('a flood of half-open requests is cut off, does not grow the heap, and honest requests are served after it', async () => {
    const sockets: Socket[] = []
    const before = process.memoryUsage().heapUsed
    for (let at = 0; at < 250; at++) {
      const socket = connect(issuer.server.port, '127.0.0.1').on('error', () => {})
      socket.write(`${head(['Content-Length: 16000'])}${'a'.repeat(8000)}`)
      sockets.push(socket)
    }
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))))
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024)
    expect((await ask(GRANT)).status).toBe(200)
  })

  it('requests wait while the issuance log does not answer, and get their tokens when it does', async () => {
    const { record } = tenant
    let release = () => {}
    const answering = new Promise<void>((resolve) => (release = resolve))
    tenant.record = () => answering
    const waiting = Array.from({ length: 100 }, () => ask(GRANT))
    await expect.poll(() => signatures).toBe(100)
    release()
    tenant.record = record
    expect((await Promise.all(waiting)).every(({ status }) => status === 200)).toBe(true)
  })

  it('a flood of wrong secrets gets its 401s; nothing is signed, and an honest client gets its token', async () => {
    const bad = Array.from({ length: 400 }, (_, at) =>
      askToken(tenant, GRANT, { Authorization: tenant.basic(`nobody-${at}`, 'x') }),
    )
    const good = ask(GRANT)
    for (const { status } of await Promise.all(bad)) expect(status).toBe(401)
    expect((await good).status).toBe(200)
    expect(signatures).toBe(1)
    expect(issuer.log).toEqual([])
  })
})
