import { createHash } from 'node:crypto'
import { createReadStream, existsSync, lstatSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyriteError } from '../../../shared/errors.ts'

/** The fingerprint of this very app, for comparison with the one that its release names. */

const CHECKED_OUT = ['electron', 'shared', 'renderer', 'package-lock.json']
/** Packaged, everything that the app is stands in one archive, and this file within it. */
const ARCHIVE = `${sep}app.asar${sep}`
const BUNDLES = ['build', 'renderer']
const UP = '../../../'
/** Built but not packaged. */
const BUILT = `${sep}.vite${sep}`

/** SHA-256 (base64url) over a file as it lies on the medium. */
async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('base64url')
}

/** SHA-256 over `DIGEST PATH` lines of every file below `parts`, in order of their paths. Links are refused. */
export async function digestTree(root: string, parts: readonly string[]): Promise<string> {
  const paths = parts.flatMap((part) => filesBelow(join(root, part)))
  const named = paths.map((path) => ({ path, name: relative(root, path).split(sep).join('/') }))
  const hash = createHash('sha256')
  for (const { path, name } of named.toSorted((one, other) => (one.name < other.name ? -1 : 1)))
    hash.update(`${await digestFile(path)} ${name}\n`)
  return hash.digest('base64url')
}

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return []
  const stats = lstatSync(path)
  if (stats.isFile()) return [path]
  if (!stats.isDirectory()) throw new KeyriteError('file-refused', `${path} is part of the app and no regular file.`)
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)))
}

/** The fingerprint of the running app, and what it covers. Codes as `digestTree`. */
export async function appDigest(): Promise<{ digest: string; covers: string }> {
  const here = fileURLToPath(import.meta.url)
  const at = here.indexOf(ARCHIVE)
  if (at !== -1) return { digest: await digestArchive(here.slice(0, at + ARCHIVE.length - 1)), covers: 'app.asar' }
  const built = here.indexOf(BUILT)
  if (built !== -1)
    return { digest: await digestTree(here.slice(0, built + BUILT.length), BUNDLES), covers: 'its bundles' }
  const root = fileURLToPath(new URL(UP, import.meta.url))
  return { digest: await digestTree(root, CHECKED_OUT), covers: 'its source files and package-lock.json' }
}

/** Electron shows the archive as a folder unless it is told not to. */
async function digestArchive(path: string): Promise<string> {
  const before = process.noAsar
  process.noAsar = true
  try {
    return await digestFile(path)
  } finally {
    process.noAsar = before ?? false
  }
}
