import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { blockOf } from './disks.ts'
import { unknown } from './findings.ts'
import { type Mount, mountOf, mountsNow } from './mounts.ts'
import {
  type BlockDevice,
  coreFinding,
  encryptionFinding,
  hibernationFinding,
  parseCoreLimit,
  parseSwaps,
  swapFinding,
} from './parse-linux.ts'
import type { SystemProbes } from './probes.ts'

/** Linux, by what its kernel shows in /proc and /sys. */

export const linuxProbes: SystemProbes = {
  swap: () => {
    const swaps = text('/proc/swaps')
    if (swaps === null) return unknown('This machine does not say whether it swaps.')
    return swapFinding(parseSwaps(swaps), (zram) => text(`/sys/block/${zram}/backing_dev`)?.trim() ?? 'none')
  },
  hibernation: () =>
    hibernationFinding(text('/sys/power/state'), text('/sys/power/disk'), parseSwaps(text('/proc/swaps') ?? '')),
  coreDumps: () => coreFinding(parseCoreLimit(text('/proc/self/limits') ?? ''), text('/proc/sys/kernel/core_pattern')),
  encryption: (folder) => {
    const mount = mountOf(mountsNow(), folder)
    if (!mount) return unknown('This machine does not say where this folder is kept.')
    return encryptionFinding(deviceOf(mount), folder, mount.fileSystem)
  },
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

const DEPTH_MAX = 8

function deviceOf(mount: Mount): BlockDevice | null {
  return deviceAt(`/sys/dev/block/${mount.device}`) ?? deviceAt(blockOf(mount.source))
}

function deviceAt(path: string, depth = 0): BlockDevice | null {
  try {
    const real = realpathSync(path)
    if (path === '' || depth > DEPTH_MAX) return null
    const slaves = depth < DEPTH_MAX ? children(join(real, 'slaves')) : []
    const below = slaves.flatMap((name) => deviceAt(join(real, 'slaves', name), depth + 1) ?? [])
    const name = text(join(real, 'dm', 'name'))?.trim() ?? basename(real)
    // One that cannot be looked at counts as one without encryption.
    const all = below.length === slaves.length ? below : [{ name: '', uuid: null, below: [] }]
    return { name, uuid: text(join(real, 'dm', 'uuid'))?.trim() ?? null, below: all }
  } catch {
    return null
  }
}

function children(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
