import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { electronBinary } from '../../electron/desktop/binary.ts'
import { isStale, runElectron } from '../../electron/loopback/checkout.ts'
import { launchBrowser, openPage } from '../browser/browser.ts'
import { partsOf } from './world.ts'

/** `npm start` as people run it, where Electron is not installed. */

const START = join(import.meta.dirname, '../../electron/start.ts')
const scratch = mkdtempSync(join(tmpdir(), 'keyrite-start-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

type Started = {
  child: ChildProcess
  out: () => string
  said: () => string
  ended: Promise<[number | null, string | null]>
}
const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [START, ...args], { env: { ...process.env, TMPDIR: scratch, ...env } })
  running.push(child)
  let out = ''
  let said = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  return { child, out: () => out, said: () => said, ended: once(child, 'close') as Started['ended'] }
}

const addressOf = async (started: Started): Promise<string> => {
  // Ended without an address: what it said is the finding.
  const ended = started.ended.then(() => expect.fail(started.said()))
  await Promise.race([ended, expect.poll(started.out, { timeout: 90_000 }).toContain('\n')])
  ended.catch(() => {})
  return started.out().trim()
}

describe('npm start without Electron', () => {
  let browser: Browser
  beforeEach((ctx) => ctx.skip(electronBinary() !== null, 'Electron is installed here, so npm start opens that'))
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser?.close())

  it('says so in one line, prints the address and serves the screens; with the window everything ends', async () => {
    const home = join(scratch, 'home')
    const started = start(['--practice', '--no-open', '--home', home])
    const address = await addressOf(started)
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/#[\w-]{43}$/)
    expect(started.said().split('\n')[0]).toBe(
      'Electron is not installed here ("npx install-electron" fetches it): Keyrite opens in a browser instead.',
    )

    const { context, page, seen } = await openPage(browser, address)
    await page.getByRole('heading', { level: 1 }).first().waitFor({ timeout: 60_000 })
    expect(seen).toMatchObject({ violations: [], errors: [] })
    const { origin, pathname } = new URL(address)
    expect(seen.requests.filter((url) => !url.startsWith(origin + pathname) && !url.startsWith('data:'))).toEqual([])
    // The practice vault is in a temporary folder, and goes with the process.
    const practice = () => readdirSync(scratch).filter((name) => name.startsWith('keyrite-practice-'))
    expect(practice()).toHaveLength(1)
    await context.close()
    expect(await started.ended).toEqual([0, null])
    expect(started.said()).toMatch(/The window is closed\. Keyrite has ended\.\n$/)
    expect(started.said()).not.toContain('Refused')
    expect(practice()).toEqual([])
    expect(existsSync(home)).toBe(false)
  })

  it.each([
    ['SIGINT', ['--home', join(scratch, 'home')]],
    ['SIGTERM', ['--practice']],
  ] as const)('%s ends it with exit 0, also while a practice vault is made', async (signal, flags) => {
    const started = start([...flags, '--no-open'])
    await addressOf(started)
    started.child.kill(signal)
    expect(await started.ended).toEqual([0, null])
    expect(started.said()).toMatch(/\nKeyrite has ended\.\n$/)
    expect(readdirSync(scratch).filter((name) => name.startsWith('keyrite-practice-'))).toEqual([])
  })

  it.runIf(process.platform === 'linux')(
    'asks the default browser for a file of this user alone that leads to the address; failing to is fine',
    async () => {
      const bin = join(scratch, 'bin')
      mkdirSync(bin)
      writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\nprintf '%s' "$*" > '${scratch}/opened'\nexit 3\n`)
      chmodSync(join(bin, 'xdg-open'), 0o755)
      const home = join(scratch, 'opening')
      const started = start(['--home', home], { PATH: `${bin}${delimiter}${process.env['PATH']}` })
      const address = await addressOf(started)
      await expect
        .poll(() => existsSync(join(scratch, 'opened')) && readFileSync(join(scratch, 'opened'), 'utf8'), {
          timeout: 20_000,
        })
        .toMatch(/\.html$/)
      const file = readFileSync(join(scratch, 'opened'), 'utf8')
      const { room, token } = partsOf(address)
      for (const part of [room, token]) expect(file).not.toContain(part)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
      expect(dirname(dirname(file))).toBe(scratch)

      const { context, page } = await openPage(browser, pathToFileURL(file).href)
      await page.waitForURL((url) => url.origin === new URL(address).origin)
      await page.getByRole('heading', { level: 1 }).first().waitFor({ timeout: 60_000 })
      expect(page.url()).toBe(address.split('#')[0])
      await expect.poll(() => existsSync(dirname(file))).toBe(false)
      // The way in does not follow the window: loaded again, it is there again.
      await page.reload()
      await page.getByRole('heading', { level: 1 }).first().waitFor()
      expect(page.url()).toBe(address.split('#')[0])
      expect(await page.title()).not.toContain('not valid')
      await context.close()
      expect(await started.ended).toEqual([0, null])
      expect(started.said()).not.toContain('Refused')
    },
  )

  it.runIf(process.platform === 'linux')(
    'the file goes when nobody came for it as well, and without a browser the address is enough',
    async () => {
      const home = join(scratch, 'opening')
      const left = () => readdirSync(scratch).filter((name) => name.startsWith('keyrite-open-'))
      const started = start(['--home', home], { PATH: `${join(scratch, 'bin')}${delimiter}${process.env['PATH']}` })
      await addressOf(started)
      await expect.poll(left, { timeout: 20_000 }).toHaveLength(1)
      started.child.kill('SIGTERM')
      expect(await started.ended).toEqual([0, null])
      expect(left()).toEqual([])

      const without = start(['--home', home], { PATH: scratch })
      await addressOf(without)
      without.child.kill('SIGTERM')
      expect(await without.ended).toEqual([0, null])
    },
  )
})

describe('npm start with Electron', () => {
  it('runs this folder in it with the flags, and ends as it ends', async (ctx) => {
    ctx.skip(process.platform === 'win32', 'the stand-in for Electron is a shell script')
    const binary = join(scratch, 'electron')
    writeFileSync(binary, `#!/bin/sh\necho "$PWD $*" > '${scratch}/electron-ran'\nexit 7\n`)
    chmodSync(binary, 0o755)
    expect(await runElectron(binary, ['--home=/x', '--practice'])).toBe(7)
    const root = join(import.meta.dirname, '../..')
    expect(readFileSync(join(scratch, 'electron-ran'), 'utf8')).toBe(`${root} . --home=/x --practice\n`)
  })
})

