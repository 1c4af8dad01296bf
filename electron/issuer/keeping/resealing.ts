import { must } from '../../../shared/errors.ts'
import { wipe } from '../../../shared/formats/bytes.ts'
import type { Sealer } from '../sealing.ts'
import type { TableRow } from './snapshot.ts'

/**
 * Takes everything that is sealed from one storage key to another. Each tenant gets a new data key: what was erased under
 * the old one, and may lie in dead pages, opens under no key that is kept.
 */
export class Resealing {
  readonly #from: Sealer
  readonly #to: Sealer
  readonly #dataKeys = new Map<string, { old: Uint8Array; fresh: Uint8Array }>()

  constructor(from: Sealer, to: Sealer) {
    this.#from = from
    this.#to = to
  }

  /** The same row under the new key. Tenants come before their private halves. Code `decryption-failed`. */
  row(table: string, row: TableRow): TableRow {
    if (table === 'tenants') return { ...row, data_key: this.#dataKey(String(row['tenant']), blob(row['data_key'])) }
    if (table === 'private_keys') return { ...row, sealed: this.#half(row) }
    if (table === 'own_keys' && row['sealed'] !== null) return { ...row, sealed: this.#own(row) }
    return row
  }

  #dataKey(tenant: string, old: Uint8Array): Uint8Array {
    const fresh = this.#to.newDataKey(tenant)
    this.#dataKeys.set(tenant, { old, fresh })
    return fresh
  }

  #half(row: TableRow): Uint8Array {
    const [tenant, kid] = [String(row['tenant']), String(row['kid'])]
    const keys = this.#dataKeys.get(tenant)
    must(keys, 'store-damaged', `The private half ${kid} belongs to no tenant of the store.`)
    const pkcs8 = this.#from.openKey(tenant, kid, keys.old, blob(row['sealed']))
    const sealed = this.#to.sealKey(tenant, kid, keys.fresh, pkcs8)
    wipe(pkcs8)
    return sealed
  }

  #own(row: TableRow): Uint8Array {
    const kid = String(row['kid'])
    const pkcs8 = this.#from.openOwn(kid, blob(row['sealed']))
    const sealed = this.#to.sealOwn(kid, pkcs8)
    wipe(pkcs8)
    return sealed
  }
}

function blob(value: unknown): Uint8Array {
  must(value instanceof Uint8Array, 'store-damaged', 'The store holds something else where a sealed key should be.')
  return value
}
