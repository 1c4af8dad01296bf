import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CSP, PRINT_CSP } from '../../electron/desktop/lockdown.ts'
import { readFiles } from '../../electron/loopback/files.ts'
import { APP_POLICY, PAGE_POLICY } from '../../electron/loopback/headers.ts'
import { METHOD_NAMES } from '../../shared/contract/contract.ts'
import { ask, claim, DOCUMENT, enter, OWN, openStream, own, startShell, type TestShell } from './world.ts'

const built = mkdtempSync(join(tmpdir(), 'keyrite-built-'))
const running: TestShell[] = []
const start = async (options: Partial<Parameters<typeof startShell>[0]> = {}) => {
  const shell = await startShell({ files: built, takeover: 100, ...options })
  running.push(shell)
  return shell
}

beforeAll(() => {
  mkdirSync(join(built, 'assets'))
  writeFileSync(join(built, 'index.html'), '<!doctype html><title>Window</title>')
  writeFileSync(join(built, 'assets/app-1a.js'), 'export {}')
  writeFileSync(join(built, 'assets/app-1a.css'), 'body {}')
  writeFileSync(join(built, 'assets/inter.woff2'), 'font')
  writeFileSync(join(built, 'assets/app-1a.js.map'), 'sources')
  return () => rmSync(built, { recursive: true })
})
afterEach(async () => {
  for (const { shell } of running.splice(0)) await shell.close()
})

describe('where it listens', () => {
  it('on 127.0.0.1 alone, on a free port, with the token in the part of the address that is never sent', async () => {
    const [one, other] = [await start(), await start()]
    expect(one.shell.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/#[\w-]{43}$/)
    expect(other.port).not.toBe(one.port)
    expect(other.room).not.toBe(one.room)
  })
})

describe('the window', () => {
  it.each([
    ['', 'text/html; charset=utf-8', DOCUMENT],
    ['assets/app-1a.js', 'text/javascript; charset=utf-8', OWN],
    ['assets/app-1a.css', 'text/css; charset=utf-8', OWN],
    ['assets/inter.woff2', 'font/woff2', OWN],
  ])('serves /%s as %s', async (path, type, headers) => {
    const { port, room } = await start()
    const answer = await ask(port, { path: `/${room}/${path}`, headers })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, type])
  })

  it.each([
    '/',
    '/index.html',
    '/ROOM',
    '/ROOM/index.html',
    '/ROOM/assets/',
    '/ROOM/assets/app-1a.js.map',
    '/ROOM/assets/../index.html',
    '/ROOM/../ROOM/',
    '/ROOM/%2e%2e/%2e%2e/etc/passwd',
    '/ROOM/..%2f..%2fpackage.json',
    '/ROOM/assets/..\\..\\package.json',
    '/ROOM/assets/app-1a.js%00',
    '/ROOM//etc/passwd',
    '/ROOM/?x=1',
    '/ROOM/assets/APP-1A.js',
    'http://evil.example/ROOM/',
  ])('has nothing at %s', async (path) => {
    const { port, room, shell } = await start()
    const answer = await ask(port, { path: path.replaceAll('ROOM', room), headers: DOCUMENT })
    expect(answer.status).toBe(404)
    expect(answer.body).not.toContain('Window')
    expect(shell.refusals()).toEqual({ address: 1 })
  })

  it('is read once: what is changed in the folder afterwards is not served', async () => {
    const { port, room } = await start()
    writeFileSync(join(built, 'late.js'), 'late')
    expect((await ask(port, { path: `/${room}/late.js`, headers: OWN })).status).toBe(404)
    rmSync(join(built, 'late.js'))
  })

  it('that was never built is said so', () => {
    expect(() => readFiles(join(built, 'assets'))).toThrow(expect.objectContaining({ code: 'file-missing' }))
    expect(() => readFiles(join(built, 'nothing'))).toThrow(expect.objectContaining({ code: 'file-missing' }))
  })
})

