import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** What a screen looks like to everybody: light and dark, as it is and at a zoom of 200 %, for eyes and for screen readers. */

const OUTPUT = join(import.meta.dirname, '../output/screens')
/** 640x360 is what 1280x720 becomes at 200 %. */
export const SIZES = { wide: { width: 1280, height: 720 }, zoom: { width: 640, height: 360 } } as const
const SCHEMES = ['light', 'dark'] as const

/** Takes four pictures of what is shown, and gives everything that is wrong with it; nothing where all is well. */
export async function shoot(page: Page, name: string): Promise<string[]> {
  mkdirSync(OUTPUT, { recursive: true })
  const wrong: string[] = []
  for (const colorScheme of SCHEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize(viewport)
      await page.evaluate(() => document.fonts.ready)
      await page.screenshot({ path: join(OUTPUT, `${name}-${colorScheme}-${size}.png`) })
      const found = [...(await inaccessible(page)), ...(await overflowing(page))]
      wrong.push(...found.map((what) => `${name}, ${colorScheme}, ${size}: ${what}`))
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.setViewportSize(SIZES.wide)
  return wrong
}

async function inaccessible(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  )
}

/** Parts of the page that are wider than their room and do not scroll sideways by themselves. */
const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const wide = [...document.querySelectorAll<HTMLElement>('html, body, header, main, main *, nav, aside, footer')]
    return wide
      .filter((element) => {
        const { overflowX, display } = getComputedStyle(element)
        const scrolls = overflowX === 'auto' || overflowX === 'scroll'
        // One pixel across: words for screen readers alone.
        const seen = element.clientWidth > 1 && !display.startsWith('inline')
        return seen && (!scrolls || element.tagName === 'MAIN') && element.scrollWidth > element.clientWidth + 1
      })
      .map((element) => `${element.tagName}.${element.className} ${element.scrollWidth} > ${element.clientWidth}`)
  })