describe('its command line', () => {
  it.each([[['--practise']], [['--port', '80']], [['--home']], [['now']], [['--practice=yes']]])(
    '%j is refused with exit 2, and nothing starts',
    async (args) => {
      const started = start(args)
      expect(await started.ended).toEqual([2, null])
      expect(started.out()).toBe('')
      expect(started.said()).toMatch(/^error: /)
    },
  )

  it('--help names every flag', async () => {
    const started = start(['--help'])
    expect(await started.ended).toEqual([0, null])
    for (const flag of ['--practice', '--home <folder>', '--no-open']) expect(started.out()).toContain(flag)
  })
})

describe('what a checkout runs is built again', () => {
  const from = join(scratch, 'sources')
  const made = join(scratch, 'made.html')
  const touch = (path: string, time: number) => {
    writeFileSync(path, '')
    utimesSync(path, time, time)
  }

  it('when it is missing, or older than any file that it is made of', () => {
    mkdirSync(join(from, 'deep'), { recursive: true })
    touch(join(from, 'deep', 'a.ts'), 1_000)
    expect(isStale(made, [from])).toBe(true)
    touch(made, 1_000)
    expect(isStale(made, [from])).toBe(false)
    touch(join(from, 'deep', 'b.ts'), 1_001)
    expect(isStale(made, [from])).toBe(true)
    touch(made, 1_002)
    expect(isStale(made, [from, join(from, 'deep', 'b.ts')])).toBe(false)
  })
})
