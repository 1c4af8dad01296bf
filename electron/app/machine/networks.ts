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

/** Names of the interfaces that are up in a folder like Linux's /sys/class/net, except the loopback. */
export function upInFolder(folder: string): string[] {
  return list(folder).filter((name) => {
    const read = (file: string) => textOf(join(folder, name, file))
    // IFF_LOOPBACK
    return (Number.parseInt(read('flags'), 16) & 8) === 0 && isUp(read('operstate'), read('flags'))
  })
}

/** Names of all network interfaces that are up, virtual ones too, in order; the loopback is none of them. */
export function networksUp(): string[] {
  const addressed = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).some((address) => !address.internal) ? [name] : [],
  )
  const linked = process.platform === 'linux' ? upInFolder(LINUX_INTERFACES) : []
  return [...new Set([...addressed, ...linked])].sort()
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
