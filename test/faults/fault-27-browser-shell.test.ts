import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, openPage, type Witness } from '../browser/browser.ts'
import { WAYS } from '../browser/ways-out.ts'
import { buildTestWindow, startShell, type TestShell } from '../loopback/world.ts'

/**
 * Fault 27, for the browser shell: navigation, window.open, drop of a file or link, fetch, WebSocket, DNS [blocked].
 * Each way out is tried twice in the same browser: from a page that nothing protects, where it must succeed, or the test
 * would prove nothing, and from our window. Every name ends at a server of the test; the browser keeps a log of its
 * network, in which a name stands as soon as it is used.
 */

const NAMES = 'out.example'
const scratch = mkdtempSync(join(tmpdir(), 'keyrite-fault-27-'))
const netLog = join(scratch, 'net.json')

let browser: Browser
let files: { folder: string; remove: () => void }
let catcher: Server
let heard: string[]
let unprotected: ReturnType<typeof createHttp>
let test: TestShell

beforeAll(async () => {
  heard = []
  catcher = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (chunk) => {
      heard.push(/^host: (.*)$/im.exec(String(chunk))?.[1]?.trim() ?? 'unnamed')
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => catcher.listen(0, '127.0.0.1', resolve))
  unprotected = createHttp((_request, response) => {
    response
      .setHeader('Content-Type', 'text/html')
      .end('<!doctype html><title>Unprotected</title><body style="height:500px">')
  })
  await new Promise<void>((resolve) => unprotected.listen(0, '127.0.0.1', resolve))
  const port = (catcher.address() as AddressInfo).port
  browser = await launchBrowser([`--log-net-log=${netLog}`, `--host-resolver-rules=MAP *.${NAMES} 127.0.0.1:${port}`])
  files = await buildTestWindow()
  test = await startShell({ files: files.folder })
})
afterAll(async () => {
  await browser?.close()
  await test?.shell.close()
  catcher?.close()
  unprotected?.close()
  files?.remove()
  rmSync(scratch, { recursive: true, force: true })
})

const settled = (page: Page) => page.waitForTimeout(250)
/** Not `page.title()`: after a navigation that was called off it answers for a document that never came. */
const titleOf = (page: Page) => page.evaluate(() => document.title)
const openUnprotected = () => openPage(browser, `http://127.0.0.1:${(unprotected.address() as AddressInfo).port}/`)

describe('a way out', () => {
  it.each(WAYS)('$way: open where nothing protects', async ({ way, act }) => {
    const { context, page } = await openUnprotected()
    await page.evaluate(act, `http://${way}.plain.${NAMES}/`).catch(() => {})
    await expect.poll(() => heard, { timeout: 20_000 }).toContain(`${way}.plain.${NAMES}`)
    await context.close()
  })

  describe('from our window', () => {
    let context: BrowserContext
    let page: Page
    let seen: Witness
    beforeAll(async () => {
      ;({ context, page, seen } = await openPage(browser, test.shell.address))
      await page.waitForFunction(() => Reflect.get(window, 'client').call('hello', {}))
    })
    afterAll(() => context.close())

    it.each(WAYS)('$way [blocked]', async ({ way, act }) => {
      const address = page.url()
      await page.evaluate(act, `http://${way}.ours.${NAMES}/`).catch(() => {})
      await settled(page)
      expect(heard.filter((host) => host.includes('.ours.'))).toEqual([])
      expect(page.url().split('#')[0]).toBe(address.split('#')[0])
      expect(context.pages()).toHaveLength(1)
      expect(await titleOf(page)).toBe('Test window')
    })

    it('text that becomes code [blocked]', async () => {
      // In a task of the page's own: what a test evaluates may always evaluate.
      const evaluated = await page.evaluate(
        () =>
          new Promise((resolve) =>
            setTimeout(() => {
              try {
                resolve(Reflect.get(window, 'run')('1 + 1'))
              } catch (error) {
                resolve(String(error))
              }
            }),
          ),
      )
      expect(evaluated).toMatch(/EvalError/)
      const imported = await page
        .evaluate((address) => Reflect.get(window, 'fetchModule')(address), `http://module.ours.${NAMES}/`)
        .catch((error) => String(error))
      expect(imported).toMatch(/Failed to fetch dynamically imported module/)
      await page.evaluate(() => {
        location.href = 'javascript:document.title="Ran"'
      })
      const element = await page
        .evaluate(() => {
          document.body.innerHTML = '<img src=x onerror="document.title=1">'
        })
        .catch((error) => String(error))
      expect(element).toMatch(/TrustedHTML/)
      await settled(page)
      expect(await titleOf(page)).toBe('Test window')
      const directives = new Set(seen.violations.map((violation) => violation.split(' ')[0]))
      expect([...directives]).toEqual(
        expect.arrayContaining(['connect-src', 'img-src', 'frame-src', 'require-trusted-types-for']),
      )
    })

    it('the window goes on: calls and notices work', async () => {
      expect(await page.evaluate(() => Reflect.get(window, 'client').call('machine', {}))).toEqual({
        method: 'machine',
        input: {},
      })
    })
  })

  describe('dropped on it', () => {
    const file = join(scratch, 'dropped.html')
    beforeAll(() => writeFileSync(file, '<!doctype html><title>Dropped</title>'))

    const drop = async (page: Page, data: { items: { mimeType: string; data: string }[]; files?: string[] }) => {
      const session = await page.context().newCDPSession(page)
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
        await session.send('Input.dispatchDragEvent', { type, x: 50, y: 50, data: { dragOperationsMask: 1, ...data } })
      await settled(page)
    }
    const link = (name: string) => ({ items: [{ mimeType: 'text/uri-list', data: `http://drop.${name}.${NAMES}/` }] })
    const aFile = { items: [], files: [file] }

    it('a link or a file: leads away where nothing protects', async () => {
      const first = await openUnprotected()
      await drop(first.page, link('plain'))
      await expect.poll(() => heard, { timeout: 20_000 }).toContain(`drop.plain.${NAMES}`)
      const second = await openUnprotected()
      await drop(second.page, aFile)
      const pages = second.context.pages()
      expect(pages.length > 1 || pages[0]?.url().startsWith('file:')).toBe(true)
      await Promise.all([first.context.close(), second.context.close()])
    })

    it.each([
      ['a link', link('ours')],
      ['a file', aFile],
    ])('%s [blocked]', async (_what, data) => {
      const other = await startShell({ files: files.folder })
      const { context, page } = await openPage(browser, other.shell.address)
      await page.waitForFunction(() => Reflect.get(window, 'client').call('hello', {}))
      await drop(page, data)
      expect(heard.filter((host) => host.includes('.ours.'))).toEqual([])
      expect(context.pages()).toHaveLength(1)
      expect([await titleOf(page), page.url()]).toEqual(['Test window', other.shell.address.split('#')[0]])
      await context.close()
      await other.shell.close()
    })
  })
})

describe('names', () => {
  it('used by unprotected pages stand in the browser’s log; of ours none was ever looked up', async () => {
    await browser.close()
    const log = readFileSync(netLog, 'utf8')
    const named = (where: string) => [
      ...new Set([...log.matchAll(new RegExp(`([a-z-]+)\\.${where}\\.${NAMES}`, 'g'))].map((match) => match[1])),
    ]
    expect(named('plain').sort()).toEqual([...WAYS.map(({ way }) => way), 'drop'].sort())
    expect(named('ours')).toEqual([])
  })
})
