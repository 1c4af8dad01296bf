import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { CSP } from '../../electron/desktop/lockdown.ts'
import { readEnrollment, writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { METHOD_NAMES } from '../../shared/contract/contract.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { freePort } from '../cli/run.ts'
import { makeHandoff, makeTenant, makeVault, pathsOf, temporaryFolder } from '../issuer/fixtures.ts'
import { build, ROOT } from './packaging.ts'

/** What `npm run build` makes, run: the screens' files, their preload, the window, and the issuer without one. */

mkdirSync(join(ROOT, 'test/output'), { recursive: true })
/** In the checkout, so that the database module is found; the package brings its own (package.test.ts). */
const app = mkdtempSync(join(ROOT, 'test/output/built-'))
const built = (name: string) => join(app, '.vite/build', name)

beforeAll(() => build(join(app, '.vite')))
afterAll(() => rmSync(app, { recursive: true, force: true }))

describe('the screens and their preload', () => {
  it('the page loads nothing but its own files and has nothing inline', () => {
    const html = readFileSync(join(app, '.vite/renderer/main_window/index.html'), 'utf8')
    const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path = '']) => path)
    expect(loaded.length).toBeGreaterThan(0)
    // An empty picture keeps browsers from asking for an icon.
    for (const path of loaded.filter((one) => one !== 'data:,'))
      expect(existsSync(join(app, '.vite/renderer/main_window', path)), path).toBe(true)
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style="/)
    expect(CSP).toContain("script-src 'self';")
  })

  it('the preload gives the page one function for each method, and the notices; frozen, and nothing of Electron', async () => {
    const given: Record<string, Record<string, unknown>> = {}
    const invoked: unknown[][] = []
    const listeners = new Map<string, (...args: unknown[]) => void>()
    const electron = {
      contextBridge: { exposeInMainWorld: (name: string, api: never) => Object.assign(given, { [name]: api }) },
      ipcRenderer: {
        invoke: (...args: unknown[]) => invoked.push(args),
        on: (channel: string, listener: never) => listeners.set(channel, listener),
        off: (channel: string) => listeners.delete(channel),
      },
    }
    const asked: string[] = []
    const require = (name: string) => {
      asked.push(name)
      return electron
    }
    runInContext(readFileSync(join(app, '.vite/build/preload.cjs'), 'utf8'), createContext({ require, exports: {} }))
    expect(asked).toEqual(['electron'])
    expect(Object.keys(given)).toEqual(['keyrite'])
    const api = given['keyrite'] as Record<string, (input: unknown) => unknown>
    expect(Object.keys(api).sort()).toEqual([...METHOD_NAMES, 'onNotice'].sort())
    expect(Object.isFrozen(api)).toBe(true)
    for (const name of METHOD_NAMES) api[name]?.({ for: name })
    expect(invoked).toEqual(METHOD_NAMES.map((name) => ['keyrite:call', name, { for: name }]))
    const heard: unknown[] = []
    const stop = api['onNotice']?.((notice: unknown) => heard.push(notice)) as () => void
    listeners.get('keyrite:notice')?.({ sender: 'Electron’s own' }, { tell: 'something' })
    stop()
    expect(heard).toEqual([{ tell: 'something' }])
    expect(listeners.size).toBe(0)
  })
})

