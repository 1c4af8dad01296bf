import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { createApp } from '../electron/app/app.ts'
import { ensureBuilt, WINDOW_FOLDER } from '../electron/loopback/checkout.ts'
import { serveApp } from '../electron/loopback/server.ts'
import { launchBrowser } from '../test/browser/browser.ts'
import { type Fleet, makeFleet, openFleet, schedules, scrolledFrames, TENANTS } from '../test/browser/fleet.ts'
import { median, type Row, sum } from './measure.ts'

/** The window as people meet it: how much it weighs, when it answers, whether a long list scrolls evenly. */

const STARTS = 5
const FRAMES = 300
/** Eight rows of 70 pixels in ten frames: a brisk hand. */
const PIXELS = 56
/** A frame at 60 a second takes 16.7 ms; longer than this, one was left out. */
const DROPPED = 20

export async function screens(): Promise<Row[]> {
  await ensureBuilt('window', (line) => void process.stderr.write(`screens: ${line}\n`))
  const browser = await launchBrowser()
  process.stderr.write(`screens: filling a vault with ${TENANTS} tenants\n`)
  const fleet = await makeFleet()
  try {
    return [...weight(), await starting(browser, fleet), await scrolling(browser, fleet)]
  } finally {
    await browser.close()
    fleet.remove()
  }
}

function weight(): Row[] {
  const files = readdirSync(WINDOW_FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => ({ name, bytes: readFileSync(join(parentPath, name)) }))
  const weighed = (measure: string, ends: RegExp): Row => {
    const some = files.filter(({ name }) => ends.test(name)).map(({ bytes }) => bytes)
    const [raw, packed] = [sum(some.map((bytes) => bytes.length)), sum(some.map((bytes) => gzipSync(bytes).length))]
    return { measure, figure: `${some.length} files, ${kB(raw)} raw, ${kB(packed)} gzip` }
  }
  return [
    weighed('the window: scripts of all screens', /\.js$/),
    weighed('the window: styles', /\.css$/),
    weighed('the window: fonts', /\.woff2$/),
  ]
}

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`

/** From opening the address until the first heading has the focus, in a fresh profile, through the loopback shell. */
async function starting(browser: Browser, { home, now }: Fleet): Promise<Row> {
  const times: number[] = []
  for (let start = 0; start < STARTS; start++) {
    const app = await createApp({ home, practice: false, shell: 'browser', now })
    const shell = await serveApp(app, { files: WINDOW_FOLDER })
    const context = await browser.newContext()
    try {
      const page = await context.newPage()
      await page.addInitScript(() => {
        addEventListener('focusin', ({ target }) => {
          if (target instanceof HTMLHeadingElement) Reflect.set(window, 'interactiveAt', performance.now())
        })
      })
      await page.goto(shell.address)
      const seen = await page.waitForFunction(() => Reflect.get(window, 'interactiveAt') as number | undefined)
      times.push((await seen.jsonValue()) ?? Number.NaN)
    } finally {
      await context.close()
      await shell.close()
    }
  }
  return {
    measure: `opening the window until its heading has the focus, median of ${STARTS}`,
    figure: `${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)})`,
  }
}

async function scrolling(browser: Browser, fleet: Fleet): Promise<Row> {
  const room = await openFleet(fleet, browser)
  try {
    const frames = await scrolledFrames(room.page, FRAMES, PIXELS)
    const dropped = frames.filter((time) => time > DROPPED).length
    const share = ((100 * dropped) / frames.length).toFixed(1)
    const rows = await schedules(room.page).getByRole('row').count()
    return {
      measure: `scrolling Home with ${TENANTS} tenants of a real vault, ${rows} rows drawn at a time`,
      figure: `${dropped} of ${frames.length} frames over ${DROPPED} ms (${share} %), longest ${Math.max(...frames).toFixed(0)} ms`,
    }
  } finally {
    await room.close()
  }
}