describe('what every answer carries', () => {
  it('the policy is Electron’s, but for the way to this server', () => {
    expect(APP_POLICY).toBe(CSP.replace("connect-src 'none'", "connect-src 'self'"))
    expect(APP_POLICY).not.toBe(CSP)
    expect(PAGE_POLICY).toBe(PRINT_CSP)
  })

  it.each([
    ['the window', (room: string) => ({ path: `/${room}/`, headers: DOCUMENT }), 200],
    ['a file', (room: string) => ({ path: `/${room}/assets/app-1a.js`, headers: OWN }), 200],
    ['an address that does not exist', () => ({ path: '/x', headers: OWN }), 404],
    ['a refused call', (room: string) => ({ method: 'POST', path: `/${room}/call/hello`, headers: OWN }), 403],
    ['a preflight', (room: string) => ({ method: 'OPTIONS', path: `/${room}/call/hello`, headers: OWN }), 405],
  ])('%s', async (_what, request, status) => {
    const { port, room } = await start()
    const answer = await ask(port, request(room))
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': APP_POLICY,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    expect(answer.headers['permissions-policy']).toMatch(/^camera=\(self\), (?:[a-z-]+=\(\)(?:, |$))+$/)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('a call', () => {
  it.each(METHOD_NAMES)('%s reaches the app with its input, and its outcome comes back', async (name) => {
    const test = await start()
    const { cookie, client } = await enter(test)
    test.app.answer = async () => ({ ok: true, value: ['outcome', name] })
    const headers = { ...own(test.port), cookie, 'keyrite-client': client }
    const answer = await ask(test.port, {
      method: 'POST',
      path: `/${test.room}/call/${name}`,
      headers,
      body: '{"a":1}',
    })
    expect(JSON.parse(answer.body)).toEqual({ ok: true, value: ['outcome', name] })
    expect(test.app.calls).toEqual([{ method: name, input: { a: 1 } }])
  })

  it('a failure is a value, word for word', async () => {
    const test = await start()
    const { cookie, client } = await enter(test)
    const error = { code: 'vault-missing', message: 'No vault.', lost: 'Nothing.', hint: 'Choose one.' } as const
    test.app.answer = async () => ({ ok: false, error })
    const headers = { ...own(test.port), cookie, 'keyrite-client': client }
    const answer = await ask(test.port, { method: 'POST', path: `/${test.room}/call/hello`, headers, body: '{}' })
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { ok: false, error }])
  })

  it('a defect is told without what was sent', async () => {
    const test = await start()
    const { cookie, client } = await enter(test)
    test.app.answer = async () => Promise.reject(new Error('canary'))
    const headers = { ...own(test.port), cookie, 'keyrite-client': client }
    const answer = await ask(test.port, { method: 'POST', path: `/${test.room}/call/hello`, headers, body: '{}' })
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([500, 'internal'])
    expect(answer.body + test.lines.join()).not.toContain('canary')
    expect(test.lines).toHaveLength(1)
  })
})

