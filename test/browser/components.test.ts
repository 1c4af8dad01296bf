import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import decodeQR from 'qr/decode.js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, openPage } from './browser.ts'
import { type GalleryServer, serveGallery } from './gallery-server.ts'

/** What components do when they are operated: by keyboard, by pointer, and wrongly. */

let server: GalleryServer
let browser: Browser
const contexts: BrowserContext[] = []

beforeAll(async () => {
  ;[server, browser] = await Promise.all([serveGallery(), launchBrowser()])
})

afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()))
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

async function open(name: string, options: BrowserContextOptions = {}): Promise<Page> {
  const { context, page } = await openPage(browser, `${server.address}#${name}`, {
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  })
  contexts.push(context)
  page.setDefaultTimeout(20_000)
  await page.locator('h1').first().waitFor()
  return page
}

const NARROW = { viewport: { width: 640, height: 360 } }

/** Everything that a page keeps or shows, as text. */
const everything = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const inputs = [...document.querySelectorAll('input, textarea')].map((input) => Reflect.get(input, 'value'))
    const kept = [...Object.values(localStorage), ...Object.values(sessionStorage)]
    return [document.documentElement.outerHTML, document.cookie, location.href, ...inputs, ...kept].join('\n')
  })

describe('a step', () => {
  it('its title takes focus, so that a screen reader says where we are', async () => {
    const page = await open('runner')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1')
  })

  it('a row whose turn it is not stays readable and cannot be operated', async () => {
    const page = await open('begin')
    expect(await page.getByText('No telephone is outside of the box.').isVisible()).toBe(true)
    expect(await page.getByRole('checkbox').isDisabled()).toBe(true)
    expect(await page.getByLabel('Initials of Administrator').isDisabled()).toBe(true)
  })

  it('the button that waits says what for', async () => {
    const page = await open('runner')
    const finish = page.getByRole('button', { name: 'Finish step 14' })
    expect(await finish.isDisabled()).toBe(true)
    const reason = await finish.getAttribute('aria-describedby')
    expect(await page.locator(`[id="${reason}"]`).textContent()).toContain('Waits for 1 approval')
  })
})

describe('a passphrase', () => {
  it('leaves its field as it is handed over, wrong or right, and is kept nowhere', async () => {
    const page = await open('runner')
    const field = page.getByLabel('Custodian 4, your passphrase')
    expect(await field.getAttribute('type')).toBe('password')
    expect(await field.getAttribute('autocomplete')).toBe('off')
    await field.fill('wrong canary words')
    await field.press('Enter')
    await page.getByRole('alert').getByText('That passphrase does not open').waitFor()
    expect(await field.inputValue()).toBe('')
    expect(await everything(page)).not.toContain('canary')
    await field.fill('open sesame')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('3 of 3 approvals').waitFor()
    expect(await everything(page)).not.toContain('sesame')
  })

  it('an empty one is not handed over', async () => {
    const page = await open('runner')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('alert').getByText('Type it first.').waitFor()
    expect(await page.getByText('2 of 3 approvals').isVisible()).toBe(true)
  })

  it('a new one must be typed twice alike; both fields empty otherwise', async () => {
    const page = await open('controls')
    const [first, again] = [page.getByLabel('A new passphrase'), page.getByLabel('The same once more')]
    await first.fill('one canary')
    await again.fill('other canary')
    await page.getByRole('button', { name: 'Take it' }).click()
    await page.getByText('The two differ. Type both again.').waitFor()
    expect([await first.inputValue(), await again.inputValue()]).toEqual(['', ''])
  })
})

