import chromium from '@sparticuz/chromium'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium as launcher,
  type Page,
  type Request,
} from 'playwright-core'

/** A real Chromium for tests, and what a page did in it that it should not have done. */

/** Never the package's own arguments: they switch off web security and site isolation. */
const ARGS = ['--no-sandbox', '--no-zygote', '--disable-gpu']

/** Starts a Chromium. `args` come on top of the ones that every machine needs. */
export async function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  return launcher.launch({ executablePath: await chromium.executablePath(), args: [...ARGS, ...args] })
}

/** Everything that a page did wrong or asked for, in order. */
export type Witness = {
  /** `directive blocked-uri`, of every violation of a content security policy. */
  readonly violations: string[]
  /** Errors and warnings on the console, and exceptions that nobody caught. */
  readonly errors: string[]
  /** The address of every request, whether it was answered or not. */
  readonly requests: string[]
  /** Calls that were sent and are not answered yet. */
  readonly calling: Set<Request>
}

/** Watches every page of a context, from before its first script. */
export async function witness(context: BrowserContext): Promise<Witness> {
  const seen: Witness = { violations: [], errors: [], requests: [], calling: new Set() }
  await context.exposeBinding('keyriteViolation', (_source, violation: string) => void seen.violations.push(violation))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
      const tell = Reflect.get(window, 'keyriteViolation') as (violation: string) => void
      tell(`${effectiveDirective} ${blockedURI}`)
    })
  })
  context.on('request', (request) => {
    seen.requests.push(request.url())
    if (request.method() === 'POST') seen.calling.add(request)
  })
  for (const end of ['requestfinished', 'requestfailed'] as const)
    context.on(end as 'requestfinished', (request) => void seen.calling.delete(request))
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.errors.push(message.text())
  })
  context.on('weberror', (error) => void seen.errors.push(String(error.error())))
  return seen
}

export type Opened = { context: BrowserContext; page: Page; seen: Witness }

/** A fresh profile with one page at `address`, watched. */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext(options)
  const seen = await witness(context)
  const page = await context.newPage()
  await page.goto(address)
  return { context, page, seen }
}
