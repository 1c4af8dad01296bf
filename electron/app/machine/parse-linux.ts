import { type Finding, fail, named, pass, unknown } from './findings.ts'

/** What Linux says of itself, read without asking any program. Each function takes the text of one file. */

/** /proc/swaps: the areas in use. A first line names the columns. */
export const parseSwaps = (text: string): string[] =>
  text
    .split('\n')
    .slice(1)
    .flatMap((line) => line.trim().split(/\s+/)[0] || [])

/** zram keeps pages in memory unless it was given a device to write them back to. */
export function swapFinding(swaps: readonly string[], backingOf: (name: string) => string): Finding {
  const written = swaps.filter((path) => {
    const [, zram] = /^\/dev\/(zram\d+)$/.exec(path) ?? []
    return !zram || backingOf(zram) !== 'none'
  })
  if (written.length > 0) return fail(`Swap is in use: ${named(written)}.`)
  return pass(
    swaps.length > 0 ? 'Only compressed memory (zram) is in use; it writes to no disk.' : 'No swap is in use.',
  )
}

/**
 * /sys/power/state and /sys/power/disk, null where the kernel has no such file; and the swap areas, because Linux
 * hibernates to swap and to nothing else.
 */
export function hibernationFinding(state: string | null, disk: string | null, swaps: readonly string[]): Finding {
  if (state === null) return unknown('This machine does not say whether it can hibernate.')
  const offered = state.trim().split(/\s+/).includes('disk')
  if (!offered || disk?.includes('[disabled]')) return pass('The kernel does not hibernate.')
  return swaps.length > 0
    ? fail(`The kernel can hibernate to ${named(swaps)}.`)
    : pass('The kernel could hibernate, but there is no swap that it could write memory to.')
}

/** The soft limit of the size of a core file in /proc/PID/limits; null where it is not there. */
export function parseCoreLimit(text: string): string | null {
  const [, soft] = /^Max core file size\s+(\S+)\s/m.exec(text) ?? []
  return soft ?? null
}

/** core(5): a pipe gets the memory of a process whatever its limit is. */
export function coreFinding(limit: string | null, pattern: string | null): Finding {
  if (limit === null || pattern === null) return unknown('This machine does not say what it does with a crash.')
  const to = pattern.trim()
  if (to === '/dev/null') return pass('Memory of a crashed program is thrown away.')
  if (to.startsWith('|'))
    return fail(`Memory of a crashed program is given to ${to.slice(1).trim().split(/\s/)[0]}, which may keep it.`)
  return limit === '0'
    ? pass('Memory of a crashed program is not written: the limit is 0.')
    : fail(`Memory of a crashed program is written to a file; the limit is ${limit}.`)
}

/** One block device with what lies below it: `uuid` as device-mapper says it, null for what is no device-mapper device. */
export type BlockDevice = { name: string; uuid: string | null; below: readonly BlockDevice[] }

/** True where everything that is written to this device passes an encrypted layer. */
export function isEncrypted({ uuid, below }: BlockDevice): boolean {
  if (uuid?.startsWith('CRYPT-')) return true
  return below.length > 0 && below.every(isEncrypted)
}

/** The device of a folder, or null where the file system stands on none that the kernel names. */
export function encryptionFinding(device: BlockDevice | null, folder: string, fileSystem: string): Finding {
  if (!device)
    return unknown(
      `${folder} lies on ${fileSystem || 'a file system'}, of which this machine does not say where it is kept.`,
    )
  return isEncrypted(device)
    ? pass(`${folder} lies on an encrypted device (${device.name}).`)
    : fail(`${folder} lies on ${device.name}, and the kernel shows no encryption below it.`)
}