describe('the step rail', () => {
  it('folds all parts but the current one, and opens any', async () => {
    const page = await open('runner')
    expect(await page.locator('[aria-current="step"]').textContent()).toContain('Approve making two keys')
    expect(await page.getByText('Telephones').isVisible()).toBe(false)
    await page.getByRole('button', { name: /Prepare the room/ }).click()
    expect(await page.getByText('Telephones').isVisible()).toBe(true)
  })

  it('is one line on a narrow screen until it is asked for', async () => {
    const page = await open('runner', NARROW)
    expect(await page.getByText('Step 14 of 31').isVisible()).toBe(true)
    expect(await page.getByText('No way back after this line').isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Show' }).press('Enter')
    expect(await page.getByText('No way back after this line').isVisible()).toBe(true)
    expect(await page.getByRole('button', { name: 'Hide' }).getAttribute('aria-expanded')).toBe('true')
  })
})

describe('a confirmation without a way back', () => {
  it('counts what is typed, and names the first character that differs', async () => {
    const page = await open('destroy')
    const field = page.getByLabel('Custodian 5')
    await page.getByText('4 characters to go').waitFor()
    await field.press('End')
    await field.pressSequentially('T8d')
    await page.getByText('1 character to go').waitFor()
    await field.pressSequentially('z')
    await page.getByText('Character 16 differs').waitFor()
    await field.press('Backspace')
    await field.pressSequentially('Z')
    expect(await page.getByText('Typed', { exact: true }).isVisible()).toBe(true)
  })

  it('takes no paste and no drop, and its phrase cannot be copied', async () => {
    const page = await open('destroy')
    const refused = await page.evaluate(() => {
      const phrase = [...document.querySelectorAll('span')].find((one) => one.textContent === 'DESTROY Vq3uT8dZ')
      const field = document.querySelectorAll('section input')[2]
      const allowed = (target: Element | null | undefined, event: Event) => target?.dispatchEvent(event)
      const options = { bubbles: true, cancelable: true }
      return [
        allowed(phrase, new ClipboardEvent('copy', options)),
        allowed(field, new ClipboardEvent('paste', options)),
        allowed(field, new DragEvent('drop', options)),
        phrase && getComputedStyle(phrase).userSelect,
      ]
    })
    expect(refused).toEqual([false, false, false, 'none'])
  })
})

describe('playback', () => {
  const shown = (page: Page) => page.locator('section [aria-live] p').first().textContent()

  it('arrow keys go from step to step, Home and End to the ends', async () => {
    const page = await open('playback')
    const slider = page.getByRole('slider')
    await slider.focus()
    await slider.press('ArrowRight')
    expect(await shown(page)).toContain('Step 4')
    expect(await slider.getAttribute('aria-valuetext')).toContain('Step 4: Approve making two keys')
    await slider.press('End')
    expect(await shown(page)).toContain('Step 7')
    await slider.press('ArrowRight')
    expect(await shown(page)).toContain('Step 7')
    await slider.press('Home')
    expect(await shown(page)).toContain('Step 1')
  })

  it('the pointer finds the nearest step, and play goes on from there', async () => {
    const page = await open('playback')
    const line = page
      .locator('svg', { has: page.locator('line') })
      .filter({ has: page.locator('svg') })
      .first()
    const box = await line.boundingBox()
    if (!box) throw new Error('The line is not drawn.')
    await page.mouse.click(box.x + box.width * 0.6, box.y + box.height / 2)
    expect(await shown(page)).toContain('Step 6')
    await page.getByRole('button', { name: 'Play' }).click()
    await page.getByText('Step 7: Sign the record').waitFor()
    await page.getByRole('button', { name: 'Play' }).waitFor()
  })
})

describe('lists', () => {
  it('a thousand tenants are a few rows on the page, and End finds the last', async () => {
    const page = await open('many')
    const rows = page.getByRole('row')
    await rows.first().waitFor()
    expect(await rows.count()).toBeLessThan(60)
    await rows.first().focus()
    await page.keyboard.press('End')
    await page.getByText('Tenant 1000', { exact: true }).waitFor()
    expect(await rows.count()).toBeLessThan(60)
  })

  it('a table sorts by the column that is pressed, then the other way', async () => {
    const page = await open('controls')
    const days = page.getByRole('columnheader', { name: 'Days left' })
    const names = () => page.locator('tbody th').allTextContents()
    await days.getByRole('button').press('Enter')
    expect([await days.getAttribute('aria-sort'), await names()]).toEqual([
      'ascending',
      ['acme-2026-04', 'fabrikam-2026-06', 'contoso-2026-05'],
    ])
    await days.getByRole('button').press('Enter')
    expect(await days.getAttribute('aria-sort')).toBe('descending')
  })

  it('a list that opens is chosen from by keyboard', async () => {
    const page = await open('controls')
    const button = page.getByRole('button', { name: /One of many/ })
    await button.press('Enter')
    await page.getByRole('option', { name: 'Possibility 2', exact: true }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('listbox').waitFor({ state: 'detached' })
    expect(await button.textContent()).toContain('Possibility 3')
  })
})

describe('a dialog', () => {
  it('keeps the focus, ends with Escape and gives the focus back', async () => {
    const page = await open('asking')
    const dialog = page.getByRole('dialog')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Abort…' }).press('Enter')
    await dialog.waitFor()
    for (let step = 0; step < 6; step++) {
      await page.keyboard.press('Tab')
      expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true)
    }
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Abort…')
  })
})

describe('a QR code', () => {
  it('is black on white in the dark too, and a reader finds the digest', async () => {
    const page = await open('compare', { colorScheme: 'dark' })
    const code = page.getByRole('img', { name: /^QR code/ })
    expect(await code.locator('rect').getAttribute('fill')).toBe('#ffffff')
    expect(await code.locator('path').getAttribute('fill')).toBe('#000000')
    const side = Number((await code.getAttribute('viewBox'))?.split(' ')[2])
    expect(read(side, (await code.locator('path').getAttribute('d')) ?? '')).toBe(
      'l2QR_ibrE7N3lvSioGh4kClUZ_zsFkD8RO7jBq8bW1E',
    )
  })
})

const MODULE = 6

/** Paints the runs of a path as pixels and reads them as a camera would. */
function read(side: number, path: string): string {
  const size = side * MODULE
  const data = new Uint8Array(size * size * 4).fill(255)
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)v1/g)) {
    for (let row = Number(y) * MODULE; row < (Number(y) + 1) * MODULE; row++) {
      for (let column = Number(x) * MODULE; column < (Number(x) + Number(run)) * MODULE; column++) {
        data.fill(0, (row * size + column) * 4, (row * size + column) * 4 + 3)
      }
    }
  }
  return decodeQR({ width: size, height: size, data })
}
