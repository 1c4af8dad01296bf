import { accessSync, constants, lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs'
import { basename, dirname, isAbsolute, resolve, sep } from 'node:path'
import type { Gives } from '../../../shared/contract/contract.ts'
import type { Medium } from '../../../shared/contract/machine.ts'
import { must } from '../../../shared/errors.ts'
import { ioError } from '../../files/errors.ts'
import type { AppContext } from '../context.ts'
import { mountOf, mountsNow } from './mounts.ts'
import { room, type Volume, volumesNow } from './volumes.ts'

/** What files are carried on: a mounted volume, or any folder that people name. */

/** So many folders are offered of one; a medium is chosen, not searched for. */
const FOLDERS_MAX = 1000

/** The media at hand, removable ones first; a chosen folder that is none of them stands at the end. */
export async function mediaHere(chosen: string | null): Promise<Medium[]> {
  const volumes = (await volumesNow()) ?? []
  const media = volumes.map(volumeMedium).toSorted((one, other) => Number(other.removable) - Number(one.removable))
  const known = chosen === null || media.some(({ folder }) => folder === chosen)
  return known ? media : [...media, folderMedium(chosen, volumes)]
}

const volumeMedium = ({ folder, label, fileSystem, removable }: Volume): Medium => ({
  folder,
  label,
  fileSystem,
  ...room(folder),
  removable,
  writable: isWritable(folder),
})

function folderMedium(folder: string, volumes: readonly Volume[]): Medium {
  const removable = volumeUnder(volumes, folder)?.removable ?? false
  const fileSystem = mountOf(mountsNow(), folder)?.fileSystem ?? volumeUnder(volumes, folder)?.fileSystem ?? ''
  const label = basename(folder) || folder
  return { folder, label, fileSystem, ...room(folder), removable, writable: isWritable(folder) }
}

/** The volume that a folder lies on; null for a folder of this machine. */
export function volumeUnder(volumes: readonly Volume[], folder: string): Volume | null {
  const within = (root: string) => folder === root || folder.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)
  return volumes.filter((volume) => within(volume.folder)).toSorted(byDepth)[0] ?? null
}

const byDepth = (one: Volume, other: Volume): number => other.folder.length - one.folder.length

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Chooses where files are carried from now on. Codes: `file-missing`; `file-refused` for a path that is not absolute, a
 * link, or no folder; `medium-failed` where nothing can be written.
 */
export async function choose(app: AppContext, folder: string): Promise<Medium> {
  const path = mustBeFolder(folder)
  must(isWritable(path), 'medium-failed', `Nothing can be written to ${path}.`, {
    hint: 'Take off its write protection, or choose another medium.',
  })
  const volumes = (await volumesNow()) ?? []
  app.medium = path
  const volume = volumes.find((one) => one.folder === path)
  return volume ? volumeMedium(volume) : folderMedium(path, volumes)
}

/** An existing folder under its real name. Codes `file-missing`, `file-refused`, `medium-failed`. */
export function mustBeFolder(folder: string): string {
  must(isAbsolute(folder) && !folder.includes('\0'), 'file-refused', `${plainly(folder)} is not a whole path.`, WHOLE)
  const path = resolve(folder)
  const stats = statsOf(path)
  must(!stats.isSymbolicLink(), 'file-refused', `${path} is a link to another place.`, {
    hint: 'Choose the folder that it leads to.',
  })
  must(stats.isDirectory(), 'file-refused', `${path} is not a folder.`, { hint: 'Choose a folder.' })
  return realpathSync(path)
}

const WHOLE = { hint: 'Name the folder from the top, as the file manager shows it.' }
const plainly = (text: string): string => text.replaceAll('\0', '')

function statsOf(path: string): Stats {
  try {
    return lstatSync(path)
  } catch (error) {
    throw ioError(error, 'Reading', path)
  }
}

/**
 * The names of the folders inside one, and the whole path of the folder above it; links and hidden ones are left out. Codes
 * of `mustBeFolder`.
 */
export function foldersIn(folder: string): Gives<'folders'> {
  const path = mustBeFolder(folder)
  const above = dirname(path)
  try {
    const entries = readdirSync(path, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
    const folders = names.toSorted((one, other) => one.localeCompare(other)).slice(0, FOLDERS_MAX)
    return { folder: path, parent: above === path ? null : above, folders }
  } catch (error) {
    throw ioError(error, 'Reading', path)
  }
}
