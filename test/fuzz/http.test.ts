import { createPrivateKey } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { createOpsServer } from '../../electron/issuer/http/ops.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { servedRuntime } from '../faults/served.ts'
import { answersIn, converse, type RawAnswer } from '../faults/sockets.ts'
import { makeKey, T0 } from '../issuer/fixtures.ts'
import { ASSERTION_TYPE } from '../issuer/http/service.ts'
import { ask } from '../issuer/serving/ask.ts'
import { compact } from '../vectors/jose/tokens.ts'
import { bytesOf, mutateRequest, type Request } from './http-requests.ts'
import { rounds, TIMEOUT } from './rounds.ts'

/** Whatever is sent to the listeners: an answer that is foreseen, valid JSON, no hang, and nothing of it in the log. */

const STATUSES = [200, 304, 400, 401, 403, 404, 405, 408, 413, 417, 429, 431]
/** Refusals of Node's parser, which never become a request. */
const BARE = [400, 408, 417, 431]

function check({ status, head, body }: RawAnswer, statuses: readonly number[]): void {
  if (!statuses.includes(status)) throw new Error(`status ${status}: ${body.slice(0, 200)}`)
  const isJson = /\r\ncontent-type: application\/json/i.test(head)
  if (status >= 400 && !isJson && !BARE.includes(status)) throw new Error(`status ${status} is not JSON`)
  if (!isJson || body === '') return
  const parsed: unknown = JSON.parse(body)
  const named = typeof parsed === 'object' && parsed !== null && 'error' in parsed && typeof parsed.error === 'string'
  if (status >= 400 && status !== 503 && !named) throw new Error(`status ${status} names no error`)
}

const FORM: [string, string] = ['Content-Type', 'application/x-www-form-urlencoded']
const DOCUMENTS = ['openid-configuration', 'oauth-authorization-server', 'jwks.json', 'jwks.jwt', 'historical-keys.jwt']

async function world() {
  const made = await servedRuntime(['acme', 'beta'])
  const { jwk, pkcs8 } = makeKey('ES256')
  const request = { clientId: 'key', method: 'private_key_jwt' as const, audiences: ['https://api.example.com'] }
  const kid = thumbprint(jwk)
  await made.runtime.clients.add(
    'acme',
    { ...request, jwks: [{ ...jwk, kid, alg: 'ES256' as const }], introspects: true },
    'test',
  )
  const token: string = JSON.parse((await made.token('acme')).body).access_token
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  const host: [string, string] = ['Host', 'acme.example.com']
  const assertion = (jti: string) =>
    compact({
      alg: 'ES256',
      header: { alg: 'ES256', kid },
      claims: { iss: 'key', sub: 'key', aud: 'https://acme.example.com', iat: T0, exp: T0 + 300, jti },
      privateKey,
    })
  const asserted = (jti: string) =>
    `client_assertion_type=${encodeURIComponent(ASSERTION_TYPE)}&client_assertion=${assertion(jti)}`
  const post = (path: string, body: string, headers: [string, string][] = []): Request => ({
    method: 'POST',
    path,
    headers: [host, FORM, ...headers],
    body,
  })
  const basic: [string, string] = ['Authorization', made.basic('acme')]
  const secret = made.secrets.get('acme') ?? ''
  /** One of the good requests, each of its own kind. */
  const goods: ((at: number) => Request)[] = [
    ...DOCUMENTS.map((one) => () => ({ method: 'GET', path: `/.well-known/${one}`, headers: [host], body: '' })),
    () => post('/token', 'grant_type=client_credentials&audience=https%3A%2F%2Fapi.example.com', [basic]),
    () => post('/token', `grant_type=client_credentials&client_id=canary&client_secret=canary-${secret.slice(0, 4)}`),
    (at) => post('/token', `grant_type=client_credentials&${asserted(`t${at}`)}`),
    (at) => post('/introspect', `token=${token}&${asserted(`i${at}`)}`),
    () => post('/introspect', `token=${token}&token_type_hint=access_token`, [basic]),
  ]
  return { ...made, tokenOf: made.token, goods, token, secret, port: Number(new URL(made.url).port) }
}

it(
  'the public listener',
  async () => {
    const made = await world()
    const { goods, port, told, token, url, runtime, picture, secret } = made
    const before = await picture()
    const untouched: (number | undefined)[] = []
    for (const good of goods) {
      const { method, path, headers, body } = good(1_000_000_000)
      const own: [string, string][] = [...headers, ['Content-Length', String(body.length)], ['Connection', 'close']]
      const lines = own.map(([name, value]) => `${name}: ${value}`).join('\r\n')
      const reply = await converse(port, `${method} ${path} HTTP/1.1\r\n${lines}\r\n\r\n${body}`, { quiet: 2000 })
      untouched.push(answersIn(reply)[0]?.status)
    }
    expect(untouched).toEqual([200, 200, 200, 200, 404, 200, 401, 200, 200, 403])
    const seen = new Set<number>()
    await rounds(
      'public listener',
      async (random, at) => {
        const parts = Array.from({ length: random.chance(0.2) ? 3 : 1 }, () => {
          return bytesOf(random, mutateRequest(random, random.pick(goods)(at)))
        })
        for (const answer of answersIn(await converse(port, Buffer.concat(parts)))) {
          check(answer, STATUSES)
          seen.add(answer.status)
        }
      },
      { atOnce: 64 },
    )
    // The cases reach the endpoints and are not all stopped at the door.
    for (const status of [200, 400, 401, 404, 405]) expect(seen).toContain(status)
    expect(await picture()).toBe(before)
    expect((await made.tokenOf('acme')).status).toBe(200)
    const log = told.join('')
    for (const canary of ['canary', secret, token.slice(0, 40), token.split('.')[2] ?? ''])
      expect(log).not.toContain(canary)
    expect(log).not.toContain('request-failed')
    expect((await runtime.status()).tenants).toHaveLength(2)
    expect((await ask(url, { host: 'acme.example.com', path: '/.well-known/jwks.json' })).status).toBe(200)
  },
  TIMEOUT,
)

it(
  'the listener for health and metrics',
  async () => {
    const server = await createOpsServer({ listen: { port: 0 }, ready: () => [], metrics: () => 'up 1\n' })
    onTestFinished(() => server.close())
    const paths = ['/healthz', '/readyz', '/metrics', '/']
    await rounds(
      'health and metrics',
      async (random) => {
        const good: Request = {
          method: 'GET',
          path: random.pick(paths),
          headers: [
            ['Host', 'x'],
            ['Accept', '*/*'],
          ],
          body: '',
        }
        const bytes = bytesOf(random, mutateRequest(random, good))
        for (const answer of answersIn(await converse(server.port, bytes))) check(answer, STATUSES)
      },
      { atOnce: 64 },
    )
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await fetch(`${server.url}${path}`)).status).toBe(200)
  },
  TIMEOUT,
)
