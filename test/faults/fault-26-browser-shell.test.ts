import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Reason } from '../../electron/loopback/refusals.ts'
import { launchBrowser, openPage } from '../browser/browser.ts'
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

describe('in a real browser that holds the cookie', () => {
  let browser: Browser
  let context: BrowserContext
  let foreign: Server
  let cookiesSent: (string | undefined)[]
  beforeAll(async () => {
    browser = await launchBrowser(['--host-resolver-rules=MAP evil.example 127.0.0.1'])
    foreign = createServer((request, response) => {
      cookiesSent.push(request.headers.cookie)
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Foreign</title>')
    })
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    foreign.close()
    await browser.close()
  })
  afterEach(() => context.close())

  /** A page of another server of this machine, which somehow learned every address; the window is open beside it. */
  const openForeign = async (host = '127.0.0.1') => {
    cookiesSent = []
    const opened = await openPage(browser, test.shell.address)
    context = opened.context
    await opened.page.waitForFunction(() => Reflect.get(window, 'client').call('hello', {}))
    test.app.calls.length = 0
    const page = await context.newPage()
    await page.goto(`http://${host}:${(foreign.address() as AddressInfo).port}/`)
    return { page, window: opened.page, base: `http://127.0.0.1:${test.port}/${test.room}/` }
  }

  it.each(['127.0.0.1', 'localhost', 'evil.example'])(
    'a page of %s on another port cannot call [refused, recorded]',
    async (host) => {
      const { page, window, base } = await openForeign(host)
      const results = await page.evaluate(async (at) => {
        const tried = async (act: () => Promise<unknown>) => act().then(String, () => 'blocked')
        const post = (init: RequestInit) => () =>
          fetch(`${at}call/hello`, { method: 'POST', body: '{}', credentials: 'include', ...init })
        const json = { 'Content-Type': 'application/json' }
        return {
          json: await tried(post({ headers: json })),
          text: await tried(post({})),
          opaque: await tried(async () => (await post({ mode: 'no-cors' })()).type),
          read: await tried(() => fetch(at, { credentials: 'include' })),
          beacon: navigator.sendBeacon(`${at}call/hello`, '{}'),
          stream: await tried(
            () =>
              new Promise((resolve, reject) => {
                const source = new EventSource(`${at}notices`, { withCredentials: true })
                source.onopen = resolve
                source.onerror = () => {
                  source.close()
                  reject()
                }
              }),
          ),
          socket: await tried(
            () =>
              new Promise((resolve, reject) => {
                const socket = new WebSocket(`${at.replace('http', 'ws')}notices`)
                socket.onopen = resolve
                socket.onerror = reject
              }),
          ),
          picture: await tried(
            () =>
              new Promise((resolve, reject) => {
                const image = new Image()
                image.onload = resolve
                image.onerror = reject
                image.src = `${at}notices`
              }),
          ),
        }
      }, base)
      expect(results).toEqual({
        json: 'blocked',
        text: 'blocked',
        opaque: 'blocked',
        read: 'blocked',
        beacon: true,
        stream: 'blocked',
        socket: 'blocked',
        picture: 'blocked',
      })
      await expect.poll(() => test.shell.refusals().origin ?? 0).toBeGreaterThan(3)
      expect(test.app.calls).toEqual([])
      // It was never told the cookie, not even as a neighbour on the same host.
      expect(cookiesSent.filter((cookie) => cookie !== undefined)).toEqual([])
      expect(await window.evaluate(() => Reflect.get(globalThis, 'client').call('hello', {}))).toBeTruthy()
    },
  )

  it('a form of another page cannot call [refused, recorded]', async () => {
    const { page, base } = await openForeign()
    await page.evaluate((at) => {
      const form = document.createElement('form')
      Object.assign(form, { method: 'post', enctype: 'text/plain', action: `${at}call/hello` })
      document.body.append(form)
      form.submit()
    }, base)
    await page.waitForURL(`${base}call/hello`)
    expect(test.app.calls).toEqual([])
    expect(test.shell.refusals()).toEqual({ origin: 1 })
  })

  it('another page cannot show it in a frame, and cannot reach a window that it opened [refused, recorded]', async () => {
    const { page, base } = await openForeign()
    const reached = await page.evaluate(async (at) => {
      const frame = document.createElement('iframe')
      frame.src = at
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve))
      document.body.append(frame)
      await loaded
      const opened = window.open(at)
      await new Promise((resolve) => setTimeout(resolve, 500))
      try {
        return [frame.contentDocument?.title ?? 'unreadable', opened?.document.title ?? 'unreadable']
      } catch {
        return ['unreadable']
      }
    }, base)
    expect(reached.filter((title) => title === 'Test window')).toEqual([])
    expect(test.app.calls).toEqual([])
    expect(test.shell.refusals().site).toBeGreaterThanOrEqual(2)
  })

  it('a name that somebody made lead here shows nothing [refused, recorded]', async () => {
    const { page } = await openForeign()
    const answer = await page.goto(`http://evil.example:${test.port}/${test.room}/`)
    expect(answer?.status()).toBe(421)
    expect(await page.title()).not.toBe('Test window')
    expect(test.shell.refusals().host).toBeGreaterThanOrEqual(1)
  })

  it('a second window beside the first cannot call, although it has the cookie [refused, recorded]', async () => {
    const { base } = await openForeign()
    const second = await context.newPage()
    await second.goto(`${base}stale`)
    const status = await second.evaluate(async (at) => {
      const headers = { 'Content-Type': 'application/json', 'Keyrite-Client': 'A'.repeat(22) }
      return fetch(`${at}call/hello`, { method: 'POST', body: '{}', headers }).then(
        ({ status }) => status,
        () => 'blocked',
      )
    }, base)
    // A page of words may not connect to anything.
    expect(status).toBe('blocked')
    await second.goto(base)
    await second.waitForURL(/elsewhere$/)
    expect(test.shell.refusals()).toEqual({ client: 1 })
    expect(test.app.calls).toEqual([])
  })
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
