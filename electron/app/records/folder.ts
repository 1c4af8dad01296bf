import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../../shared/errors.ts'
import { MB } from '../../../shared/formats/json.ts'
import { parseRecord } from '../../../shared/formats/record.ts'
import { ioError } from '../../files/errors.ts'
import { readFileGuarded } from '../../files/read.ts'
import type { Vault } from '../../vault/vault.ts'
import { type AppContext, recordsOf, viewed } from '../context.ts'

/** The folders in which records lie, as they were written. */

const RECORD_MAX = 16 * MB

/** Which vault and which ceremony a record says that it is of. */
type Names = { vault: string; ceremony: string }
type Looked = { stamp: string; names: Names | null }

/** What was found when a record was last read: as long as the file is as it was, it is not read again for a list. */
const looked = new WeakMap<Vault, Map<string, Looked>>()

/** The record folder of a ceremony of the open vault, or null where none lies at its place. */
export function folderOf(app: AppContext, ceremony: string): string | null {
  const { vault, folder: opened } = viewed(app)
  const folder = join(recordsOf(opened), ceremony)
  return isOf(namesKept(vault, folder), vault, ceremony) ? folder : null
}

/** Another vault of this name may have had a ceremony of this number, and folders can be moved. */
const isOf = (names: Names | null, { anchor }: Vault, ceremony: string): boolean =>
  names?.vault === anchor.vaultId && names.ceremony === ceremony

function namesKept(vault: Vault, folder: string): Names | null {
  const kept = looked.get(vault) ?? new Map<string, Looked>()
  looked.set(vault, kept)
  const stats = statsOf(recordIn(folder))
  if (!stats) return null
  const stamp = [stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join()
  const before = kept.get(folder)
  if (before?.stamp === stamp) return before.names
  const names = namesIn(folder)
  kept.set(folder, { stamp, names })
  return names
}

const recordIn = (folder: string): string => join(folder, 'record.json')

function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path)
  } catch {
    return null
  }
}

/** Null for what is no record, or cannot be read. */
function namesIn(folder: string): Names | null {
  try {
    const { record } = parseRecord(readFileGuarded(recordIn(folder), RECORD_MAX))
    return { vault: record.vault.id, ceremony: record.ceremony }
  } catch {
    return null
  }
}

/** The same, read anew. Code `file-missing` where the folder is not where it was written. */
export function knownFolder(app: AppContext, ceremony: string): string {
  const { vault, folder: opened } = viewed(app)
  const folder = join(recordsOf(opened), ceremony)
  const there = isOf(namesIn(folder), vault, ceremony)
  must(there, 'file-missing', `The record folder of ${ceremony} is not where it was written.`, {
    hint: 'Put it back into the folder “records”, or have it written again: it follows from the vault.',
  })
  return folder
}

/** Regular files of a folder by name, with their size. */
export function filesIn(folder: string): { name: string; size: number }[] {
  try {
    return readdirSync(folder)
      .toSorted()
      .flatMap((name) => {
        const stat = lstatSync(join(folder, name))
        return stat.isFile() ? [{ name, size: stat.size }] : []
      })
  } catch (error) {
    throw ioError(error, 'Reading', folder)
  }
}
