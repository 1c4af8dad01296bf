import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { KeyriteError } from '../../shared/errors.ts'
import { CSP, headers, ORIGIN } from './lockdown.ts'

/** The screens, as `app:` serves them: the files that were built, read once, and no path is ever looked up. */

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

export type Served = ReadonlyMap<string, { body: Uint8Array<ArrayBuffer>; type: string }>

/** Reads every file below `folder`. Code `file-missing` where the screens were not built. */
export function readServed(folder: string): Served {
  const served = new Map<string, { body: Uint8Array<ArrayBuffer>; type: string }>()
  for (const entry of list(folder)) {
    const type = TYPES[extname(entry)]
    if (type) served.set(`${ORIGIN}/${entry}`, { body: new Uint8Array(readFileSync(join(folder, entry))), type })
  }
  if (served.has(`${ORIGIN}/index.html`)) return served
  throw new KeyriteError('file-missing', `The screens of this app are not in ${folder}.`, {
    hint: 'Build them with "npm run build", or install Keyrite again.',
  })
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
  } catch {
    return []
  }
}

/** Answers a request: exactly one of the files, by its whole address, or nothing. */
export function serve(served: Served, { method, url }: { method: string; url: string }): Response {
  const file = served.get(url)
  if (!file || method !== 'GET')
    return new Response(null, { status: file ? 405 : 404, headers: headers(CSP, 'text/plain') })
  return new Response(file.body, { headers: headers(CSP, file.type) })
}
