import { must } from '../../shared/errors.ts'
import type { OpenBundle } from '../../shared/formats/bundle-file.ts'
import type { OpenMaterial } from '../../shared/formats/material-file.ts'
import type { Context } from './context.ts'
import { PUBLISH_REMOVED } from './removed.ts'
import type { CurrentBundle, Store } from './store.ts'
import { eraseTransportKey } from './transport.ts'

/** The end of an import: one short transaction from the staging tables to what is in force. */

export type ImportResult = {
  /** `no-op`: exactly this was imported before. */
  outcome: 'imported' | 'no-op'
  number: number
  manifest: string
  /** Tenants of the bundle, 0 when only material was imported; private keys taken. */
  tenants: number
  keys: number
}

export type Staged = {
  /** The id of the import, which its staged rows carry. */
  id: number
  now: number
  /** Null when the bundle was here before, or none was given. */
  bundle: OpenBundle | null
  /** The vault's event sequence, from the bundle's checkpoint. */
  eventSeq: number
  material: OpenMaterial | null
}

/** Everything that was staged becomes current, with its receipts, or nothing does. Code `store-busy`. */
export function commitImport({ store, receipts }: Context, staged: Staged): ImportResult {
  const { id, now, bundle, material } = staged
  return store.change(() => {
    const current = store.bundle()
    const next = nextBundle(current, staged)
    const { number, head: manifest, eventSeq } = next
    const tenants = bundle?.manifest.tenants ?? 0
    const keys = material?.manifest.keys ?? 0
    const outcome = bundle || material ? 'imported' : 'no-op'
    const sql = 'INSERT INTO imports (id, at, number, manifest, outcome) VALUES (?, ?, ?, ?, ?)'
    store.run(sql, id, now, number, manifest, outcome)
    if (outcome === 'no-op') return { outcome, number, manifest, tenants, keys }

    mustBeUndisturbed(store, current, staged)
    store.run(PUBLISH_TENANTS, bundle?.manifest.iat ?? 0)
    for (const publish of [...PUBLISH, ...PUBLISH_REMOVED]) store.run(publish)
    store.setBundle(next)
    receipts.append(now, { type: 'imported', number, manifest, tenants, keys, eventSeq })
    if (material && eraseTransportKey(store, material.manifest.transportKey, now))
      receipts.append(now, { type: 'transport-key-erased', key: material.manifest.transportKey })
    // The vault signed when the files were made; the clock of the command that brings them proves nothing.
    const made = Math.max(bundle?.manifest.iat ?? 0, material?.manifest.iat ?? 0)
    const clock = store.clock()
    store.setClock({ ...clock, floor: Math.max(clock.floor, Math.min(now, made)) })
    return { outcome, number, manifest, tenants, keys }
  })
}

function nextBundle(current: CurrentBundle | null, { now, bundle, eventSeq, material }: Staged): CurrentBundle {
  const materialDigest = material?.manifestDigest
  if (bundle) {
    const { number, receiptsSeen } = bundle.manifest
    const head = bundle.manifestDigest
    return { number, head, importedAt: now, receiptsSeen, eventSeq, material: materialDigest ?? null }
  }
  must(current, 'bundle-gap', 'This runtime has no bundle yet: import the bundle with its material.')
  return { ...current, material: materialDigest ?? current.material }
}

/** The lock on imports makes this certain; a store that was changed in spite of it must not be mixed. */
function mustBeUndisturbed(store: Store, current: CurrentBundle | null, { id, bundle, material }: Staged): void {
  const count = (table: string) =>
    store.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE import = ?`, id)?.n
  const undisturbed =
    (count('staged_tenants') ?? 0) + (count('staged_removed') ?? 0) === (bundle?.manifest.tenants ?? 0) &&
    count('staged_private_keys') === (material?.manifest.keys ?? 0) &&
    (bundle ? bundle.manifest.previous === (current?.head ?? null) : material?.manifest.bundle === current?.head)
  must(undisturbed, 'store-busy', 'Another import ran at the same time.')
}

/** From staging to current. What is known of a key stays known. */
const PUBLISH_TENANTS = `
   INSERT INTO tenants (tenant, location, entry, iat, import, data_key, version, due)
   SELECT tenant, location, entry, ?, import, coalesce(data_key, x''), 1, 0 FROM staged_tenants WHERE true
   ON CONFLICT (tenant) DO UPDATE SET
     entry = excluded.entry, iat = excluded.iat, import = excluded.import, version = version + 1, due = 0`
const PUBLISH = [
  `INSERT INTO keys (kid, tenant, spec, jwk, announce_at, first_published, delivered_until)
   SELECT kid, tenant, spec, jwk, announce_at, first_published, delivered_until FROM staged_keys WHERE true
   ON CONFLICT (kid) DO UPDATE SET delivered_until = max(delivered_until, excluded.delivered_until)`,
  `INSERT OR IGNORE INTO tombstones (kid, tenant, at) SELECT kid, tenant, at FROM staged_tombstones`,
  `INSERT OR REPLACE INTO private_keys (kid, tenant, sealed) SELECT kid, tenant, sealed FROM staged_private_keys`,
  `UPDATE tenants SET version = version + 1, due = 0 WHERE tenant IN (SELECT tenant FROM staged_private_keys)`,
]
