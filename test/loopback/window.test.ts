import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { renderPage } from '../../shared/pages/page.ts'
import { launchBrowser, openPage, type Witness } from '../browser/browser.ts'
import { buildTestWindow, startShell, type TestShell } from './world.ts'

/** The client of the screens (renderer/client.ts) and the shell, in a real Chromium. */

let browser: Browser
let files: { folder: string; remove: () => void }
let test: TestShell
let context: BrowserContext
let page: Page
let seen: Witness

beforeAll(async () => {
  browser = await launchBrowser()
  files = await buildTestWindow()
})
afterAll(async () => {
  await browser?.close()
  files?.remove()
})
afterEach(async () => {
  await context?.close()
  await test?.shell.close()
})

const open = async (options: Partial<Parameters<typeof startShell>[0]> = {}) => {
  test = await startShell({ files: files.folder, takeover: 1_000, ...options })
  ;({ context, page, seen } = await openPage(browser, test.shell.address))
}

type Client = typeof import('../../renderer/client.ts')
type InPage = { client: Client; told: unknown[] }

/** Calls through the client, as a screen does; a failure comes back as its parts. */
const call = (method: string, input: unknown = {}) =>
  page.evaluate(
    async ([name, given]) => {
      const { client } = window as unknown as InPage
      try {
        return await client.call(name as 'hello', given as never)
      } catch (failure) {
        const { name, message, code, lost, hint } = failure as InstanceType<Client['Failure']>
        return { name, message, code, lost, hint }
      }
    },
    [method, input] as const,
  )
const told = () => page.evaluate(() => (window as unknown as InPage).told)

describe('the window', () => {
  it('exchanges the token, takes it out of the address, and keeps it nowhere', async () => {
    await open()
    expect(await call('hello')).toEqual({ method: 'hello', input: {} })
    expect(page.url()).toBe(test.shell.address.split('#')[0])
    const kept = await page.evaluate(async () => [
      document.cookie,
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      history.length,
      document.documentElement.outerHTML,
    ])
    expect(kept.join()).not.toContain(test.token)
    expect(kept.slice(0, 3)).toEqual(['', '{}', '{}'])
    const [cookie, ...others] = await context.cookies()
    expect(others).toEqual([])
    expect(cookie).toMatchObject({ path: `/${test.room}/`, httpOnly: true, sameSite: 'Strict', expires: -1 })
    expect(seen).toMatchObject({ violations: [], errors: [] })
    expect(seen.requests.filter((url) => !url.startsWith(`http://127.0.0.1:${test.port}/${test.room}/`))).toEqual([])
  })

  it('hears notices', async () => {
    await open()
    await call('hello')
    const notice = { tell: 'progress', label: 'Opening “Ω”', done: 1, of: 2 } as const
    test.app.tell(notice)
    await expect.poll(told, { timeout: 20_000 }).toEqual([notice])
  })

  it('a failure is thrown with its code, what is lost and what to do next', async () => {
    await open()
    const error = { code: 'vault-missing', message: 'No vault.', lost: 'Nothing.', hint: 'Choose one.' } as const
    test.app.answer = async () => ({ ok: false, error })
    expect(await call('hello')).toEqual({ name: 'Failure', ...error })
  })

  it('loaded again, it goes on: the cookie is enough', async () => {
    await open()
    await call('hello')
    await page.reload()
    await page.waitForFunction(() => 'client' in window)
    expect(await call('machine')).toEqual({ method: 'machine', input: {} })
    expect(await page.title()).toBe('Test window')
    expect(test.shell.refusals()).toEqual({})
  })

  it('closed and opened once more in time, with the address that was used: it goes on', async () => {
    await open()
    await call('hello')
    await page.close()
    page = await context.newPage()
    await page.goto(test.shell.address)
    await page.waitForFunction(() => 'client' in window)
    expect(await call('machine')).toEqual({ method: 'machine', input: {} })
    expect(test.shell.refusals()).toEqual({ token: 1 })
  })

  it('closed for longer: the app is closed and the server ends', async () => {
    await open({ linger: 200 })
    await call('hello')
    await page.close()
    expect(await test.shell.ended).toBe('window-closed')
    expect(test.app.closed()).toBe(true)
  })

  it('says that it is lost when the server ends, and calls fail in words', async () => {
    await open()
    await call('hello')
    await test.shell.close()
    await expect.poll(() => page.title(), { timeout: 20_000 }).toBe('Lost')
    expect(await call('hello')).toMatchObject({
      code: 'interrupted',
      message: 'Keyrite has ended.',
    })
  })

  it('opens its stream again when it breaks and asks for what it may have missed; broken for good, it is lost', async () => {
    test = await startShell({ files: files.folder })
    context = await browser.newContext()
    page = await context.newPage()
    let streams = 0
    await page.route('**/notices', (route) =>
      ++streams > 2
        ? route.abort('connectionrefused')
        : route.fulfill({
            contentType: 'text/event-stream',
            body: `retry: 50\nevent: hello\ndata: {"client":"${streams}"}\n\n`,
          }),
    )
    const callers: (string | undefined)[] = []
    await page.route('**/call/*', (route) => {
      callers.push(route.request().headers()['keyrite-client'])
      return route.fulfill({ json: { ok: true, value: new URL(route.request().url()).pathname.split('/').at(-1) } })
    })
    await page.goto(test.shell.address)
    await expect.poll(told, { timeout: 20_000 }).toEqual([
      { tell: 'machine', machine: 'machine' },
      { tell: 'sitting', sitting: 'sitting' },
    ])
    expect(callers).toEqual(['2', '2'])
    // A call made while the stream is broken waits, and fails when it is lost.
    const waiting = call('hello')
    await expect.poll(() => page.title(), { timeout: 20_000 }).toBe('Lost')
    expect(await waiting).toMatchObject({ code: 'interrupted' })
  })

  it('one call that fails is not the end: it says that no answer came, was not sent again, and the window goes on', async () => {
    await open()
    await call('hello')
    await page.route('**/call/machine', (route) => route.abort('connectionreset'), { times: 1 })
    expect(await call('machine')).toMatchObject({ code: 'interrupted', message: 'Keyrite did not answer.' })
    expect(test.app.calls.map(({ method }) => method)).toEqual(['hello'])
    expect(await call('machine')).toEqual({ method: 'machine', input: {} })
    expect(await page.title()).toBe('Test window')
  })

  it('a call that fails while the stream is gone says so only when the stream cannot be opened again', async () => {
    test = await startShell({ files: files.folder })
    context = await browser.newContext()
    page = await context.newPage()
    let broken = false
    await page.route('**/notices', (route) =>
      broken
        ? route.abort('connectionrefused')
        : route.fulfill({
            contentType: 'text/event-stream',
            body: 'retry: 50\nevent: hello\ndata: {"client":"1"}\n\n',
          }),
    )
    await page.route('**/call/*', (route) => route.abort('connectionrefused'))
    await page.goto(test.shell.address)
    await page.waitForFunction(() => 'client' in window)
    expect(await call('hello')).toMatchObject({ message: 'Keyrite did not answer.' })
    broken = true
    expect(await call('hello')).toMatchObject({ message: 'Keyrite has ended.' })
    expect(await page.title()).toBe('Lost')
  })

  /** Asks for a page as a screen does, and opens it in a tab. */
  const print = async (html: string) => {
    await open()
    test.app.answer = async () => ({ ok: true, value: { title: 'Record', html, address: null } })
    const { address } = (await call('openPage', { page: 'evidence' })) as unknown as { address: string }
    const [tab] = await Promise.all([
      context.waitForEvent('page'),
      page.evaluate((url) => void window.open(url, '_blank', 'noopener'), address),
    ])
    await tab.waitForLoadState()
    return tab
  }

  it('a drawn page opens in a tab of its own as it was drawn, ready to print', async () => {
    const tab = await print(renderPage({ title: 'Record', number: 'No 7', practice: true, body: 'Drawn' }))
    expect(await tab.title()).toBe('PRACTICE: Record')
    expect(await tab.evaluate(() => getComputedStyle(document.body).margin)).toBe('0px')
    expect((await tab.pdf()).subarray(0, 5).toString()).toBe('%PDF-')
    expect(seen).toMatchObject({ violations: [], errors: [] })
  })

  it('on a drawn page nothing runs; the window goes on', async () => {
    const tab = await print('<!doctype html><title>Record</title><p>Drawn</p><script>document.title = "Ran"</script>')
    expect([await tab.title(), await tab.textContent('p')]).toEqual(['Record', 'Drawn'])
    await tab.close()
    test.app.answer = async () => ({ ok: true, value: 'here' })
    expect(await call('hello')).toBe('here')
  })
})

