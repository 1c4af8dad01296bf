import type { Locator, Page } from 'playwright-core'

/** The keyboard of somebody who has no mouse: what cannot be reached by Tab is not there. */

const MOST_TABS = 120
const PATIENCE = 30_000

const isFocused = (element: Locator): Promise<boolean> =>
  element.evaluate((node) => node === document.activeElement).catch(() => false)

/** Presses Tab until this element has the focus. Waits for it to be there and usable first. */
export async function tabTo(page: Page, element: Locator): Promise<void> {
  await element.waitFor({ state: 'visible', timeout: PATIENCE })
  await usable(page, element)
  for (let tabs = 0; tabs < MOST_TABS; tabs++) {
    if (await isFocused(element)) return
    await page.keyboard.press('Tab')
  }
  const here = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))
  throw new Error(`Tab never reached ${String(element)}; the focus is at ${here}`)
}

async function usable(page: Page, element: Locator): Promise<void> {
  for (let waited = 0; waited < PATIENCE; waited += 20) {
    if (await element.isEnabled().catch(() => false)) return
    await page.waitForTimeout(20)
  }
  throw new Error(`${String(element)} stayed disabled; the page says: ${await page.locator('main').innerText()}`)
}

/** Presses a button that is reached by Tab. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  const button = page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name })
  await tabTo(page, button)
  await page.keyboard.press('Enter')
}

/** Types into a field that is reached by Tab, over whatever stood in it, and presses Enter. */
export async function type(page: Page, label: string | RegExp, words: string, enter = true): Promise<void> {
  const field = page.getByLabel(label, typeof label === 'string' ? { exact: true } : {})
  await tabTo(page, field)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(words)
  if (enter) await page.keyboard.press('Enter')
}

/** Opens a list and picks the entry that begins with these letters. */
export async function choose(page: Page, label: string | RegExp, entry: string): Promise<void> {
  const list = page.getByRole('button', { name: label })
  await tabTo(page, list)
  if ((await list.innerText()).startsWith(entry)) return
  await page.keyboard.press('Enter')
  await page.getByRole('option').first().waitFor({ timeout: PATIENCE })
  await page.keyboard.type(entry)
  await page.keyboard.press('Enter')
  await page.getByRole('listbox').waitFor({ state: 'hidden', timeout: PATIENCE })
}
