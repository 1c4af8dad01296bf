import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { extractAll, listPackage } from '@electron/asar'
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startEngine } from '../../electron/desktop/engine-host.ts'
import { CSP, FUSES } from '../../electron/desktop/lockdown.ts'
import { isLeftOut } from '../../electron/desktop/packaged.ts'
import { readEnrollment, writeTrustAnchor } from '../../electron/handoff/statements.ts'
import { METHOD_NAMES } from '../../shared/contract/contract.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { freePort } from '../cli/run.ts'
import { makeHandoff, makeTenant, makeVault, pathsOf, temporaryFolder } from '../issuer/fixtures.ts'
import { build, newProject, packageApp } from './packaging.ts'
import { utilityProcesses } from './utility-process.ts'

/**
 * The package, whole: built and packaged by the project's own configuration, taken apart outside of the checkout, where
 * no module is found by accident, and run.
 */

const project = newProject()
/** What the archive holds, with its native module beside it, as Electron would see it. */
const app = join(project, 'unpacked')
let packaged = ''
let archive = ''
let names: string[] = []

beforeAll(async () => {
  await build(join(project, '.vite'))
  packaged = await packageApp(project)
  archive = join(packaged, 'resources/app.asar')
  names = listPackage(archive, { isPack: false }).map((name) => name.replaceAll('\\', '/'))
  extractAll(archive, app)
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

describe.runIf(process.platform === 'linux')('the package', () => {
  it('holds what was built, the manifest, and the database module with the binary of its target alone', () => {
    const others = names.filter((name) => !/^\/\.vite\/(?:build|renderer)\//.test(name))
    expect(others.filter((name) => !name.startsWith('/node_modules/better-sqlite3/lib/')).sort()).toEqual(
      [
        '/.vite',
        '/.vite/build',
        '/.vite/renderer',
        '/node_modules',
        '/node_modules/better-sqlite3',
        '/node_modules/better-sqlite3/lib',
        '/node_modules/better-sqlite3/package.json',
        '/node_modules/better-sqlite3/prebuilds',
        `/node_modules/better-sqlite3/prebuilds/${process.platform}-${process.arch}.node`,
        '/package.json',
      ].filter((name) => others.includes(name) || !name.startsWith('/.vite/')),
    )
    expect(names).toContain('/node_modules/better-sqlite3/lib/index.js')
    expect(existsSync(join(packaged, 'resources/default_app.asar'))).toBe(false)
  })

  it('holds no source, test, document, map, configuration or development tool', () => {
    expect(names.filter((name) => /\.(?:ts|tsx|map|md|svg)$|vite\.config|\/(?:test|docs|bench)\//.test(name))).toEqual(
      [],
    )
    const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))
    expect(Object.keys(manifest).sort()).toEqual(
      ['description', 'license', 'main', 'name', 'productName', 'type', 'version'].sort(),
    )
    expect(existsSync(join(app, manifest.main))).toBe(true)
  })

  it('names no folder of the machine that built it', () => {
    const ours = names.filter((name) => /\.(?:js|cjs|css|html)$/.test(name) && name.startsWith('/.vite/'))
    expect(ours.length).toBeGreaterThan(8)
    const root = join(import.meta.dirname, '../..')
    expect(ours.filter((name) => readFileSync(join(app, name), 'utf8').includes(root))).toEqual([])
  })

  it('keeps native code outside of the archive, where it can be loaded, and nothing else', () => {
    const outside = readdirSync(`${archive}.unpacked`, { recursive: true, encoding: 'utf8' })
    expect(outside.filter((name) => /\.\w+$/.test(name))).toEqual([
      `node_modules/better-sqlite3/prebuilds/${process.platform}-${process.arch}.node`,
    ])
  })

  it('has every file in its archive under a digest', () => {
    const bytes = readFileSync(archive)
    const header = JSON.parse(bytes.subarray(16, 16 + bytes.readUInt32LE(12)).toString())
    const without: string[] = []
    const walk = (files: Record<string, { files?: never; integrity?: { algorithm: string } }>, path: string) => {
      for (const [name, entry] of Object.entries(files)) {
        if (entry.files) walk(entry.files, `${path}/${name}`)
        else if (entry.integrity?.algorithm !== 'SHA256') without.push(`${path}/${name}`)
      }
    }
    walk(header.files, '')
    expect(without).toEqual([])
  })

  it('has its fuses set as the lockdown says', async () => {
    const wire = (await getCurrentFuseWire(join(packaged, 'keyrite'))) as unknown as Record<number, number>
    const read = Object.keys(FUSES).map((name) => [name, wire[FuseV1Options[name as keyof typeof FUSES]] === 49])
    expect(Object.fromEntries(read)).toEqual(FUSES)
  })

  it('is not made from an Electron with a fuse that nobody decided', async () => {
    const other = newProject()
    onTestFinished(() => rmSync(other, { recursive: true, force: true }))
    await expect(packageApp(other, Object.keys(FUSES).length + 1)).rejects.toThrow(/fuse/i)
  })
})

describe('what is left out, path by path', () => {
  it.each([
    '/electron',
    '/test/x.ts',
    '/.git',
    '/.vite/cache',
    '/node_modules/zod',
    '/node_modules/better-sqlite3/src',
  ])('%s is left out', (path) => expect(isLeftOut(path)).toBe(true))
  it.each([
    '/node_modules/better-sqlite3-more',
    '/node_modules/better-sqlite3/deps/sqlite3.c',
    '/node_modules/better-sqlite3/node_modules/x',
    '/package.json.bak',
    '/sub/package.json',
    '/.vite/buildings',
  ])('%s does not slip in by its beginning', (path) => expect(isLeftOut(path)).toBe(true))
  it.each(['', '/package.json', '/.vite', '/.vite/build/main.js', '/node_modules/better-sqlite3/lib/index.js'])(
    '%j stays',
    (path) => expect(isLeftOut(path)).toBe(false),
  )
})

describe.runIf(process.platform === 'linux')('the screens and their preload', () => {
  it('the page loads nothing but its own files and has nothing inline', () => {
    const html = readFileSync(join(app, '.vite/renderer/main_window/index.html'), 'utf8')
    const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path = '']) => path)
    expect(loaded.length).toBeGreaterThan(0)
    for (const path of loaded) expect(existsSync(join(app, '.vite/renderer/main_window', path)), path).toBe(true)
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

describe.runIf(process.platform === 'linux')('the packaged engine, on plain Node', () => {
  const built = (name: string) => join(app, '.vite/build', name)

  it('makes a practice vault: database, key derivation, a process for each tenant, records as PDF', async () => {
    const world = utilityProcesses({ engine: built('engine.js'), 'generate-child': built('generate-child.js') })
    const engine = startEngine(world, { home: temporaryFolder(), practice: true, onNotice: () => {} })
    onTestFinished(() => engine.close())
    const hello = await engine.call('hello', {})
    expect(hello).toMatchObject({ ok: true, value: { shell: 'electron', practice: { folder: expect.any(String) } } })
    const { home, practice } = (hello as { value: unknown }).value as {
      home: string
      practice: { folder: string; people: { id: string; passphrase: string }[] }
    }
    expect(world.children.length).toBeGreaterThan(2)
    const [person] = practice.people
    const opened = await engine.call('openVault', {
      folder: practice.folder,
      person: person?.id,
      passphrase: person?.passphrase,
    })
    expect(opened).toMatchObject({ ok: true, value: { practice: true } })
    const pdfs = readdirSync(join(home, 'records'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.pdf'),
    )
    expect(pdfs.length).toBeGreaterThan(0)
    for (const name of pdfs)
      expect(
        readFileSync(join(home, 'records', name))
          .subarray(0, 5)
          .toString(),
      ).toBe('%PDF-')
    await engine.close()
    expect(await engine.ended).toEqual({ how: 'closed' })
    expect(existsSync(home)).toBe(false)
  })

  it('has the thread that checks signatures', async () => {
    const worker = new Worker(built('signature-worker.js'))
    worker.postMessage('end')
    expect(await once(worker, 'message')).toEqual([Number.POSITIVE_INFINITY])
    await worker.terminate()
  })
})

describe.runIf(process.platform === 'linux')(
  '--headless: the runtime of an issuer from the package, in one process',
  () => {
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
      await expect.poll(() => said.stderr, { timeout: 20_000 }).toContain('Serving at')
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
  },
)
