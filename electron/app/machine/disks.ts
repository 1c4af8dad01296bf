import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mount } from './mounts.ts'

/** Which disks of Linux lie below what is mounted, through partitions, encryption and volume groups. */

const DEPTH_MAX = 8

/** The whole disks under a mount, as folders of /sys; empty where this machine does not tell. */
export function disksOf({ device, source }: Pick<Mount, 'device' | 'source'>): string[] {
  const disks = disksUnder(`/sys/dev/block/${device}`)
  return disks.length > 0 ? disks : disksUnder(blockOf(source))
}

/** The whole disks under a block device of /sys; empty where one of its layers cannot be looked at. */
export function disksUnder(block: string, depth = 0): string[] {
  try {
    if (block === '' || depth > DEPTH_MAX) return []
    const path = realpathSync(block)
    const slaves = existsSync(join(path, 'slaves')) ? readdirSync(join(path, 'slaves')) : []
    if (slaves.length === 0) return [existsSync(join(path, 'partition')) ? dirname(path) : path]
    const below = slaves.map((name) => disksUnder(join(path, 'slaves', name), depth + 1))
    return below.some((disks) => disks.length === 0) ? [] : [...new Set(below.flat())]
  } catch {
    return []
  }
}

/** The kernel says it of the whole disk; disks on USB say "fixed" and are carried all the same. */
export function isRemovable(disks: readonly string[]): boolean {
  return disks.some((disk) => {
    try {
      return disk.includes('/usb') || readFileSync(join(disk, 'removable'), 'utf8').trim() === '1'
    } catch {
      return false
    }
  })
}

/** File systems over several devices have a number of their own; the device file that was mounted tells one of them. */
export function blockOf(source: string): string {
  try {
    const stats = statSync(source)
    if (!source.startsWith('/dev/') || !stats.isBlockDevice()) return ''
    // As Linux numbers devices (makedev(3)).
    const major = (stats.rdev >>> 8) & 0xfff
    const minor = (stats.rdev & 0xff) | ((stats.rdev >>> 12) & 0xfff00)
    return `/sys/dev/block/${major}:${minor}`
  } catch {
    return ''
  }
}
