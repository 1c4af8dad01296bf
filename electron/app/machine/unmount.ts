import { closeSync, constants, fsyncSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Gives } from '../../../shared/contract/contract.ts'
import { ioError } from '../../files/errors.ts'
import { syncFolder } from '../../files/write.ts'
import { type AppContext, carrying } from '../context.ts'
import { powershell, run } from './commands.ts'
import { volumeUnder } from './media.ts'
import { type Volume, volumesNow } from './volumes.ts'

/** Writing out and letting go of a medium, so that it may be pulled. */

const UNMOUNT_MS = 60_000
const WALK_MAX = 20_000

/**
 * Writes everything on the chosen medium out, then has the operating system let go of it. Says plainly where it did not.
 * Codes `medium-failed` where none was chosen or writing out fails, `file-missing` where it is gone already.
 */
export async function letGo(app: AppContext): Promise<Gives<'unmount'>> {
  const folder = carrying(app)
  syncAll(folder)
  const volume = volumeUnder(await volumesNow(), folder)
  if (!volume)
    return {
      safe: true,
      said: 'Everything is written out. This is a folder of this machine: there is nothing to pull.',
    }
  if (await unmounted(volume)) {
    app.medium = null
    return { safe: true, said: `Everything is written out, and ${volume.label} is let go. It may be pulled now.` }
  }
  return {
    safe: false,
    said: `Everything is written out, but the system still holds ${volume.label}: another program uses it, or it may not be let go from here. Close what uses it, or let it go in the file manager, before anybody pulls it.`,
  }
}

/** Makes every file below a folder durable, then the folders. Code `medium-failed`. */
export function syncAll(folder: string): void {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).slice(0, WALK_MAX)
    for (const entry of entries) if (entry.isFile()) syncFile(join(entry.parentPath, entry.name))
    for (const entry of entries) if (entry.isDirectory()) syncFolder(join(entry.parentPath, entry.name))
  } catch (error) {
    throw ioError(error, 'Writing', folder)
  }
  syncFolder(folder)
}

/** Windows writes out only what was opened for writing. */
const SYNC_FLAGS = process.platform === 'win32' ? constants.O_RDWR : constants.O_RDONLY
const FLAGS = SYNC_FLAGS | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

function syncFile(path: string): void {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch {
    // What this program may not even open it did not write either; the system writes it out when it lets go.
    return
  }
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

async function unmounted(volume: Volume): Promise<boolean> {
  for (const [command, ...args] of waysOut(process.platform, volume)) {
    const ran = await run(command, args, UNMOUNT_MS)
    if (ran?.ok) return stillThere(volume).then((there) => !there)
  }
  if (process.platform !== 'win32') return false
  await powershell(windowsEject(volume.device))
  return !(await stillThere(volume))
}

/** The programs that let go of a volume, in the order of trying. */
export function waysOut(
  platform: NodeJS.Platform,
  { device, folder }: Pick<Volume, 'device' | 'folder'>,
): [string, ...string[]][] {
  if (platform === 'linux')
    return [
      ['udisksctl', 'unmount', '--no-user-interaction', '-b', device],
      ['umount', '--', folder],
    ]
  return platform === 'darwin' ? [['/usr/sbin/diskutil', 'eject', device]] : []
}

/** The eject of the file manager: item 17 of the shell is "This PC". The drive letter was checked when it was read. */
export const windowsEject = (drive: string): string =>
  `(New-Object -ComObject Shell.Application).NameSpace(17).ParseName('${drive}').InvokeVerb('Eject'); Start-Sleep 3`

const stillThere = async ({ folder }: Volume): Promise<boolean> =>
  (await volumesNow()).some((volume) => volume.folder === folder)
