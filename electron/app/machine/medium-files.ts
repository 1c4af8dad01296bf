import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Gives } from '../../../shared/contract/contract.ts'
import { FILE_KINDS, type MediumFile } from '../../../shared/contract/machine.ts'
import { CEREMONY_KINDS } from '../../../shared/domain/events.ts'
import { must } from '../../../shared/errors.ts'
import { type Kind, recognise } from '../../evidence/recognise.ts'
import { ioError } from '../../files/errors.ts'
import { readStartGuarded } from '../../files/read.ts'
import { type AppContext, carrying } from '../context.ts'

/** What lies on the medium, by content and never by name. Nothing is taken in by listing it. */

/** So many are listed, the newest ones; nobody looks through more. */
const FILES_MAX = 500
const ENTRIES_MAX = 10_000
const PLAN_MAX = 4 * 1024 * 1024
const PLAN_START = 16 * 1024
const NAME_MAX = 255

/** The files of the chosen medium. Codes `medium-failed` where none was chosen or it does not read, `file-missing` once it is out. */
export function filesOn(app: AppContext): Gives<'files'> {
  const folder = carrying(app)
  return { folder, files: listFiles(folder) }
}

/**
 * The files in a folder and the backups, newest first. Links, pipes, devices, hidden names and names with unprintable
 * characters are left out. Codes `file-missing`, `medium-failed`.
 */
export function listFiles(folder: string): MediumFile[] {
  try {
    const names = readdirSync(folder).slice(0, ENTRIES_MAX)
    const found = names.flatMap((name) => seen(folder, name) ?? [])
    const newest = found.toSorted((one, other) => other.modified - one.modified || (one.name < other.name ? -1 : 1))
    return newest.slice(0, FILES_MAX).map((file) => ({ ...file, kind: kindOf(join(folder, file.name)) }))
  } catch (error) {
    throw ioError(error, 'Reading', folder)
  }
}

const isPlainName = (name: string): boolean =>
  name.length <= NAME_MAX &&
  !name.startsWith('.') &&
  !/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name)

function seen(folder: string, name: string): Omit<MediumFile, 'kind'> | null {
  if (!isPlainName(name)) return null
  try {
    const stats = lstatSync(join(folder, name))
    if (!stats.isFile() && !(stats.isDirectory() && isBackup(join(folder, name)))) return null
    const size = stats.isFile() ? stats.size : lstatSync(join(folder, name, 'vault.db')).size
    return { name, size, modified: Math.max(0, Math.floor(stats.mtimeMs / 1000)) }
  } catch {
    // Gone since it was listed.
    return null
  }
}

/** A folder with both files of a vault. */
function isBackup(path: string): boolean {
  try {
    return ['people.json', 'vault.db'].every((name) => lstatSync(join(path, name)).isFile())
  } catch {
    return false
  }
}

/** Kinds that are recognised by their content and that people see by their name; the others are `other` to them. */
const isShown = (kind: Kind): kind is Kind & MediumFile['kind'] => FILE_KINDS.some((shown) => shown === kind)

/** What a file or folder is, by the beginning of its content; `other` for what cannot be read or told. */
export function kindOf(path: string): MediumFile['kind'] {
  try {
    if (lstatSync(path).isDirectory()) return isBackup(path) ? 'backup' : 'other'
    const kind = recognise(path)
    if (isShown(kind)) return kind
    return isPlan(path) ? 'plan' : 'other'
  } catch {
    return 'other'
  }
}

const NAMES_KIND = new RegExp(`"kind"\\s*:\\s*"(?:${CEREMONY_KINDS.join('|')})"`)

function isPlan(path: string): boolean {
  if (lstatSync(path).size > PLAN_MAX) return false
  const start = new TextDecoder().decode(readStartGuarded(path, { maxBytes: PLAN_MAX, length: PLAN_START }))
  return /^\s*\{/.test(start) && NAMES_KIND.test(start)
}

/** The path of a file on the chosen medium. Code `file-refused` for what is not a plain name in that very folder. */
export function onMedium(app: AppContext, name: string): string {
  const plain = isPlainName(name) && !/[/\\]/.test(name)
  must(plain, 'file-refused', 'This is not the name of a file on the medium.')
  return join(carrying(app), name)
}
