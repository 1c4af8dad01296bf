import type { Gives } from '../../../shared/contract/contract.ts'
import { type AppContext, carrying } from '../context.ts'
import { powershell, run } from './commands.ts'
import { disksOf, isRemovable } from './disks.ts'
import { named } from './findings.ts'
import { volumeUnder } from './media.ts'
import { type Mount, mountOf, mountsNow } from './mounts.ts'
import { type Volume, volumesNow } from './volumes.ts'
import { type WrittenOut, writeOut } from './write-out.ts'

/** Writing out and letting go of a medium, so that it may be pulled. Whatever the system does not say is never taken for safe. */

const UNMOUNT_MS = 60_000

type Said = Gives<'unmount'>

/**
 * Writes what lies in the chosen folder out, then has the operating system let go of its medium. Says plainly where it did
 * not, or where nobody knows. Codes `medium-failed` where none was chosen or writing out fails, `file-missing` where it is
 * gone already.
 */
export async function letGo(app: AppContext, platform: NodeJS.Platform = process.platform): Promise<Said> {
  const folder = carrying(app)
  const written = writeOut(folder)
  const volumes = await volumesNow(platform)
  const volume = volumes && volumeUnder(volumes, folder)
  if (!volume) {
    const own = volumes !== null && isOwnFolder(platform, folder, mountsNow())
    return own ? ownFolder(written) : nobodyKnows(written)
  }
  await unmount(platform, volume)
  const left = await leftOf(platform, volume)
  if (left !== null && !left.includes(volume.folder)) app.medium = null
  return afterLettingGo(volume, written, left, platform)
}

/** What is known to be written out; nothing more. */
function writtenWords({ closed, more }: WrittenOut, all = 'Everything in the chosen folder'): string {
  if (more) return 'There are too many files to write all of them out from here.'
  if (closed === 0) return `${all} is written out.`
  const files = closed === 1 ? 'One file or folder' : `${closed} files or folders`
  return `${files} could not be opened to write them out; all others are written out.`
}

const ownFolder = (written: WrittenOut): Said => ({
  safe: !written.more && written.closed === 0,
  said: `${writtenWords(written, 'Everything')} This is a folder of this machine: there is nothing to pull.`,
})

const nobodyKnows = (written: WrittenOut): Said => ({
  safe: false,
  said: `${writtenWords(written)} The system does not say what this folder lies on, so nobody knows whether something may be pulled. Let it go in the file manager first.`,
})

/** `left`: where parts of the same medium are still in use; null where the system does not say. */
export function afterLettingGo(
  { folder, label, disks }: Volume,
  written: WrittenOut,
  left: readonly string[] | null,
  platform: NodeJS.Platform,
): Said {
  const first = writtenWords(written)
  if (left === null)
    return {
      safe: false,
      said: `${first} The system does not say whether it let go of ${label}. Let it go in the file manager before anybody pulls it.`,
    }
  if (left.includes(folder))
    return {
      safe: false,
      said: `${first} The system still holds ${label}: another program uses it, or it may not be let go from here. Close what uses it, or let it go in the file manager, before anybody pulls it.`,
    }
  if (left.length > 0)
    return {
      safe: false,
      said: `${first} ${label} is let go, but the same medium is still in use at ${named(left)}. Let that go too before anybody pulls it.`,
    }
  if (disks.length === 0 && platform !== 'win32')
    return {
      safe: false,
      said: `${first} ${label} is let go, but the system does not say whether other parts of the same medium are in use. Look in the file manager before anybody pulls it.`,
    }
  const others = platform === 'win32' ? ' If it has other drives, let them go first.' : ''
  return { safe: true, said: `${first} ${label} is let go.${others} It may be pulled now.` }
}

/** Whether a folder lies in this machine for certain: nothing that is carried, no network, nothing unknown. */
export function isOwnFolder(
  platform: NodeJS.Platform,
  folder: string,
  mounts: readonly Mount[],
  disksAt = disksOf,
): boolean {
  if (platform === 'darwin') return !folder.startsWith('/Volumes/')
  if (platform === 'win32') return folder.slice(0, 2).toUpperCase() === (process.env['SystemDrive'] ?? 'C:')
  const mount = mountOf(mounts, folder)
  if (!mount) return false
  if (IN_MEMORY.has(mount.fileSystem)) return true
  const disks = disksAt(mount)
  return disks.length > 0 && !isRemovable(disks)
}

/** A layer over a folder of this machine, or memory. */
const IN_MEMORY = new Set(['overlay', 'tmpfs', 'ramfs'])

async function unmount(platform: NodeJS.Platform, volume: Volume): Promise<void> {
  for (const [command, ...args] of waysOut(platform, volume)) {
    const ran = await run(command, args, UNMOUNT_MS)
    if (ran?.ok) return
  }
  if (platform === 'win32') await powershell(windowsEject(volume.device))
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

/** Where a volume and others of the same disks are mounted now; null where the system does not say. */
async function leftOf(platform: NodeJS.Platform, volume: Volume): Promise<string[] | null> {
  if (platform === 'linux') return mountedOn(mountsNow(), volume)
  const volumes = await volumesNow(platform)
  const sameMedium = (one: Volume) => one.folder === volume.folder || meet(one.disks, volume.disks)
  return volumes?.filter(sameMedium).map(folderOf) ?? null
}

/** The same for Linux, of whatever is mounted, not only of what people carry. */
export function mountedOn(
  mounts: readonly Mount[],
  { folder, disks }: Pick<Volume, 'folder' | 'disks'>,
  disksAt = disksOf,
): string[] | null {
  if (mounts.length === 0) return null
  const left = mounts.filter(
    (one) => one.folder === folder || (one.source.startsWith('/dev/') && meet(disksAt(one), disks)),
  )
  return [...new Set(left.map(folderOf))]
}

const folderOf = ({ folder }: { folder: string }): string => folder
const meet = (some: readonly string[], others: readonly string[]): boolean => some.some((one) => others.includes(one))
