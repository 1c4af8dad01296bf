import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../../shared/errors.ts'
import { MB } from '../../../shared/formats/json.ts'
import { ioError } from '../../files/errors.ts'
import { readFileGuarded } from '../../files/read.ts'
import { type AppContext, recordsOf, viewed } from '../context.ts'

/** The folders in which records lie, as they were written. */

const RECORD_MAX = 16 * MB

/** The record folder of a ceremony of the open vault, or null where none lies at its place. */
export function folderOf(app: AppContext, ceremony: string): string | null {
  const { vault, folder: opened } = viewed(app)
  const folder = join(recordsOf(app.home, opened), ceremony)
  return isOurs(folder, vault.anchor.vaultId) ? folder : null
}

/** Another vault of this name may have had a ceremony of this number. */
function isOurs(folder: string, vaultId: string): boolean {
  const record = join(folder, 'record.json')
  if (!existsSync(record)) return false
  try {
    return Buffer.from(readFileGuarded(record, RECORD_MAX)).includes(`"${vaultId}"`)
  } catch {
    return false
  }
}

/** Code `file-missing` where the folder is not where it was written. */
export function knownFolder(app: AppContext, ceremony: string): string {
  const folder = folderOf(app, ceremony)
  must(folder !== null, 'file-missing', `The record folder of ${ceremony} is not where it was written.`, {
    hint: 'Put it back into the folder “records”. The vault still holds everything that the record follows from.',
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
