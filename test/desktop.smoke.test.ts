import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { electronBinary } from '../electron/desktop/binary.ts'
import { CSP, ORIGIN, START } from '../electron/desktop/lockdown.ts'
import { METHOD_NAMES } from '../shared/contract/contract.ts'

/** The real window, where Electron is installed. Everything it decides is tested in test/desktop without it. */

const ROOT = join(import.meta.dirname, '..')
const binary = electronBinary()
const WHY = "Electron's program is not installed here; test/desktop tests what the window decides without it"

/** Without a display Electron draws to memory; as root its sandbox cannot be set up by the user that runs it. */
const ARGS = [
  '.',
  ...(process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']
    ? ['--ozone-platform=headless']
    : []),
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

type Bridge = Record<string, (input: object) => Promise<{ ok: boolean }>>
declare const keyrite: Bridge

describe('the real window', () => {
  let app: ElectronApplication | undefined
  let page: Page | undefined
  const home = mkdtempSync(join(tmpdir(), 'keyrite-window-'))

  beforeAll(async () => {
    if (binary === null) return
    await promisify(execFile)('npm', ['run', '-s', 'build'], { cwd: ROOT })
    app = await _electron.launch({ executablePath: binary, cwd: ROOT, args: [...ARGS, '--home', home] })
    page = await app.firstWindow()
    await page.waitForLoadState('domcontentloaded')
  })
  afterAll(async () => {
    await app?.close()
    rmSync(home, { recursive: true, force: true })
  })

  /** The open window, or the reason why this is skipped. */
  const open = (ctx: TestContext): { app: ElectronApplication; page: Page } => {
    if (app && page) return { app, page }
    return ctx.skip(WHY)
  }

  it('opens on app://, with our title, under the policy of the lockdown', async (ctx) => {
    const { page } = open(ctx)
    expect(page.url().split('#')[0]).toBe(START)
    const [origin, policy] = await page.evaluate(async () => {
      const violated = new Promise<string>((resolve) =>
        document.addEventListener('securitypolicyviolation', (event) => resolve(event.originalPolicy)),
      )
      const image = new Image()
      image.src = 'https://example.com/x.png'
      return [location.origin, await violated]
    })
    expect(origin).toBe(ORIGIN)
    expect(policy.replaceAll(/;\s*/g, '; ')).toBe(CSP)
  })

  it('is one sandboxed page with nothing of Node or Electron in it but the bridge', async (ctx) => {
    const { app, page } = open(ctx)
    const found = await page.evaluate(() =>
      ['process', 'require', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter((name) => name in globalThis),
    )
    expect(found).toEqual([])
    const names = await page.evaluate(() => Object.keys(keyrite))
    expect(names.sort()).toEqual([...METHOD_NAMES, 'onNotice'].sort())
    const windows = await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => window.webContents.getURL()),
    )
    expect(windows).toEqual([page.url()])
  })

  it('carries a call of the contract, and refuses one of another form', async (ctx) => {
    const { page } = open(ctx)
    expect(await page.evaluate(() => keyrite['hello']?.({}))).toMatchObject({ ok: true, value: { shell: 'electron' } })
    expect(await page.evaluate(() => keyrite['hello']?.({ more: 1 }))).toMatchObject({
      ok: false,
      error: { code: 'usage-invalid' },
    })
  })

  it('reaches nothing: fetch, sockets, windows and navigation are blocked', async (ctx) => {
    const { app, page } = open(ctx)
    const blocked = await page.evaluate(async () => ({
      fetch: await fetch('https://example.com/').then(
        () => 'reached',
        () => 'blocked',
      ),
      own: await fetch('index.html').then(
        () => 'reached',
        () => 'blocked',
      ),
      socket: await new Promise((resolve) => {
        try {
          const socket = new WebSocket('ws://127.0.0.1:9/')
          socket.onopen = () => resolve('reached')
          socket.onerror = () => resolve('blocked')
        } catch {
          resolve('blocked')
        }
      }),
      window: window.open('https://example.com/') === null ? 'blocked' : 'reached',
    }))
    expect(blocked).toEqual({ fetch: 'blocked', own: 'blocked', socket: 'blocked', window: 'blocked' })
    await page.evaluate(() => location.assign('https://example.com/'))
    expect(page.url().split('#')[0]).toBe(START)
    expect(app.windows()).toHaveLength(1)
  })

  it('is the only one: a second program ends at once and leaves the first alone', async (ctx) => {
    const { page } = open(ctx)
    const second = promisify(execFile)(String(binary), [...ARGS, '--home', home], { cwd: ROOT, timeout: 30_000 })
    await expect(second).resolves.toBeDefined()
    expect(await page.evaluate(() => document.title)).not.toBe('')
  })
})