describe('the one window', () => {
  it('hears notices, and refusals as they come', async () => {
    const test = await start()
    const { stream } = await enter(test)
    const notice = { tell: 'progress', label: 'Opening', done: 1, of: 2 } as const
    test.app.tell(notice)
    expect(await stream.next()).toEqual({ event: 'notice', data: notice })
    await ask(test.port, { path: '/nowhere' })
    const why = 'A request for an address that does not exist here was refused.'
    expect(await stream.next()).toEqual({ event: 'notice', data: { tell: 'refused-call', why } })
    expect(test.lines).toEqual([`Refused: ${why}`])
  })

  it('loaded again, it takes over as soon as the window before has left; the id before is void', async () => {
    const test = await start({ takeover: 5_000 })
    const first = await enter(test)
    const second = openStream(test, first.cookie)
    first.stream.close()
    const stream = await second
    const { event, data } = await stream.next()
    expect(event).toBe('hello')
    expect((data as { client: string }).client).not.toBe(first.client)
    const headers = { ...own(test.port), cookie: first.cookie, 'keyrite-client': first.client }
    const answer = await ask(test.port, { method: 'POST', path: `/${test.room}/call/hello`, headers, body: '{}' })
    expect(answer.status).toBe(409)
    expect(test.app.calls).toEqual([])
  })

  it('a second one is refused while the first is there, which goes on undisturbed', async () => {
    const test = await start()
    const first = await enter(test)
    const second = await openStream(test, first.cookie)
    expect((await second.next()).event).toBe('refused')
    await second.ended
    test.app.tell({ tell: 'sitting', sitting: null })
    expect((await first.stream.next()).event).toBe('notice')
    expect(test.shell.refusals()).toEqual({ client: 1 })
  })

  it('gone for as long as it may be: the app is closed, and everything ends', async () => {
    const test = await start({ linger: 150 })
    const { stream } = await enter(test)
    stream.close()
    expect(await test.shell.ended).toBe('window-closed')
    expect(test.app.closed()).toBe(true)
    await expect(ask(test.port, { path: '/' })).rejects.toThrow(/ECONNREFUSED/)
  })

  it('back within that time: nothing ends', async () => {
    const test = await start({ linger: 300 })
    const { stream, cookie } = await enter(test)
    stream.close()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const back = await openStream(test, cookie)
    expect((await back.next()).event).toBe('hello')
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(test.app.closed()).toBe(false)
  })

  it('that exchanged the token and never connected: everything ends', async () => {
    const test = await start({ linger: 100 })
    await claim(test)
    expect(await test.shell.ended).toBe('window-closed')
  })

  it('that never came: everything ends when the address is no longer valid', async () => {
    const test = await start({ tokenLifetime: 100 })
    expect(await test.shell.ended).toBe('nobody-came')
    expect(test.app.closed()).toBe(true)
  })

  it('is told when everything ends; calls are refused meanwhile', async () => {
    const test = await start()
    const { stream, cookie, client } = await enter(test)
    const closing = Promise.withResolvers<void>()
    test.app.close = () => closing.promise
    const closed = test.shell.close()
    const headers = { ...own(test.port), cookie, 'keyrite-client': client }
    const call = await ask(test.port, { method: 'POST', path: `/${test.room}/call/hello`, headers, body: '{}' })
    expect(call.status).toBe(503)
    // What the app tells while it closes still arrives.
    test.app.tell({ tell: 'sitting', sitting: null })
    closing.resolve()
    await closed
    await stream.ended
    expect(stream.told.map(({ event }) => event)).toEqual(['hello', 'notice', 'notice', 'end'])
    expect(await test.shell.ended).toBe('asked')
  })

  it('an app that cannot be closed: the server ends all the same, and says why', async () => {
    const test = await start()
    running.pop()
    test.app.close = async () => Promise.reject(new Error('no'))
    await expect(test.shell.close()).rejects.toThrow('no')
    await expect(test.shell.ended).rejects.toThrow('no')
    await expect(ask(test.port, { path: '/' })).rejects.toThrow(/ECONNREFUSED/)
  })
})

describe('a drawn page', () => {
  const html = '<!doctype html><title>Record</title><p>Page</p>'
  const draw = async (test: TestShell, cookie: string, client: string) => {
    test.app.answer = async () => ({ ok: true, value: { title: 'Record', html, address: null } })
    const headers = { ...own(test.port), cookie, 'keyrite-client': client }
    const body = '{"page":"evidence"}'
    const answer = await ask(test.port, { method: 'POST', path: `/${test.room}/call/openPage`, headers, body })
    return JSON.parse(answer.body).value as { title: string; html: string | null; address: string }
  }

  it('stays at the shell, which answers with its address; there nothing runs', async () => {
    const test = await start()
    const { cookie, client } = await enter(test)
    const drawn = await draw(test, cookie, client)
    expect(drawn).toEqual({
      title: 'Record',
      html: null,
      address: expect.stringMatching(/^\/[\w-]{22}\/pages\/[\w-]{22}$/),
    })
    const page = await ask(test.port, { path: drawn.address, headers: { ...DOCUMENT, cookie } })
    expect([page.status, page.body]).toEqual([200, html])
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.headers['content-security-policy']).toBe(PAGE_POLICY)
  })

  it('needs the cookie, and is no part of another page', async () => {
    const test = await start()
    const { cookie, client } = await enter(test)
    const { address } = await draw(test, cookie, client)
    expect((await ask(test.port, { path: address, headers: DOCUMENT })).status).toBe(401)
    const framed = { ...DOCUMENT, 'sec-fetch-dest': 'iframe', cookie }
    expect((await ask(test.port, { path: address, headers: framed })).status).toBe(403)
    expect((await ask(test.port, { path: `${address}x`, headers: { ...DOCUMENT, cookie } })).status).toBe(404)
  })

  it('the twenty newest are kept', async () => {
    const test = await start()
    const { cookie, client } = await enter(test)
    const first = await draw(test, cookie, client)
    for (let page = 0; page < 20; page++) await draw(test, cookie, client)
    expect((await ask(test.port, { path: first.address, headers: { ...DOCUMENT, cookie } })).status).toBe(404)
  })
})
