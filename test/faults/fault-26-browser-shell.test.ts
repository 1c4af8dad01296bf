import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApp } from '../../electron/app/app.ts'
import type { Reason } from '../../electron/loopback/refusals.ts'
import { METHOD_NAMES } from '../../shared/contract/contract.ts'
import {
  type Asked,
  ask,
  buildTestWindow,
  claim,
  enter,
  OWN,
  openStream,
  own,
  startShell,
  type TestShell,
} from '../loopback/world.ts'

/**
 * Fault 26, for the browser shell: socket calls from a wrong frame, origin, host, with wrong types, huge, of an unknown
 * method [refused, recorded]. Nothing of it may reach the app.
 */

let files: { folder: string; remove: () => void }
let test: TestShell
beforeAll(async () => {
  files = await buildTestWindow()
})
afterAll(() => files.remove())
beforeEach(async () => {
  test = await startShell({ files: files.folder, takeover: 100 })
})
afterEach(() => test.shell.close())

describe('a call with everything right but one thing', () => {
  type Good = Required<Asked>
  const good = async (): Promise<Good> => {
    const { cookie, client } = await enter(test)
    const headers = { ...own(test.port), cookie, 'keyrite-client': client }
    return { method: 'POST', path: `/${test.room}/call/hello`, headers, body: '{}' }
  }
  const withHeader = (name: string, value: string | string[] | undefined) => (asked: Good) => {
    const { [name]: _, ...rest } = asked.headers
    return { ...asked, headers: value === undefined ? rest : { ...rest, [name]: value } }
  }

  it('is answered when nothing is wrong', async () => {
    expect((await ask(test.port, await good())).status).toBe(200)
    expect(test.app.calls).toEqual([{ method: 'hello', input: {} }])
    expect([test.shell.refusals(), test.lines]).toEqual([{}, []])
  })

  const wrong: [what: string, reason: Reason, status: number, (asked: Good) => Good][] = [
    ['the host is a name', 'host', 421, (asked) => withHeader('host', `localhost:${test.port}`)(asked)],
    [
      'the host is a name that somebody made lead here',
      'host',
      421,
      (asked) => withHeader('host', `evil.example:${test.port}`)(asked),
    ],
    ['the host has no port', 'host', 421, withHeader('host', '127.0.0.1')],
    ['the host has another port', 'host', 421, withHeader('host', '127.0.0.1:1')],
    ['the host is spelled otherwise', 'host', 421, (asked) => withHeader('host', `127.0.0.1.:${test.port}`)(asked)],
    ['the origin is another port', 'origin', 403, withHeader('origin', 'http://127.0.0.1:1')],
    ['the origin is another site', 'origin', 403, withHeader('origin', 'https://evil.example')],
    ['the origin is that of a file', 'origin', 403, withHeader('origin', 'null')],
    [
      'the origin is a name for here',
      'origin',
      403,
      (asked) => withHeader('origin', `http://localhost:${test.port}`)(asked),
    ],
    ['the origin is secure', 'origin', 403, (asked) => withHeader('origin', `https://127.0.0.1:${test.port}`)(asked)],
    ['there is no origin', 'origin', 403, withHeader('origin', undefined)],
    ['the browser says: another port', 'site', 403, withHeader('sec-fetch-site', 'same-site')],
    ['the browser says: another site', 'site', 403, withHeader('sec-fetch-site', 'cross-site')],
    ['the browser says: the person', 'site', 403, withHeader('sec-fetch-site', 'none')],
    ['no browser says anything', 'site', 403, withHeader('sec-fetch-site', undefined)],
    ['there is no cookie', 'session', 401, withHeader('cookie', undefined)],
    ['the cookie is forged', 'session', 401, withHeader('cookie', `keyrite=${'A'.repeat(43)}`)],
    [
      'there are two cookies',
      'session',
      401,
      (asked) => withHeader('cookie', `keyrite=x; ${asked.headers['cookie']}`)(asked),
    ],
    ['the window is not named', 'client', 409, withHeader('keyrite-client', undefined)],
    ['the window is another', 'client', 409, withHeader('keyrite-client', 'A'.repeat(22))],
    ['the content is a form', 'content-type', 415, withHeader('content-type', 'application/x-www-form-urlencoded')],
    ['the content is text', 'content-type', 415, withHeader('content-type', 'text/plain')],
    ['the content type says more', 'content-type', 415, withHeader('content-type', 'application/json; charset=utf-8')],
    ['the content has no type', 'content-type', 415, withHeader('content-type', undefined)],
    ['it is a GET', 'method', 405, (asked) => ({ ...asked, method: 'GET', body: '' })],
    ['it is a PUT', 'method', 405, (asked) => ({ ...asked, method: 'PUT' })],
    ['it is a preflight', 'method', 405, (asked) => ({ ...asked, method: 'OPTIONS', body: '' })],
    [
      'the method does not exist',
      'unknown-method',
      404,
      (asked) => ({ ...asked, path: `/${test.room}/call/eraseAll` }),
    ],
    ['the method is __proto__', 'unknown-method', 404, (asked) => ({ ...asked, path: `/${test.room}/call/__proto__` })],
    [
      'the method is constructor',
      'unknown-method',
      404,
      (asked) => ({ ...asked, path: `/${test.room}/call/constructor` }),
    ],
    ['the method is a path', 'address', 404, (asked) => ({ ...asked, path: `/${test.room}/call/hello/x` })],
    ['the method comes with a query', 'address', 404, (asked) => ({ ...asked, path: `${asked.path}?x` })],
    [
      'the room is another',
      'address',
      404,
      (asked) => ({ ...asked, path: asked.path.replace(test.room, 'A'.repeat(22)) }),
    ],
    ['the body is no JSON', 'malformed', 400, (asked) => ({ ...asked, body: '{' })],
    ['the body is empty', 'malformed', 400, (asked) => ({ ...asked, body: '' })],
    ['the body names a member twice', 'malformed', 400, (asked) => ({ ...asked, body: '{"a":1,"a":2}' })],
    [
      'the body is a thousand levels deep',
      'malformed',
      400,
      (asked) => ({ ...asked, body: '['.repeat(1000) + ']'.repeat(1000) }),
    ],
    ['the body is not UTF-8', 'malformed', 400, (asked) => ({ ...asked, body: Buffer.from('"\xff"', 'latin1') })],
    [
      'the body is larger than its method takes',
      'too-large',
      413,
      (asked) => ({ ...asked, body: JSON.stringify('x'.repeat(17 * 1024)) }),
    ],
  ]
  it.each(wrong)('%s [refused, recorded]', async (_what, reason, status, change) => {
    const answer = await ask(test.port, change(await good()))
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    expect(test.app.calls).toEqual([])
    expect(test.shell.refusals()).toEqual({ [reason]: 1 })
    expect(test.lines).toEqual([expect.stringMatching(/^Refused: /)])
  })

  it.each([
    ['Host', 'host'],
    ['Origin', 'origin'],
    ['Cookie', 'session'],
    ['Content-Type', 'content-type'],
    ['Sec-Fetch-Site', 'site'],
    ['Keyrite-Client', 'client'],
  ])('%s stands there twice [refused, recorded]', async (name, reason) => {
    const { headers, path } = await good()
    const all = Object.entries({
      Host: `127.0.0.1:${test.port}`,
      ...headers,
      'content-length': '2',
      connection: 'close',
    })
    const lines = all.flatMap(([key, value]) =>
      key.toLowerCase() === name.toLowerCase() ? [`${key}: ${value}`, `${key}: ${value}`] : [`${key}: ${value}`],
    )
    const answer = await raw(test.port, [`POST ${path} HTTP/1.1`, ...lines, '', '{}'].join('\r\n'))
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(test.app.calls).toEqual([])
    expect(Object.keys(test.shell.refusals())).toEqual([expect.stringMatching(new RegExp(`^(?:${reason}|not-http)$`))])
  })

  it.each([
    ['a text', '"x"'],
    ['a list', '[]'],
    ['nothing', 'null'],
    ['a member too many', '{"more":1}'],
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['constructor', '{"constructor":{"prototype":{"admin":true}}}'],
  ])(
    'its input is %s, which its method does not take [recorded; the app, which parses it, refuses]',
    async (_what, body) => {
      await ask(test.port, { ...(await good()), body })
      expect(test.shell.refusals()).toEqual({ 'wrong-types': 1 })
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('admin')
      expect(Reflect.get({}, 'admin')).toBeUndefined()
    },
  )

  it('ten megabytes [refused without being read, recorded]', async () => {
    const asked = await good()
    const body = Buffer.alloc(10 * 1024 * 1024, 'x')
    for (const path of [asked.path, `/${test.room}/call/reviewPlan`, `/${test.room}/call/nothing`]) {
      const headers = { ...asked.headers, 'content-length': body.length }
      const answer = await raw(test.port, head(test.port, path, headers), body.subarray(0, 64 * 1024))
      expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    }
    // Without saying how much will come.
    const chunked = head(test.port, asked.path, { ...asked.headers, 'transfer-encoding': 'chunked' })
    const chunk = Buffer.concat([Buffer.from('8000\r\n'), Buffer.alloc(0x8000, 'x'), Buffer.from('\r\n')])
    expect(await raw(test.port, chunked, chunk)).toMatch(/^HTTP\/1\.1 413 /)
    expect(test.app.calls).toEqual([])
    expect(test.shell.refusals()).toEqual({ 'too-large': 4 })
  })

  it('a thousand refusals are one line [recorded]', async () => {
    for (let index = 0; index < 1_000; index++) await ask(test.port, { path: '/' })
    expect(test.shell.refusals()).toEqual({ address: 1_000 })
    expect(test.lines).toHaveLength(1)
  })
})

