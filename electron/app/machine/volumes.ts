import { readdirSync, realpathSync, statfsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { outputOf, powershell } from './commands.ts'
import { disksOf, isRemovable } from './disks.ts'
import { type Mount, mountsNow } from './mounts.ts'

/** Mounted volumes that people may carry, as each operating system tells of them. */

export type Volume = {
  folder: string
  label: string
  fileSystem: string
  removable: boolean
  /** What the operating system calls it when it is to let go of it. */
  device: string
  /** The whole disks that it lies on; empty where the operating system does not tell. */
  disks: readonly string[]
}

/** Where desktops and people mount what they put in. */
const CARRIED = /^\/(?:media|run\/media|mnt)\//

/** The volumes among the mounts of Linux that people may carry; null where nothing is said to be mounted. */
export function linuxVolumes(mounts: readonly Mount[], disksAt = disksOf): Volume[] | null {
  // A root is always mounted: a table without anything was not read.
  if (mounts.length === 0) return null
  const volumes = mounts.flatMap((mount): Volume[] => {
    const { folder, fileSystem, source } = mount
    if (!source.startsWith('/dev/')) return []
    const disks = disksAt(mount)
    const removable = isRemovable(disks)
    if (!CARRIED.test(folder) && !(removable && !SYSTEM.test(folder))) return []
    return [{ folder, label: linuxLabel(mount) ?? basename(folder), fileSystem, removable, device: source, disks }]
  })
  return [...new Map(volumes.map((volume) => [volume.folder, volume])).values()]
}

/** A machine that runs from a stick has its system on something removable; nobody carries files there. Containers mount single files. */
const SYSTEM = /^\/(?:$|boot|home$|usr|var|etc|tmp$|proc|sys|dev|nix|snap|run\/(?!media\/))/

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

/** The root is always there: an answer without it is none. */
const MAC_ROOT = /^\/dev\/\S+ on \/ \(/m
/** `/dev/disk4s1` lies on `disk4`. */
const macDisks = (device: string): string[] => /^\/dev\/(disk\d+)/.exec(device)?.slice(1) ?? []

async function macVolumes(): Promise<Volume[] | null> {
  const said = await outputOf('/sbin/mount', [])
  if (said === null || !MAC_ROOT.test(said)) return null
  return Promise.all(
    parseMacMounts(said).map(async ({ device, folder, fileSystem }) => {
      const info = (await outputOf('/usr/sbin/diskutil', ['info', folder])) ?? ''
      const removable = parseMacRemovable(info)
      return { folder, label: basename(folder), fileSystem, removable, device, disks: macDisks(device) }
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

/** What Win32_LogicalDisk says as JSON, without the system's own drive. Null for anything of another form, or without that drive. */
export function parseWindowsDrives(text: string, systemDrive: string): Volume[] | null {
  try {
    const drives = windowsDrives.parse(JSON.parse(text))
    if (!drives.some(({ DeviceID }) => DeviceID === systemDrive)) return null
    return drives.flatMap((drive) => {
      const { DeviceID: device, VolumeName: label, FileSystem: fileSystem, DriveType: type } = drive
      if (device === systemDrive || (type !== REMOVABLE && type !== FIXED) || !fileSystem) return []
      const removable = type === REMOVABLE
      return [{ folder: `${device}\\`, label: label || device, fileSystem, removable, device, disks: [] }]
    })
  } catch {
    return null
  }
}

const ASK_WINDOWS =
  'ConvertTo-Json @(Get-CimInstance Win32_LogicalDisk | Select-Object DeviceID,VolumeName,FileSystem,DriveType)'

async function windowsVolumes(): Promise<Volume[] | null> {
  return parseWindowsDrives((await powershell(ASK_WINDOWS)) ?? '', process.env['SystemDrive'] ?? 'C:')
}

/** The volumes mounted now; null where the system does not say, or is none of the three. */
export async function volumesNow(platform: NodeJS.Platform = process.platform): Promise<Volume[] | null> {
  if (platform === 'linux') return linuxVolumes(mountsNow())
  if (platform === 'darwin') return macVolumes()
  return platform === 'win32' ? windowsVolumes() : null
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
