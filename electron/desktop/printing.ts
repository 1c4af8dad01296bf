import { randomUUID } from 'node:crypto'
import type { BrowserWindowConstructorOptions, Session, WebContentsPrintOptions } from 'electron'
import { type Gives, METHODS, type Outcome } from '../../shared/contract/contract.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { PAGE_POLICY } from '../app/content-policy.ts'
import { headers, PRINT_URL, printPreferences, SCHEME } from './lockdown.ts'

/** Prints pages of records: each in a hidden window of its own in which nothing runs. */

/** The parts of Electron that printing uses. */
export type PrintWindow = {
  loadURL(url: string): Promise<void>
  readonly webContents: {
    print(options: WebContentsPrintOptions, done: (success: boolean, reason: string) => void): void
  }
  destroy(): void
}
export type Printer = {
  session(partition: string): { protocol: Pick<Session['protocol'], 'handle'> }
  window(options: BrowserWindowConstructorOptions): PrintWindow
}

export type Page = { title: string; html: string }

/** Shows the system's dialog and prints. Done as well when somebody cancels it. Code `medium-failed`. */
export async function printPage(printer: Printer, { title, html }: Page): Promise<void> {
  // A session of its own, in memory: it knows this one page and is forgotten with the window.
  const partition = `print-${randomUUID()}`
  printer
    .session(partition)
    .protocol.handle(SCHEME, ({ url, method }) =>
      url === PRINT_URL && method === 'GET'
        ? new Response(html, { headers: headers(PAGE_POLICY, 'text/html; charset=utf-8') })
        : new Response(null, { status: 404, headers: headers(PAGE_POLICY, 'text/plain') }),
    )
  const window = printer.window({ show: false, title, webPreferences: printPreferences(partition) })
  try {
    await window.loadURL(PRINT_URL)
    await new Promise<void>((resolve, reject) => {
      window.webContents.print({ silent: false, printBackground: true, pageSize: 'A4' }, (success, reason) =>
        success || /cancel/i.test(reason) ? resolve() : reject(notPrinted(title)),
      )
    })
  } finally {
    window.destroy()
  }
}

const notPrinted = (title: string): KeyriteError =>
  new KeyriteError('medium-failed', `“${title}” was not printed.`, {
    lost: 'Nothing is lost: the page can be drawn again.',
    hint: 'Look at the printer, then print again.',
  })

/** What the screens hear of `openPage`: the page went to the printer, so neither its text nor an address comes back. */
export async function printedOutcome(outcome: Outcome, print: (page: Page) => Promise<void>): Promise<Outcome> {
  if (!outcome.ok) return outcome
  const { title, html }: Gives<'openPage'> = METHODS.openPage.gives.parse(outcome.value)
  if (html !== null) await print({ title, html })
  return { ok: true, value: { title, html: null, address: null } }
}
