import { existsSync, readdirSync, readFileSync, realpathSync, statfsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { outputOf, powershell } from './commands.ts'
import { type Mount, mountsNow } from './mounts.ts'

/** Mounted volumes that people may carry, as each operating system tells of them. */

export type Volume = {
  folder: string
  label: string
  fileSystem: string
  removable: boolean
  /** What the operating system calls it when it is to let go of it. */
  device: string
}

/** Where desktops and people mount what they put in. */
const CARRIED = /^\/(?:media|run\/media|mnt)\//

function linuxVolumes(): Volume[] {
  const volumes = mountsNow().flatMap((mount): Volume[] => {
    if (!mount.source.startsWith('/dev/')) return []
    const removable = isRemovable(`/sys/dev/block/${mount.device}`)
    if (!CARRIED.test(mount.folder) && !(removable && !SYSTEM.test(mount.folder))) return []
    const { folder, fileSystem, source } = mount
    return [{ folder, label: linuxLabel(mount) ?? basename(folder), fileSystem, removable, device: source }]
  })
  return [...new Map(volumes.map((volume) => [volume.folder, volume])).values()]
}

/** A machine that runs from a stick has its system on something removable; nobody carries files there. Containers mount single files. */
const SYSTEM = /^\/(?:$|boot|home$|usr|var|etc|tmp$|proc|sys|dev|nix|snap|run\/(?!media\/))/

/** The kernel says it of the whole disk, above its partitions; disks on USB say "fixed" and are carried all the same. */
function isRemovable(block: string): boolean {
  try {
    const path = realpathSync(block)
    const disk = existsSync(join(path, 'partition')) ? dirname(path) : path
    return path.includes('/usb') || readFileSync(join(disk, 'removable'), 'utf8').trim() === '1'
  } catch {
    return false
  }
}

const LABELS = '/dev/disk/by-label'

/** udev writes what is not a plain character as `\x20`. */
export const plainLabel = (name: string): string =>
  Buffer.from(
    name.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8')

function linuxLabel({ source }: Mount): string | null {
  try {
    const device = realpathSync(source)
    const name = readdirSync(LABELS, 'latin1').find((label) => realpathSync(join(LABELS, label)) === device)
    return name === undefined ? null : plainLabel(name)
  } catch {
    return null
  }
}

/** Lines of `mount` on macOS: `/dev/disk4s1 on /Volumes/KEYS (msdos, local, nodev, …)`. */
export function parseMacMounts(text: string): { device: string; folder: string; fileSystem: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, device, folder, fileSystem] = /^(\/dev\/\S+) on (\/Volumes\/.+) \(([^,)]+)/.exec(line) ?? []
    return device && folder && fileSystem ? [{ device, folder, fileSystem }] : []
  })
}

/** `diskutil info`: whether a volume can be taken out or sits outside of the machine. */
export const parseMacRemovable = (text: string): boolean =>
  /^\s*Removable Media:\s*(?:Removable|Yes)/m.test(text) || /^\s*Device Location:\s*External/m.test(text)

async function macVolumes(): Promise<Volume[]> {
  const mounts = parseMacMounts((await outputOf('/sbin/mount', [])) ?? '')
  return Promise.all(
    mounts.map(async ({ device, folder, fileSystem }) => {
      const info = (await outputOf('/usr/sbin/diskutil', ['info', folder])) ?? ''
      return { folder, label: basename(folder), fileSystem, removable: parseMacRemovable(info), device }
    }),
  )
}

const windowsDrive = z.looseObject({
  DeviceID: z.string().regex(/^[A-Z]:$/),
  VolumeName: z.string().nullable(),
  FileSystem: z.string().nullable(),
  DriveType: z.int(),
})
/** PowerShell writes one result without brackets around it. */
const windowsDrives = z.union([z.array(windowsDrive), windowsDrive.transform((drive) => [drive])])

const REMOVABLE = 2
const FIXED = 3

/** What Win32_LogicalDisk says as JSON, without the system's own drive. Empty for anything of another form. */
export function parseWindowsDrives(text: string, systemDrive: string): Volume[] {
  try {
    return windowsDrives.parse(JSON.parse(text)).flatMap((drive) => {
      const { DeviceID: device, VolumeName: label, FileSystem: fileSystem, DriveType: type } = drive
      if (device === systemDrive || (type !== REMOVABLE && type !== FIXED) || !fileSystem) return []
      return [{ folder: `${device}\\`, label: label || device, fileSystem, removable: type === REMOVABLE, device }]
    })
  } catch {
    return []
  }
}

const ASK_WINDOWS =
  'ConvertTo-Json @(Get-CimInstance Win32_LogicalDisk | Select-Object DeviceID,VolumeName,FileSystem,DriveType)'

async function windowsVolumes(): Promise<Volume[]> {
  return parseWindowsDrives((await powershell(ASK_WINDOWS)) ?? '', process.env['SystemDrive'] ?? 'C:')
}

/** The volumes mounted now; empty on a system that is none of the three. */
export async function volumesNow(): Promise<Volume[]> {
  if (process.platform === 'linux') return linuxVolumes()
  if (process.platform === 'darwin') return macVolumes()
  return process.platform === 'win32' ? windowsVolumes() : []
}

/** Bytes of the file system that a folder lies in; nulls where it does not tell. */
export function room(folder: string): { size: number | null; free: number | null } {
  try {
    const { bsize, blocks, bavail } = statfsSync(folder)
    return { size: blocks * bsize, free: bavail * bsize }
  } catch {
    return { size: null, free: null }
  }
}
