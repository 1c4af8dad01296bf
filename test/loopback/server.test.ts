import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PAGE_POLICY, PERMISSIONS_POLICY } from '../../electron/app/content-policy.ts'
import { CSP } from '../../electron/desktop/lockdown.ts'
import { readFiles } from '../../electron/loopback/files.ts'
import { APP_POLICY } from '../../electron/loopback/headers.ts'
import { METHOD_NAMES } from '../../shared/contract/contract.ts'
import { ask, DOCUMENT, enter, OWN, own, startShell, type TestShell } from './world.ts'

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

  it('may be reached from a file, which is no site, until the token was used', async () => {
    const test = await start()
    const path = `/${test.room}/`
    const headers = { ...DOCUMENT, 'sec-fetch-site': 'cross-site' }
    expect((await ask(test.port, { path, headers })).status).toBe(200)
    expect((await ask(test.port, { path, headers: { ...headers, 'sec-fetch-dest': 'iframe' } })).status).toBe(403)
    const script = { path: `${path}assets/app-1a.js`, headers: { 'sec-fetch-site': 'cross-site' } }
    expect((await ask(test.port, script)).status).toBe(403)
    const { cookie } = await enter(test)
    expect((await ask(test.port, { path, headers: { ...headers, cookie } })).status).toBe(403)
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
    expect(answer.headers['permissions-policy']).toBe(PERMISSIONS_POLICY)
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
