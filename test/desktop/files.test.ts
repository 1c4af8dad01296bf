import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { archiveProblem, ZIPS } from '../../electron/desktop/archive.ts'
import { readArguments } from '../../electron/desktop/arguments.ts'
import { electronBinary } from '../../electron/desktop/binary.ts'
import { readServed, serve } from '../../electron/desktop/files.ts'
import { CSP, ORIGIN, START } from '../../electron/desktop/lockdown.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'

describe('app:// serves a fixed list of files', () => {
  function built() {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'assets'))
    for (const name of ['index.html', 'assets/index.js', 'assets/index.css', 'assets/inter.woff2', 'notes.txt'])
      writeFileSync(join(folder, name), name)
    return { folder, served: readServed(folder) }
  }
  const get = (served: ReturnType<typeof readServed>, url: string, method = 'GET') => serve(served, { method, url })

  it('each with its type and the policy', async () => {
    const { served } = built()
    const types = {
      'index.html': 'text/html; charset=utf-8',
      'assets/index.js': 'text/javascript; charset=utf-8',
      'assets/index.css': 'text/css; charset=utf-8',
      'assets/inter.woff2': 'font/woff2',
    }
    for (const [name, type] of Object.entries(types)) {
      const response = get(served, `${ORIGIN}/${name}`)
      expect(response.status, name).toBe(200)
      expect(response.headers.get('content-type')).toBe(type)
      expect(response.headers.get('content-security-policy')).toBe(CSP)
      expect(await response.text()).toBe(name)
    }
  })

  it.each([
    `${ORIGIN}/`,
    `${ORIGIN}/../../etc/passwd`,
    `${ORIGIN}/assets/../index.html`,
    `${ORIGIN}/assets%2findex.js`,
    `${ORIGIN}/index.html?x`,
    `${ORIGIN}/notes.txt`,
    `${ORIGIN}/missing.js`,
    'app://print/index.html',
    'app://keyrite.example/index.html',
  ])('%s is not one of them', async (url) => {
    const response = get(built().served, url)
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('')
    expect(response.headers.get('content-security-policy')).toBe(CSP)
  })

  it('nothing but GET, and nothing that came after the start', () => {
    const { folder, served } = built()
    expect(get(served, START, 'POST').status).toBe(405)
    writeFileSync(join(folder, 'late.js'), '')
    expect(get(served, `${ORIGIN}/late.js`).status).toBe(404)
  })

  it('screens that were not built say so', () => {
    const folder = temporaryFolder()
    for (const missing of [folder, join(folder, 'missing')])
      expect(() => readServed(missing)).toThrow(expect.objectContaining({ code: 'file-missing' }))
  })
})

describe('finding Electron without loading it', () => {
  it('its program, where it was fetched', () => {
    const folder = temporaryFolder()
    expect(electronBinary(folder)).toBe(null)
    writeFileSync(join(folder, 'path.txt'), 'electron\n')
    expect(electronBinary(folder)).toBe(null)
    mkdirSync(join(folder, 'dist'))
    writeFileSync(join(folder, 'dist/electron'), '')
    expect(electronBinary(folder)).toBe(join(folder, 'dist/electron'))
  })

  const target = { platform: 'linux', arch: 'x64' }
  const offline = (folder: string) => ({ XDG_CACHE_HOME: folder, ELECTRON_MIRROR: 'http://127.0.0.1:1/' })

  it('its archive: missing ones are told in plain words, before anything is built', async () => {
    const folder = temporaryFolder()
    const problem = await archiveProblem({ ...target, env: offline(folder) })
    expect(problem).toMatch(
      /^Packaging needs electron-v\d+\.\d+\.\d+-linux-x64\.zip, .*\nNothing was built or changed\.\n/,
    )
    expect(await archiveProblem({ ...target, env: { [ZIPS]: folder } })).toMatch(
      /There is no electron-v.*-linux-x64\.zip/,
    )
  })

  it('its archive: fetched before, or in a folder that is named', async () => {
    const folder = temporaryFolder()
    const problem = await archiveProblem({ ...target, env: offline(folder) })
    const name = /electron-v[\d.]+-linux-x64\.zip/.exec(problem ?? '')?.[0] ?? ''
    mkdirSync(join(folder, 'electron/0123'), { recursive: true })
    writeFileSync(join(folder, 'electron/0123', name), '')
    expect(await archiveProblem({ ...target, env: offline(folder) })).toBe(null)
    symlinkSync(join(folder, 'electron/0123', name), join(folder, name))
    expect(await archiveProblem({ ...target, env: { [ZIPS]: folder } })).toBe(null)
    expect(await archiveProblem({ ...target, arch: 'arm64', env: offline(folder) })).toMatch(/linux-arm64\.zip/)
  })
})

describe('what the program was asked for', () => {
  it('a window, with the home folder and the practice vault', () => {
    expect(readArguments([])).toMatchObject({
      headless: null,
      home: expect.stringMatching(/Keyrite$/),
      practice: false,
    })
    expect(readArguments(['.', '--practice', '--home', '/keys'])).toEqual({
      headless: null,
      home: '/keys',
      practice: true,
    })
    expect(readArguments(['--ozone-platform=x11', '--home=/keys'])).toMatchObject({ home: '/keys', practice: false })
    expect(readArguments(['--home'])).toMatchObject({ home: expect.stringMatching(/Keyrite$/) })
  })

  it('or a command line without one', () => {
    expect(readArguments(['--headless', 'issuer', 'serve', '--home', 'x'])).toEqual({
      headless: ['issuer', 'serve', '--home', 'x'],
    })
  })
})
