import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { OUTPUT } from './table.ts'

/** What a screen looks like in both schemes, wide and at 200 %, and what is wrong with it for somebody. */

const WIDE = { width: 1280, height: 720 }
/** What 1280x720 becomes at a zoom of 200 %. */
const ZOOM = { width: 640, height: 360 }
const LOOKS = [
  { scheme: 'light', size: 'wide' },
  { scheme: 'dark', size: 'wide' },
  { scheme: 'light', size: 'zoom' },
  { scheme: 'dark', size: 'zoom' },
] as const

/** Takes a picture of each look and gives every fault found; the page is wide and light again afterwards. */
export async function faultsOf(page: Page, name: string): Promise<string[]> {
  mkdirSync(OUTPUT, { recursive: true })
  const faults: string[] = []
  for (const { scheme, size } of LOOKS) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.setViewportSize(size === 'wide' ? WIDE : ZOOM)
    await page.screenshot({ path: join(OUTPUT, `${name}-${scheme}-${size}.png`) })
    // What React Aria announces of a button under way names the button, which may be gone by now.
    const { violations } = await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze()
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
    )
    faults.push(...[...found, ...(await overflowing(page))].map((fault) => `${name} ${scheme} ${size}: ${fault}`))
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.setViewportSize(WIDE)
  return faults
}

/** Places where the page, or a part of it that does not scroll sideways by itself, is wider than its room. */
const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const wide = [
      ...document.querySelectorAll<HTMLElement>('html, body, header, main, main > *, nav, footer, footer *'),
    ]
    return wide
      .filter(
        (element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline',
      )
      .map((element) => `${element.tagName} ${element.className} ${element.scrollWidth} > ${element.clientWidth}`)
  })
