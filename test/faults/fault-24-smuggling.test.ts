import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { request } from '../issuer/http/raw.ts'
import { startIssuer, type TestIssuer } from '../issuer/http/service.ts'
import { answersIn, converse } from './sockets.ts'

/** Fault 24: requests whose length two servers could read differently (RFC 9112 section 11.2), and pipelined ones. */

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await startIssuer(['initech', 'wayne'], { headersTimeout: 2000, requestTimeout: 2500, checkInterval: 100 })
})
afterAll(() => issuer.server.close())

const host = () => `Host: 127.0.0.1:${issuer.server.port}`
const FORM = 'Content-Type: application/x-www-form-urlencoded'
/** What must not be answered: it is the body of the request before it, or follows one that is refused. */
const hidden = () => `GET /t/wayne/.well-known/jwks.json HTTP/1.1\r\n${host()}\r\n\r\n`
const post = (lines: string[], body: string) =>
  `POST /t/initech/token HTTP/1.1\r\n${[host(), FORM, ...lines].join('\r\n')}\r\n\r\n${body}`
const TE = 'Transfer-Encoding: chunked'

const AMBIGUOUS: [string, string[], string][] = [
  ['Content-Length and Transfer-Encoding', ['Content-Length: 5', TE], '0\r\n\r\n'],
  ['Transfer-Encoding and Content-Length', [TE, 'Content-Length: 5'], '0\r\n\r\n'],
  ['two lengths', ['Content-Length: 0', 'Content-Length: 60'], ''],
  ['the same length twice', ['Content-Length: 0', 'Content-Length: 0'], ''],
  ['a list of lengths', ['Content-Length: 0, 60'], ''],
  ['a length with a sign', ['Content-Length: +0'], ''],
  ['a negative length', ['Content-Length: -1'], ''],
  ['a hexadecimal length', ['Content-Length: 0x0'], ''],
  ['a length with a space inside', ['Content-Length: 1 0'], ''],
  ['an empty length', ['Content-Length:'], ''],
  ['a length over 2^64', ['Content-Length: 18446744073709551616'], ''],
  ['chunked twice', [TE, TE], '0\r\n\r\n'],
  ['chunked not last', ['Transfer-Encoding: chunked, gzip'], '0\r\n\r\n'],
  ['chunked after identity', ['Transfer-Encoding: identity', TE, 'Content-Length: 0'], '0\r\n\r\n'],
  ['an unknown coding', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'],
  ['a coding in quotes', ['Transfer-Encoding: "chunked"'], '0\r\n\r\n'],
  ['a space before the colon', ['Transfer-Encoding : chunked'], '0\r\n\r\n'],
  ['a vertical tab before the coding', ['Transfer-Encoding:\u000bchunked'], '0\r\n\r\n'],
  ['a folded header', ['X: a', ' Transfer-Encoding: chunked'], ''],
  ['a bare line feed in a header', ['X: a\nTransfer-Encoding: chunked'], '0\r\n\r\n'],
  ['a bare carriage return in a header', ['X: a\rTransfer-Encoding: chunked'], '0\r\n\r\n'],
  ['NUL in a header', ['X: a\u0000b'], ''],
  ['a header without a name', [': x'], ''],
  ['a chunk size that is no number', [TE], 'z\r\n\r\n'],
  ['a chunk size with a sign', [TE], '+0\r\n\r\n'],
  ['a chunk size with 0x', [TE], '0x0\r\n\r\n'],
  ['a chunk size over 2^64', [TE], '10000000000000000\r\n'],
  ['a chunk that is longer than it says', [TE], '1\r\naa\r\n0\r\n\r\n'],
  ['a chunk that ends in a bare line feed', [TE], '1\r\na\n0\r\n\r\n'],
  ['a chunk size that ends in a bare line feed', [TE], '1\na\r\n0\r\n\r\n'],
  ['a line feed in a chunk extension', [TE], '1;a\nb\r\na\r\n0\r\n\r\n'],
  ['a length beside chunks, in a trailer', [TE], '0\r\nContent-Length: 5\r\nX : y\r\n\r\n'],
]

describe('fault 24: ambiguous requests', () => {
  it.each(AMBIGUOUS)('%s: one refusal, and what follows is never answered', async (_what, lines, body) => {
    const answers = answersIn(await converse(issuer.server.port, post(lines, body) + hidden()))
    expect(answers.map(({ status }) => status)).toEqual([400])
    expect(answers[0]?.head.toLowerCase()).toContain('connection: close')
  })

  it.each([
    ['HTTP/0.9', 'GET /t/wayne/.well-known/jwks.json\r\n\r\n'],
    ['HTTP/2 in the clear', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version that does not exist', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['a method that does not exist', 'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['NUL in the path', 'GET /\u0000 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['CONNECT', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n'],
  ])('%s is refused or dropped', async (_what, bytes) => {
    const answers = answersIn(await converse(issuer.server.port, Buffer.from(bytes, 'latin1')))
    for (const { status } of answers) expect(status).toBe(400)
    expect(answers.length).toBeLessThanOrEqual(1)
  })

  it.each([
    ['an address in place of a path', () => `GET http://evil.example/t/wayne/.well-known/jwks.json`],
    ['an asterisk', () => 'OPTIONS *'],
    ['a path of two slashes', () => 'GET //t/wayne/.well-known/jwks.json'],
    ['a path with a fragment', () => 'GET /t/wayne/.well-known/jwks.json#x'],
    ['an encoded slash', () => 'GET /t%2fwayne/.well-known/jwks.json'],
    ['dots', () => 'GET /t/initech/../wayne/.well-known/jwks.json'],
  ])('%s leads to no tenant', async (_what, line) => {
    const answers = answersIn(await converse(issuer.server.port, request(line(), [host()])))
    expect(answers).toHaveLength(1)
    expect([400, 404]).toContain(answers[0]?.status)
  })

  it('an upgrade is not made: the request is answered as HTTP/1.1', async () => {
    for (const upgrade of ['h2c', 'websocket']) {
      const lines = [host(), `Upgrade: ${upgrade}`, 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']
      const [answer] = answersIn(
        await converse(issuer.server.port, request('GET /t/wayne/.well-known/jwks.json', lines)),
      )
      expect(answer?.status).toBe(200)
    }
  })

  it('a body that GET brings along is read as its body, not as the next request', async () => {
    const inner = hidden()
    const outer = `GET /t/initech/.well-known/jwks.json HTTP/1.1\r\n${host()}\r\nContent-Length: ${inner.length}\r\n\r\n`
    const answers = answersIn(await converse(issuer.server.port, outer + inner + hidden()))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    const kids = ['initech', 'wayne'].map((name) => issuer.tenant(name as 'initech').keys[0]?.published.kid)
    expect(answers.map(({ body }) => JSON.parse(body).keys[0].kid)).toEqual(kids)
  })
})

describe('fault 24: pipelined requests', () => {
  it('two hundred at once are answered in order, each for its own tenant', async () => {
    const names = ['initech', 'wayne'] as const
    const order = Array.from({ length: 200 }, (_, at) => names[(at * 7) % 3 === 0 ? 0 : 1] ?? 'wayne')
    const form = 'grant_type=client_credentials'
    const bytes = order.map((name, at) => {
      if (at % 5 > 0) return `GET /t/${name}/.well-known/jwks.json HTTP/1.1\r\n${host()}\r\n\r\n`
      const lines = [host(), FORM, `Authorization: ${issuer.tenant(name).basic()}`, `Content-Length: ${form.length}`]
      return `POST /t/${name}/token HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${form}`
    })
    const answers = answersIn(await converse(issuer.server.port, bytes.join('')))
    const seen = answers.map(({ body }) => {
      const { keys, access_token } = JSON.parse(body)
      const kid = keys?.[0].kid ?? JSON.parse(Buffer.from(access_token.split('.')[0], 'base64url').toString()).kid
      return names.find((name) => issuer.tenant(name).keys[0]?.published.kid === kid)
    })
    expect(seen).toEqual(order)
  })

  it('what is pipelined behind a refused request is not answered', async () => {
    const big = post(['Content-Length: 1000000'], 'a'.repeat(1000)) + hidden()
    const answers = answersIn(await converse(issuer.server.port, big))
    expect(answers.map(({ status }) => status)).toEqual([413])
    const broken = answersIn(await converse(issuer.server.port, `${hidden()}garbage\r\n\r\n${hidden()}`))
    expect(broken.map(({ status }) => status)).toEqual([200, 400])
  })
})
