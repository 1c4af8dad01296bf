import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { KeyriteError } from '../../shared/errors.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { parseShareFile, SHARE_FILE_MAX, shareFile, shareHeader } from '../../shared/formats/share-file.ts'
import { readFileGuarded } from '../files/read.ts'
import { makeFolder, tryRemove, writeNewFile } from '../files/write.ts'

/** Shares on custodians' own media: `.share` files in folders that are named when a vault is opened. */

type Found = { path: string; jwe: string; vaultId: string; person: string; epoch: number }

const SUFFIX = '.share'

/** Every share file in the folders. What is none is passed over: media hold other things too. */
function shareFiles(folders: readonly string[]): Found[] {
  return folders.flatMap((folder) =>
    names(folder).flatMap((name) => {
      const path = join(folder, name)
      try {
        const jwe = parseShareFile(readFileGuarded(path, SHARE_FILE_MAX))
        return [{ path, jwe, ...shareHeader(jwe) }]
      } catch (error) {
        if (error instanceof KeyriteError) return []
        throw error
      }
    }),
  )
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(SUFFIX))
      .sort()
  } catch {
    return []
  }
}

/**
 * The shares of one person and epoch on the media, newest name last; several where a dealing was repeated. Code
 * `share-invalid`, naming the person, and what was found instead.
 */
export function findShares(
  folders: readonly string[],
  { vaultId, person, epoch }: Omit<Found, 'path' | 'jwe'>,
): string[] {
  const theirs = shareFiles(folders).filter((one) => one.person === person)
  const fitting = theirs.filter((one) => one.vaultId === vaultId && one.epoch === epoch)
  if (fitting.length > 0) return fitting.map((one) => one.jwe)
  const stale = theirs.find((one) => one.vaultId === vaultId)
  if (stale)
    throw new KeyriteError(
      'share-invalid',
      `The share file of ${person} is of epoch ${stale.epoch}, and this vault needs the one of epoch ${epoch}.`,
    )
  if (theirs.length > 0) throw new KeyriteError('share-invalid', `The share file of ${person} is of another vault.`)
  throw new KeyriteError(
    'share-invalid',
    `The share of ${person} lies on their own medium, and no share file of theirs was found.`,
    { hint: 'Insert that medium and name its folder with --shares.' },
  )
}

/** Writes shares to a medium, all of them or none; gives their paths. Codes of `writeNewFile`. */
export function writeShares(folder: string, jwes: Iterable<string>, at: number): string[] {
  const written: string[] = []
  try {
    for (const jwe of jwes) {
      makeFolder(folder)
      const path = join(folder, fileName('share', jwe, at, 'share'))
      writeNewFile(path, shareFile(jwe))
      written.push(path)
    }
    return written
  } catch (error) {
    removeShares(written)
    throw error
  }
}

export function removeShares(paths: readonly string[]): void {
  for (const path of paths) tryRemove(path)
}
