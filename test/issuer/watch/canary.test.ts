import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { openFront } from '../../../electron/issuer/serving/front.ts'
import { createLog } from '../../../electron/issuer/watch/log.ts'
import { createMetrics } from '../../../electron/issuer/watch/metrics.ts'
import { makeServing, makeTenant, makeVault } from '../fixtures.ts'

/** A real runtime behind a real server, with everything logged: what clients send and get is in no line and no metric. */

async function serving() {
  const { runtime } = await makeServing(await makeVault(), [makeTenant('acme')])
  await runtime.tick()
  const client = { clientId: 'api', method: 'client_secret_basic' as const, audiences: ['https://api'] }
  const { secret } = await runtime.clients.add('acme', client, 'test')
  const told = {
    text: '',
    write(line: string) {
      this.text += line
    },
  }
  const log = createLog({ level: 'debug', runtime: 'eu-one', stream: told })
  const look = async () => ({ status: await runtime.status(), facts: null, ready: true })
  const metrics = createMetrics({ look })
  const front = await openFront(runtime, { host: '127.0.0.1', port: 0 }, metrics, log)
  onTestFinished(() => front.close())
  /** With a Host header of its own, which fetch does not allow. */
  const ask = (path: string, headers: Record<string, string>, body = '') =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const method = body === '' ? 'GET' : 'POST'
      const sent = request(`${front.url}${path}`, { method, headers, agent: false }, async (answer) => {
        resolve({ status: answer.statusCode ?? 0, body: await text(answer) })
      })
      sent.on('error', reject).end(body)
    })
  return { ask, told, metrics, secret: secret ?? '' }
}

it('no token, secret, assertion or header of a request gets into a log line or a metric', async () => {
  const { ask, told, metrics, secret } = await serving()
  const form = 'application/x-www-form-urlencoded'
  const host = { host: 'acme.example.com', 'content-type': form }
  const basic = (id: string, password: string) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`
  const good = { ...host, authorization: basic('api', secret) }
  const answers = [
    await ask('/token', good, 'grant_type=client_credentials&audience=https%3A%2F%2Fapi'),
    await ask('/token', { ...host, authorization: basic('api', 'canary') }, 'grant_type=client_credentials'),
    await ask('/token', { ...host, authorization: 'Bearer canary' }, 'grant_type=canary'),
    await ask('/token', host, `grant_type=client_credentials&client_assertion=canary&client_assertion_type=canary`),
    await ask('/token', host, `client_id=canary&client_secret=canary&grant_type=client_credentials`),
    await ask('/canary', { ...host, cookie: 'canary', 'user-agent': 'canary/1' }),
    await ask('/.well-known/jwks.json', { ...host, 'user-agent': 'canary/1', 'if-none-match': '"canary"' }),
    await ask('/.well-known/jwks.json', { host: 'canary.example.com' }),
  ]
  const token = /"access_token":"([^"]+)"/.exec(answers[0]?.body ?? '')?.[1] ?? ''
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 401, expect.any(Number), 401, 404, 200, 404])
  expect(token.split('.')).toHaveLength(3)
  const scraped = await metrics.text()
  for (const seen of [told.text, scraped]) {
    for (const part of ['canary', secret, basic('api', secret).slice(6), ...token.split('.')])
      expect(seen.includes(part), part.slice(0, 8)).toBe(false)
    expect(seen).toContain('invalid_client')
  }
  expect(scraped).toContain('keyrite_tokens_issued_total{tenant="acme",client="api",algorithm="ES256"} 1')
  expect(scraped).toContain('keyrite_requests_total{tenant="acme",endpoint="jwks.json",status="200"} 1')
  const tenants = new Set([...scraped.matchAll(/tenant="([^"]*)"/g)].map(([, tenant]) => tenant))
  expect([...tenants].sort()).toEqual(['', 'acme'])
})
