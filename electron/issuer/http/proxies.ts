import { BlockList, isIP } from 'node:net'
import { must } from '../../../shared/errors.ts'

/** Tells whether an address is one of the proxies in front of us. */
export type Proxies = (address: string | undefined) => boolean

/** @param addresses IP addresses or CIDR ranges; code `config-invalid` for anything else */
export function readProxies(addresses: readonly string[]): Proxies {
  if (addresses.length === 0) return () => false
  const list = new BlockList()
  for (const one of addresses) addRange(list, one)
  return (address) => {
    if (address === undefined) return false
    // An IPv4 peer of a socket that listens on both families.
    const plain = address.startsWith('::ffff:') ? address.slice(7) : address
    const family = isIP(plain)
    return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
}

function addRange(list: BlockList, range: string): void {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
  const family = isIP(address)
  const most = family === 4 ? 32 : 128
  const prefix = bits === undefined ? most : Number(bits)
  must(family !== 0 && prefix <= most, 'config-invalid', 'A trusted proxy is neither an IP address nor a CIDR range.')
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
}
