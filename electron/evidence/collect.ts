import { lstatSync, readdirSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { KeyriteError } from '../../shared/errors.ts'
import { ioError } from '../files/errors.ts'

/** The files below the given paths. Links, devices and FIFOs are named, never followed. */

export const MOST_FILES = 20_000
const DEEPEST = 12

export type Found = { path: string; regular: boolean }

/** Lists files in order of their names, each once. Codes `file-missing`, `usage-invalid` for too many or too deep. */
export function collect(paths: readonly string[]): Found[] {
  const found = new Map<string, Found>()
  const visit = (path: string, depth: number): void => {
    if (depth > DEEPEST) throw new KeyriteError('usage-invalid', `${path} is nested more than ${DEEPEST} folders deep.`)
    const stat = look(path)
    if (stat.isDirectory()) for (const name of names(path)) visit(join(path, name), depth + 1)
    else found.set(path, { path, regular: stat.isFile() })
    if (found.size > MOST_FILES) throw new KeyriteError('usage-invalid', `These are more than ${MOST_FILES} files.`)
  }
  for (const path of paths) visit(normalize(path), 0)
  return [...found.values()]
}

function look(path: string) {
  try {
    return lstatSync(path)
  } catch (error) {
    throw ioError(error, 'Reading', path)
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    throw ioError(error, 'Reading', folder)
  }
}