describe('what is not HTTP, or too much of it', () => {
  it.each([
    ['noise', '\x16\x03\x01\x02\x00\x01\x00'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['two framings', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['headers of 20 kB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ])('%s [cut, recorded]', async (_what, text) => {
    expect(await raw(test.port, text)).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(test.shell.refusals()).toEqual({ 'not-http': 1 })
  })

  it('an upgrade to a WebSocket [refused: there is none]', async () => {
    const { cookie } = await enter(test)
    const headers = { ...OWN, cookie, upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' }
    const answer = await raw(test.port, head(test.port, `/${test.room}/call/hello`, headers, 'GET'))
    expect(answer).toMatch(/^HTTP\/1\.1 405 /)
  })
})

describe('the token', () => {
  const exchange = (token: unknown) =>
    ask(test.port, {
      method: 'POST',
      path: `/${test.room}/session`,
      headers: own(test.port),
      body: JSON.stringify({ token }),
    })

  it('used before [refused, recorded; the session goes on]', async () => {
    const { stream } = await enter(test)
    const again = await exchange(test.token)
    expect([again.status, again.headers['set-cookie']]).toEqual([401, undefined])
    expect(test.shell.refusals()).toEqual({ token: 1 })
    test.app.tell({ tell: 'sitting', sitting: null })
    expect((await stream.next()).event).toBe('notice')
  })

  it('too old [refused, recorded: with the token the whole shell ends]', async () => {
    const late = await startShell({ files: files.folder, tokenLifetime: 60 })
    const closing = Promise.withResolvers<void>()
    late.app.close = () => closing.promise
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await claim(late)).toBe('')
    expect(late.shell.refusals()).toEqual({ ending: 1 })
    closing.resolve()
    expect(await late.shell.ended).toBe('nobody-came')
  })

  it.each([[''], ['x'], [null], [{}], [['a']], [0], ['A'.repeat(43)]])('%j [refused, recorded]', async (token) => {
    expect((await exchange(token)).status).toBe(401)
    expect(test.shell.refusals()).toEqual({ token: 1 })
  })

  it('guessed five hundred times: the right one still works', async () => {
    for (let index = 0; index < 500; index++) await exchange(`guess ${index}`)
    expect((await exchange(test.token)).status).toBe(204)
    expect(test.shell.refusals()).toEqual({ token: 500 })
  })
})

describe('input of wrong types, to the real app', () => {
  it.each([['{"more":1}'], ['[]'], ['"x"'], ['7'], ['null'], ['{"__proto__":{}}']])(
    '%s: every method refuses it, and nothing happens',
    async (body) => {
      const home = join(tmpdir(), `keyrite-fault-26-${randomUUID()}`)
      const app = await createApp({ home, practice: false, shell: 'browser', networks: () => [] })
      const real = await startShell({ files: files.folder, app })
      const { cookie, client } = await enter(real)
      const headers = { ...own(real.port), cookie, 'keyrite-client': client }
      for (const name of METHOD_NAMES) {
        const answer = await ask(real.port, { method: 'POST', path: `/${real.room}/call/${name}`, headers, body })
        expect([name, JSON.parse(answer.body)]).toMatchObject([name, { ok: false, error: { code: 'usage-invalid' } }])
      }
      expect(real.shell.refusals()).toEqual({ 'wrong-types': METHOD_NAMES.length })
      await real.shell.close()
      expect(existsSync(home)).toBe(false)
    },
  )
})

describe('a second client without a browser', () => {
  it('with the cookie, while the window is there [refused, recorded]', async () => {
    const { cookie, stream } = await enter(test)
    const thief = await openStream(test, cookie)
    expect(thief.status).toBe(200)
    expect((await thief.next()).event).toBe('refused')
    await thief.ended
    expect(test.shell.refusals()).toEqual({ client: 1 })
    expect(stream.told.map(({ event }) => event)).not.toContain('end')
  })
})

const head = (port: number, path: string, headers: object, method = 'POST'): string =>
  [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n')

/** Sends bytes, and `more` of them again and again until there is an answer. */
function raw(port: number, text: string, more?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let heard = ''
    const again = () => {
      if (more && heard === '') socket.write(more, again)
    }
    socket.setTimeout(10_000, () => socket.destroy(new Error('No answer within ten seconds.')))
    socket.on('data', (chunk) => {
      heard += chunk
      socket.end()
    })
    // A connection that is cut while we still send counts by what was heard before.
    socket.on('error', (error) => (heard === '' ? reject(error) : resolve(heard)))
    socket.on('close', () => resolve(heard))
    socket.write(text, 'latin1', again)
  })
}
