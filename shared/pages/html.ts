/** An escaping tagged template: whatever is not already `Html` is text and is escaped. */

export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Part = Html | string | number | null | readonly Part[]

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Characters that nobody sees but that change what is read: controls, zero-width characters, bidirectional marks. */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

const unicodeName = (char: string): string => `[U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`

/** Characters that nobody sees, as visible names. */
export const unseenNamed = (text: string): string => text.replace(UNSEEN, unicodeName)

/** Text made safe in content and in quoted attributes; invisible characters become visible names such as [U+202E]. */
export const escapeHtml = (text: string): string =>
  unseenNamed(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')

const render = (part: Part): string => {
  if (part === null) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(render).join('')
  return escapeHtml(String(part))
}

export const html = (strings: TemplateStringsArray, ...parts: Part[]): Html =>
  new Html(strings.reduce((text, string, index) => text + render(parts[index - 1] ?? null) + string))

/** Somebody's own words within a sentence: their writing direction stays theirs. */
export const said = (text: string): Html => html`<bdi>${text}</bdi>`
