import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { must } from '../../shared/errors.ts'

/** The built window, read once: what is not in this list does not exist, so no path can lead anywhere else. */

export type ServedFile = { readonly type: string; readonly bytes: Buffer }

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
}

const MOST_FILES = 500
const MOST_BYTES = 32 * 1024 * 1024

/**
 * Every file under `folder` that a window is made of, by its path with forward slashes. Codes `file-missing` without an
 * `index.html`, `config-invalid` where there is more than any window needs.
 */
export function readFiles(folder: string): ReadonlyMap<string, ServedFile> {
  const files = new Map<string, ServedFile>()
  let total = 0
  for (const name of listed(folder)) {
    const path = name.replaceAll('\\', '/')
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const bytes = readFileSync(join(folder, name))
    total += bytes.length
    files.set(path, { type, bytes })
  }
  must(files.has('index.html'), 'file-missing', `The window is not built: ${folder} holds no index.html.`)
  must(files.size <= MOST_FILES && total <= MOST_BYTES, 'config-invalid', 'The built window is larger than a window.')
  return files
}

const listed = (folder: string): string[] =>
  statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: false }).filter((name) =>
        statSync(join(folder, name)).isFile(),
      )
    : []
