import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, openPage } from './browser.ts'
import { type GalleryServer, serveGallery } from './gallery-server.ts'

/** Every component in every state: under the product's policy, readable by everybody, in both schemes and at 200 %. */

const PAGES = [
  'home',
  'many',
  'runner',
  'begin',
  'plan',
  'compare',
  'destroy',
  'playback',
  'controls',
  'failed',
  'asking',
] as const

const SIZES: Record<string, BrowserContextOptions> = {
  '1280x720': { viewport: { width: 1280, height: 720 } },
  /** What 1280x720 becomes at a zoom of 200 %. */
  '640x360': { viewport: { width: 640, height: 360 }, deviceScaleFactor: 2 },
}
const SCHEMES = ['light', 'dark'] as const
const VIEWS = PAGES.flatMap((page) =>
  SCHEMES.flatMap((scheme) => Object.keys(SIZES).map((size) => ({ page, scheme, size }))),
)

const OUTPUT = join(import.meta.dirname, '../output/gallery')

let server: GalleryServer
let browser: Browser

beforeAll(async () => {
  mkdirSync(OUTPUT, { recursive: true })
  ;[server, browser] = await Promise.all([serveGallery(), launchBrowser()])
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

const open = (page: string, options: BrowserContextOptions = {}) =>
  openPage(browser, `${server.address}#${page}`, { reducedMotion: 'reduce', ...options })

/** Places where the page, or a part of it that does not scroll sideways by itself, is wider than its room. */
const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const wide = [...document.querySelectorAll<HTMLElement>('html, body, header, main, main > *, nav, aside, footer')]
    return wide
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => `${element.tagName} ${element.scrollWidth} > ${element.clientWidth}`)
  })

/** What axe holds against a page, whole: its slowest part, so each scheme and each size has one turn. */
const JUDGED = ['light 1280x720', 'dark 640x360']

async function objections(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  )
}

describe('the gallery', () => {
  it.each(VIEWS)('$page, $scheme, $size', async ({ page: name, scheme, size }) => {
    const { context, page, seen } = await open(name, { ...SIZES[size], colorScheme: scheme })
    await page.locator('h1').first().waitFor()
    await page.evaluate(() => document.fonts.ready)
    await page.screenshot({ path: join(OUTPUT, `${name}-${scheme}-${size}.png`) })
    if (JUDGED.includes(`${scheme} ${size}`)) expect(await objections(page)).toEqual([])
    expect(await overflowing(page)).toEqual([])
    expect(seen.violations).toEqual([])
    expect(seen.errors).toEqual([])
    expect(seen.requests.filter((address) => !address.startsWith(server.address))).toEqual([])
    await context.close()
  })

  it('brings four fonts, 230 KB at most, and loads no other', async () => {
    expect(server.files.filter((name) => name.endsWith('.woff2'))).toHaveLength(4)
    const { context, page } = await open('compare')
    await page.evaluate(() => document.fonts.ready)
    const bytes = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter(({ name }) => name.endsWith('.woff2'))
        .reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).decodedBodySize, 0),
    )
    expect(bytes).toBeGreaterThan(200_000)
    expect(bytes).toBeLessThan(230_000)
    await context.close()
  })
})

/** The worst ratio of each colour on paper, surface and sunken: what the look promises. */
const RATIOS = {
  light: { edge: 3.2, ink: 14.9, 'ink-2': 7.7, 'ink-3': 5.3, accent: 8.2, done: 6.2, warn: 6.4, danger: 7.0 },
  dark: { edge: 4.6, ink: 14.2, 'ink-2': 9.2, 'ink-3': 6.5, accent: 9.3, done: 9.2, warn: 9.1, danger: 8.3 },
} as const
/** Each colour on its own tint, and what stands on it. */
const TINTED = {
  light: { accent: 8.1, done: 6.1, warn: 6.5, 'on-accent': 9.6 },
  dark: { accent: 7.3, done: 7.6, warn: 7.6, 'on-accent': 9.6 },
} as const

const luminance = (rgb: readonly number[]): number => {
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const ratio = (one: readonly number[], other: readonly number[]): number => {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

/** A token as the browser computes it, in red, green and blue. */
const colour = async (page: Page, name: string): Promise<number[]> => {
  const said = await page.evaluate((token) => {
    document.body.style.color = `var(--${token})`
    return getComputedStyle(document.body).color
  }, name)
  return (said.match(/[\d.]+/g) ?? []).map(Number).slice(0, 3)
}

describe.each(SCHEMES)('colours, %s', (scheme) => {
  it('contrast as promised, whichever way the scheme is chosen', async () => {
    const other = scheme === 'light' ? 'dark' : 'light'
    for (const forced of [false, true]) {
      const { context, page } = await open('home', { colorScheme: forced ? other : scheme })
      if (forced) await page.evaluate((theme) => document.documentElement.setAttribute('data-theme', theme), scheme)
      const grounds = [await colour(page, 'paper'), await colour(page, 'surface'), await colour(page, 'sunken')]
      for (const [name, promised] of Object.entries(RATIOS[scheme])) {
        const own = await colour(page, name)
        const worst = Math.min(...grounds.map((ground) => ratio(own, ground)))
        expect(`${name} ${worst >= promised - 0.06}`).toBe(`${name} true`)
      }
      for (const [name, promised] of Object.entries(TINTED[scheme])) {
        const ground = await colour(page, name === 'on-accent' ? 'accent' : `${name}-tint`)
        expect(`${name} ${ratio(await colour(page, name), ground) >= promised - 0.06}`).toBe(`${name} true`)
      }
      await context.close()
    }
  })
})
