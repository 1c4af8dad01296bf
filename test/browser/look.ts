import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** What a screen looks like to everybody: light and dark, as it is and at a zoom of 200 %, for eyes and for screen readers. */

/** Where pictures of screens go, for people to look at. */
export const OUTPUT = join(import.meta.dirname, '../output/screens')

/** 640x360 is what 1280x720 becomes at 200 %. */
export const SIZES = { wide: { width: 1280, height: 720 }, zoom: { width: 640, height: 360 } } as const

/** Every look has its picture; axe is asked of two, which are both schemes and both sizes. */
const LOOKS = [
  { scheme: 'light', size: 'wide', axe: true },
  { scheme: 'dark', size: 'wide', axe: false },
  { scheme: 'light', size: 'zoom', axe: false },
  { scheme: 'dark', size: 'zoom', axe: true },
] as const

/** Takes a picture of each look and gives every fault found; the page is wide and light again afterwards. */
export async function faultsOf(page: Page, name: string): Promise<string[]> {
  mkdirSync(OUTPUT, { recursive: true })
  const faults: string[] = []
  for (const { scheme, size, axe } of LOOKS) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.setViewportSize(SIZES[size])
    await page.evaluate(() => document.fonts.ready)
    const path = join(OUTPUT, `${name}-${scheme}-${size}.png`)
    await page.screenshot({ path, scale: size === 'wide' ? 'css' : 'device' })
    const found = [...(axe ? await inaccessible(page) : []), ...(await overflowing(page))]
    faults.push(...found.map((fault) => `${name} ${scheme} ${size}: ${fault}`))
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.setViewportSize(SIZES.wide)
  return faults
}

async function inaccessible(page: Page): Promise<string[]> {
  // What React Aria announces of a button under way names the button, which may be gone by now.
  const axe = new AxeBuilder({ page }).setLegacyMode(true).exclude('[data-live-announcer]')
  const { violations } = await axe.analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  )
}

/**
 * Parts of the page that cut something off: they are narrower than what is in them and neither scroll sideways by
 * themselves nor say with an ellipsis that there is more. What merely stands out of its box is cut off by one of these.
 */
const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const FRAME = ['HTML', 'BODY', 'HEADER', 'MAIN', 'NAV', 'ASIDE', 'FOOTER']
    return [...document.querySelectorAll<HTMLElement>('html, body, header, main, main *, nav, aside, footer, footer *')]
      .filter((element) => element instanceof HTMLElement)
      .filter((element) => {
        const { overflowX, display, textOverflow } = getComputedStyle(element)
        const cuts = ['hidden', 'clip'].includes(overflowX) && textOverflow !== 'ellipsis'
        // One pixel across: words for screen readers alone.
        const seen = element.clientWidth > 1 && !display.startsWith('inline')
        return seen && (cuts || FRAME.includes(element.tagName)) && element.scrollWidth > element.clientWidth + 1
      })
      .map((element) => `${element.tagName}.${element.className} ${element.scrollWidth} > ${element.clientWidth}`)
  })
