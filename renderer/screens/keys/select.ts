import type { KeyRow } from '../../../shared/contract/records.ts'
import { text } from '../../text/index.ts'

/** Which keys of the inventory are shown. */

export type KeyFilter = keyof typeof text.keys.filters
export const KEY_FILTERS = Object.keys(text.keys.filters) as KeyFilter[]

const PASSES: Record<KeyFilter, (key: KeyRow) => boolean> = {
  all: () => true,
  live: (key) => key.destroyedAt === null,
  signing: (key) => key.phase === 'signing' && !key.standby && key.destroyedAt === null,
  retired: (key) => key.phase === 'retired' || key.phase === 'removed',
  compromised: (key) => key.compromisedAt !== null,
  destroyed: (key) => key.destroyedAt !== null,
  copies: (key) => key.openCopies > 0,
}

/** Each word of `find` stands in the key's name, tenant or id. */
export function selected(keys: readonly KeyRow[], find: string, filter: KeyFilter, tenant: string | undefined) {
  const wanted = find.toLowerCase().split(/\s+/).filter(Boolean)
  return keys.filter((key) => {
    if (!PASSES[filter](key) || (tenant !== undefined && key.tenant !== tenant)) return false
    const said = `${key.label} ${key.tenant} ${key.tenantName} ${key.kid}`.toLowerCase()
    return wanted.every((word) => said.includes(word))
  })
}