describe('a second window', () => {
  it('of the same browser sees a page that says so; the first goes on', async () => {
    await open()
    await call('hello')
    const second = await context.newPage()
    await second.goto(page.url())
    await second.waitForURL(/\/elsewhere$/)
    expect(await second.textContent('h1')).toBe('Keyrite is open in another window')
    expect(await call('hello')).toEqual({ method: 'hello', input: {} })
    expect(test.shell.refusals()).toEqual({ client: 1 })
  })

  it('can go on from there when the first is closed', async () => {
    await open()
    await call('hello')
    const second = await context.newPage()
    await second.goto(page.url())
    await second.waitForURL(/\/elsewhere$/)
    await page.close()
    await second.click('a')
    await second.waitForFunction(() => 'client' in window)
    page = second
    expect(await call('machine')).toEqual({ method: 'machine', input: {} })
  })

  it('of another browser, with the address that was used, sees a page that says so', async () => {
    await open()
    await call('hello')
    const other = await openPage(browser, test.shell.address)
    expect(await other.page.textContent('h1')).toBe('This address is not valid')
    expect(other.seen.violations).toEqual([])
    await other.context.close()
    expect(test.shell.refusals()).toEqual({ session: 1 })
    expect(await call('hello')).toEqual({ method: 'hello', input: {} })
  })

  it('without the token is sent away too, and does not use the token up', async () => {
    test = await startShell({ files: files.folder })
    const other = await openPage(browser, test.shell.address.split('#')[0] ?? '')
    await other.page.waitForURL(/\/stale$/)
    expect(await other.page.textContent('h1')).toBe('This address is not valid')
    await other.context.close()
    ;({ context, page, seen } = await openPage(browser, test.shell.address))
    expect(await call('hello')).toEqual({ method: 'hello', input: {} })
  })
})
