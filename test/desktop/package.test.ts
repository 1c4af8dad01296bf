import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { extractAll, listPackage } from '@electron/asar'
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { startEngine } from '../../electron/desktop/engine-host.ts'
import { FUSES } from '../../electron/desktop/lockdown.ts'
import { isLeftOut } from '../../electron/desktop/packaged.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'
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

/** Its layout differs by platform, and so would the stand-in. */
const elsewhere = process.platform !== 'linux'
const onLinux = ({ skip }: TestContext) => skip(elsewhere, 'packaging is tried with a stand-in for Electron on Linux')

beforeAll(async () => {
  if (elsewhere) return
  await build(join(project, '.vite'))
  packaged = await packageApp(project)
  archive = join(packaged, 'resources/app.asar')
  names = listPackage(archive, { isPack: false }).map((name) => name.replaceAll('\\', '/'))
  extractAll(archive, app)
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

describe('the package', () => {
  beforeEach(onLinux)

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
    cpSync(join(project, '.vite'), join(other, '.vite'), { recursive: true })
    await expect(packageApp(other, Object.keys(FUSES).length + 1)).rejects.toThrow(/strictlyRequireAllFuses/)
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

describe('the packaged engine, on plain Node', () => {
  beforeEach(onLinux)
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
