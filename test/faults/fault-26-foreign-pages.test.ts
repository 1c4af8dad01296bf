import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchBrowser, openPage } from '../browser/browser.ts'
import { buildTestWindow, startShell, type TestShell } from '../loopback/world.ts'

/**
 * Fault 26, for the browser shell, in a real Chromium: calls from a wrong frame, window, origin or host [refused,
 * recorded]. The other pages know every address, and the browser holds the cookie.
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
      await expect.poll(() => test.shell.refusals().origin ?? 0, { timeout: 20_000 }).toBeGreaterThan(3)
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