describe('the window, on a stand-in for Electron', () => {
  type Opened = {
    log: string[]
    asked: { message: string; detail: string }[]
    ended: (number | string | null)[]
    results: Record<string, never>
  }

  beforeAll(() => {
    const folder = join(app, 'node_modules/electron')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"name":"electron","type":"module","main":"index.js"}')
    const standIn = new URL('./electron-stand-in.ts', import.meta.url)
    writeFileSync(join(folder, 'index.js'), `export * from ${JSON.stringify(standIn.href)}`)
  })

  async function open(how = ''): Promise<Opened> {
    const driver = join(import.meta.dirname, 'shell-driver.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [driver, built('main.js'), temporaryFolder(), how])
    return JSON.parse(stdout) as Opened
  }

  it('locks everything before it is ready, shows one window, and closes the engine before it ends', async () => {
    const { log, ended, asked } = await open()
    const before = log.slice(0, log.indexOf('ready'))
    expect(before[0]).toBe('enableSandbox')
    expect(before).toContain('switch host-resolver-rules MAP * ~NOTFOUND')
    expect(before).toContain('scheme [{"scheme":"app","privileges":{"standard":true,"secure":true}}]')
    expect(before.at(-1)).toBe('lock')
    expect(log.slice(log.indexOf('ready') + 1)).toEqual([
      'menu without tools',
      'window',
      'window-open denied',
      'webrtc',
      'content protection true',
      'fork Keyrite engine 0',
      'load app://keyrite/index.html',
      'show',
      'restore',
      'focus',
      'quit prevented',
      'quit',
    ])
    expect(ended).toEqual([0])
    expect(asked).toEqual([])
  })

  it('carries calls, refuses and tells those from elsewhere, serves the screens, pauses with the lid', async () => {
    const { results } = await open()
    expect(results).toMatchObject({
      hello: { ok: true, value: { shell: 'electron', practice: null } },
      elsewhere: { ok: false, error: { code: 'usage-invalid' } },
      otherForm: { ok: false, error: { code: 'usage-invalid' } },
      told: [{ tell: 'refused-call', why: 'A call that did not come from the screens was refused.' }],
      page: { status: 200, policy: CSP },
      locked: [['screens', 9, 1]],
      options: { webPreferences: { sandbox: true, contextIsolation: true, partition: 'screens', devTools: false } },
      paused: 2,
    })
  })

  it('closing the window ends everything; what is called or told meanwhile reaches nobody and harms nothing', async () => {
    const { log, results, ended } = await open('closes')
    expect(results).toMatchObject({ afterwards: { ok: false, error: { code: 'usage-invalid' } } })
    expect(log.slice(-2)).toEqual(['quit prevented', 'quit'])
    expect(ended).toEqual([0])
  })

  it('when the screens end they are offered again, and the engine has stayed', async () => {
    const { asked, log, results, ended } = await open('screens-end')
    expect(asked).toMatchObject([{ detail: expect.stringMatching(/^Nothing is lost/) }])
    expect(log.filter((line) => line.startsWith('load '))).toHaveLength(2)
    expect(log.filter((line) => line.startsWith('fork '))).toHaveLength(1)
    expect(results).toMatchObject({ again: { ok: true } })
    expect(ended).toEqual([0])
  })

  it.each(['screens-end', 'loaded-again'])(
    '%s: the camera that the page before had switched on is off',
    async (how) => {
      const { results } = await open(how)
      expect(results).toMatchObject({ cameraOn: { ok: true }, camera: [true, false] })
    },
  )

  it('without its screens it says so and ends', async () => {
    const screens = join(app, '.vite/renderer')
    renameSync(screens, `${screens}-away`)
    const { asked, log } = await open().finally(() => renameSync(`${screens}-away`, screens))
    expect(asked).toMatchObject([
      { message: 'Keyrite cannot start', detail: expect.stringMatching(/screens of this app/) },
    ])
    expect(log.slice(-2)).toEqual(['ready', 'exit 1'])
  })

  it('a second program ends at once: no window, no engine', async () => {
    const { log, ended } = await open('second')
    expect(log.slice(-2)).toEqual(['lock', 'exit 0'])
    expect(ended).toEqual([])
  })

  it('when the engine is killed it says so and starts it again, or ends', async () => {
    const again = await open('starts-again')
    expect(again.asked).toMatchObject([
      { message: expect.stringMatching(/has ended/), buttons: ['Start it again', 'Quit'] },
    ])
    expect(again.results).toMatchObject({ again: { ok: true } })
    expect(again.log.filter((line) => line.startsWith('load '))).toHaveLength(2)
    expect(again.ended).toEqual(['SIGKILL', 0])
    const over = await open('gives-up')
    expect(over.log.at(-1)).toBe('exit 1')
    expect(over.ended).toEqual(['SIGKILL'])
  })
})

describe('--headless: the runtime of an issuer from the package, in one process', () => {
  type Ran = { status: number | null; stdout: string; stderr: string }
  const start = (args: readonly string[]) => {
    const child = spawn(process.execPath, [join(app, '.vite/build/main.js'), '--headless', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text
      })
    return { child, said, ended: once(child, 'close').then(([status]): Ran => ({ status, ...said })) }
  }
  const headless = (...args: string[]) => start(args).ended
  const get = (port: number, host: string, path: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
      sent.on('error', reject).end()
    })

  it('makes a runtime, imports a handoff and serves its key set until it is told to stop', async () => {
    const folder = temporaryFolder()
    const vault = await makeVault()
    const now = Math.floor(Date.now() / 1000)
    const dir = join(folder, 'issuer')
    const anchor = writeTrustAnchor(folder, vault.anchor.jws, now)
    const made = await headless(
      ...['issuer', 'init', '--dir', dir, '--trust-anchor', anchor],
      ...['--runtime-id', 'eu-one', '--enrollment', folder, '--json'],
    )
    expect(made).toMatchObject({ status: 0, stderr: '' })
    const enrollment = await readEnrollment(JSON.parse(made.stdout).data.enrollmentFile)
    const tenant = makeTenant('acme', { from: now })
    const manifest = { iat: now, exp: now + DAY }
    const handoff = await makeHandoff(vault, folder, [tenant], { transportKey: enrollment.transportKey, manifest })
    expect(await headless('issuer', 'import', '--dir', dir, ...pathsOf(handoff))).toMatchObject({ status: 0 })

    const port = await freePort()
    const { child, said, ended } = start(['issuer', 'serve', '--dir', dir, '--port', String(port)])
    onTestFinished(() => void child.kill('SIGKILL'))
    await expect.poll(() => said.stderr, { timeout: 60_000 }).toContain('Serving at')
    const keys = await get(port, 'acme.example.com', '/.well-known/jwks.json')
    expect(keys.status).toBe(200)
    expect(JSON.parse(keys.body).keys.map(({ kid }: { kid: string }) => kid)).toContain(tenant.keys[0]?.kid)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ status: 0 })
  })

  it('refuses what belongs behind the window, and says so', async () => {
    for (const args of [['vault', 'status'], ['rehearse'], ['--json', 'ceremony', 'list'], ['nonsense']])
      expect(await headless(...args), args.join(' ')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: /^--headless runs/,
      })
  })

  it('answers as the command line does: help, version, usage errors', async () => {
    expect(await headless('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('issuer') })
    expect(await headless('--version')).toMatchObject({ status: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
    expect(await headless('issuer', 'serve')).toMatchObject({ status: 2 })
  })
})
