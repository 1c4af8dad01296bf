import { readdirSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'

/** Which network interfaces are up. A cable alone counts: an interface needs no address to receive. */

const LINUX_INTERFACES = '/sys/class/net'

/** Whether Linux says of an interface that it works. `unknown` is what drivers without a carrier say, tunnels among them. */
export function isUp(operstate: string, flags: string): boolean {
  const state = operstate.trim()
  // IFF_UP: somebody switched it on.
  return state === 'up' || (state === 'unknown' && (Number.parseInt(flags, 16) & 1) === 1)
}

/** Names of the interfaces that are up in a folder like Linux's /sys/class/net, except the loopback. Throws where it cannot be read. */
export function upInFolder(folder: string): string[] {
  return readdirSync(folder).filter((name) => {
    const read = (file: string) => textOf(join(folder, name, file))
    // IFF_LOOPBACK
    return (Number.parseInt(read('flags'), 16) & 8) === 0 && isUp(read('operstate'), read('flags'))
  })
}

/**
 * Names of all network interfaces that are up, virtual ones too, in order; the loopback is none of them. Throws where the
 * machine does not tell: then nobody knows, which is not the same as none.
 */
export function networksUp(): string[] {
  const addressed = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).some((address) => !address.internal) ? [name] : [],
  )
  const linked = process.platform === 'linux' ? upInFolder(LINUX_INTERFACES) : []
  return [...new Set([...addressed, ...linked])].sort()
}

/** Stands among the names where the machine does not tell, so that nothing takes it for offline. */
export const NOT_TOLD = 'not told by this machine'

/** The names of those that are up, or the one that says that nobody knows. Never throws. */
export function networksOrNotTold({ networks }: { networks: () => string[] }): string[] {
  try {
    return networks()
  } catch {
    return [NOT_TOLD]
  }
}

/** What reading says of an interface that went away meanwhile, or of a file among them. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ENODEV'])

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // Anything else must not look like an interface that is down.
    if (error instanceof Error && 'code' in error && GONE.has(String(error.code))) return ''
    throw error
  }
}
