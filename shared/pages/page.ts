import { sha256 } from '../formats/bytes.ts'
import { type Html, html, type Part, Html as Trusted } from './html.ts'
import { STYLE, sheetStyle } from './style.ts'

export { escapeHtml, Html, html, type Part, said } from './html.ts'

export type Page = {
  title: string
  /** The document's own number, printed on every sheet. */
  number: string
  practice: boolean
  body: Part
  /** Further style for this kind of page; a constant, never somebody's words. */
  style?: string
}

/** Raised with every change of what pages say or how they look: a page of another version cannot be compared. */
export const PAGE_VERSION = 4

/** The version of the page, in HTML or PDF, that `text` claims to be, or null. */
export function pageVersion(text: string): number | null {
  const found = /(?:<meta name="generator" content="|\()Keyrite pages (\d{1,6})[")]/.exec(text)?.[1]
  return found === undefined ? null : Number(found)
}

/** One self-contained HTML file: no script, no request to anywhere, only the one style sheet named by its hash. */
export function renderPage({ title, number, practice, body, style = '' }: Page): string {
  const css = `${STYLE}${style}${sheetStyle(number, practice)}`
  const policy = `default-src 'none'; style-src 'sha256-${base64(sha256(css))}'; base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Keyrite pages ${PAGE_VERSION}">
<title>${practice ? 'PRACTICE: ' : ''}${title}</title>
<style>${new Trusted(css)}</style>
</head>
<body>
<main>
${practice ? WATERMARK : null}<header class="mast"><b>Keyrite</b><span>${number}</span></header>
${practice ? PRACTICE : null}${body}
</main>
</body>
</html>
`.text
}

const PRACTICE = html`<p class="practice"><b>PRACTICE</b> Made in a vault for rehearsal. Nothing on this page protects or proves anything in production.</p>
`

const WATERMARK = html`<div class="watermark" aria-hidden="true"><span>PRACTICE</span></div>
`

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

/** A status mark beside its word: a check, a broken ring or a diamond. */
export function mark(kind: 'done' | 'open' | 'danger'): Html {
  if (kind === 'done')
    return html`<svg class="mark" viewBox="0 0 14 14" aria-hidden="true"><path d="M2 7.5 5.5 11 12 3"/></svg>`
  if (kind === 'open')
    return html`<svg class="mark" viewBox="0 0 14 14" aria-hidden="true"><path d="M11.5 4.5A5.2 5.2 0 1 0 12 8.5"/></svg>`
  return html`<svg class="mark" viewBox="0 0 14 14" aria-hidden="true"><path class="full" d="M7 1.5 12.5 7 7 12.5 1.5 7z"/></svg>`
}
