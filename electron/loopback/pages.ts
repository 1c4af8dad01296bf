import { randomBytes } from 'node:crypto'
import { html } from '../../shared/pages/html.ts'
import { renderPage } from '../../shared/pages/page.ts'

/** Pages that are words alone: drawn records for printing, and what somebody sees whose window is refused. */

const MOST_PAGES = 20

export type Pages = {
  /** Keeps a page and gives the id to ask for it with. The oldest goes when there are too many. */
  keep(page: string): string
  find(id: string): string | null
}

export function createPages(): Pages {
  const kept = new Map<string, string>()
  return {
    keep: (page) => {
      const id = randomBytes(16).toString('base64url')
      kept.set(id, page)
      const [oldest] = kept.keys()
      if (kept.size > MOST_PAGES && oldest !== undefined) kept.delete(oldest)
      return id
    },
    find: (id) => kept.get(id) ?? null,
  }
}

const WORDS = {
  elsewhere: {
    title: 'Keyrite is open in another window',
    lead: 'One window at a time can work with Keyrite, and another one does.',
    next: 'Go on in that window and close this one.',
  },
  stale: {
    title: 'This address is not valid',
    lead: 'The address of Keyrite works once, within two minutes of its start.',
    next: 'If Keyrite is open in another window, go on there. If not, end it where it was started, start it again, and open the new address.',
  },
} as const

const AGAIN = html`<p><a href="./">That window is closed: open Keyrite here</a></p>
`

export type PlainPage = keyof typeof WORDS
export const PLAIN_PAGES = Object.keys(WORDS) as PlainPage[]

/** A page for whoever is refused: what happened, that nothing is lost, what next. */
export const plainPage = (which: PlainPage): string =>
  renderPage({
    title: WORDS[which].title,
    number: 'Refused',
    practice: false,
    body: html`<h1>${WORDS[which].title}</h1>
<p class="lead">${WORDS[which].lead}</p>
<p>Nothing is lost and nothing has changed.</p>
<p>${WORDS[which].next}</p>
${which === 'elsewhere' ? AGAIN : null}`,
  })
