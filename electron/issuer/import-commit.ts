import { must } from '../../shared/errors.ts'
import type { OpenBundle } from '../../shared/formats/bundle-file.ts'
import type { OpenMaterial } from '../../shared/formats/material-file.ts'
import type { Context } from './context.ts'
import { publishRemoved } from './removed.ts'
import type { CurrentBundle, Reader, Writer } from './store/store.ts'
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
export function commitImport({ store, receipts }: Context, staged: Staged): Promise<ImportResult> {
  const { id, now, bundle, material } = staged
  return store.change(async (tx) => {
    const current = await tx.bundle()
    const next = nextBundle(current, staged)
    const { number, head: manifest, eventSeq } = next
    const tenants = bundle?.manifest.tenants ?? 0
    const keys = material?.manifest.keys ?? 0
    const outcome = bundle || material ? 'imported' : 'no-op'
    const sql = 'INSERT INTO imports (id, at, number, manifest, outcome) VALUES (?, ?, ?, ?, ?)'
    await tx.run(sql, id, now, number, manifest, outcome)
    if (outcome === 'no-op') return { outcome, number, manifest, tenants, keys }

    await mustBeUndisturbed(tx, current, staged)
    await publish(tx, bundle?.manifest.iat ?? 0)
    await tx.setBundle(next)
    await receipts.append(tx, now, { type: 'imported', number, manifest, tenants, keys, eventSeq })
    if (material && (await eraseTransportKey(tx, material.manifest.transportKey, now)))
      await receipts.append(tx, now, { type: 'transport-key-erased', key: material.manifest.transportKey })
    // The vault signed when the files were made; the clock of the command that brings them proves nothing.
    const made = Math.max(bundle?.manifest.iat ?? 0, material?.manifest.iat ?? 0)
    const clock = await tx.clock()
    await tx.setClock({ ...clock, floor: Math.max(clock.floor, Math.min(now, made)) })
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
async function mustBeUndisturbed(
  tx: Reader,
  current: CurrentBundle | null,
  { id, bundle, material }: Staged,
): Promise<void> {
  const count = async (table: string) =>
    (await tx.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE import = ?`, id))?.n ?? 0
  const undisturbed =
    (await count('staged_tenants')) + (await count('staged_removed')) === (bundle?.manifest.tenants ?? 0) &&
    (await count('staged_private_keys')) === (material?.manifest.keys ?? 0) &&
    (bundle ? bundle.manifest.previous === (current?.head ?? null) : material?.manifest.bundle === current?.head)
  must(undisturbed, 'store-busy', 'Another import ran at the same time.')
}

/** From staging to current. What is known of a key stays known. */
async function publish(tx: Writer, iat: number): Promise<void> {
  const version = await tx.version()
  await tx.run(PUBLISH_TENANTS, iat, version)
  await tx.run(PUBLISH_KEYS)
  await tx.run(PUBLISH_TOMBSTONES)
  await tx.run(PUBLISH_PRIVATE_KEYS)
  const given = '(SELECT tenant FROM staged_private_keys)'
  await tx.run(`UPDATE tenants SET version = ?, due = 0 WHERE tenant IN ${given}`, version)
  await publishRemoved(tx)
}

const PUBLISH_TENANTS = `
INSERT INTO tenants (tenant, location, entry, historical, iat, import, data_key, version, due)
SELECT tenant, location, entry, historical, CAST(? AS BIGINT), import, data_key, CAST(? AS BIGINT), 0
FROM staged_tenants WHERE true
ON CONFLICT (tenant) DO UPDATE SET entry = excluded.entry, historical = excluded.historical, iat = excluded.iat,
  import = excluded.import, revoked = NULL, version = excluded.version, due = 0`
const PUBLISH_KEYS = `
INSERT INTO keys (kid, tenant, spec, jwk, announce_at, first_published, delivered_until)
SELECT kid, tenant, spec, jwk, announce_at, first_published, delivered_until FROM staged_keys WHERE true
ON CONFLICT (kid) DO UPDATE SET delivered_until =
  CASE WHEN keys.delivered_until > excluded.delivered_until THEN keys.delivered_until ELSE excluded.delivered_until END`
const PUBLISH_TOMBSTONES = `
INSERT INTO tombstones (kid, tenant, at) SELECT kid, tenant, at FROM staged_tombstones WHERE true ON CONFLICT DO NOTHING`
const PUBLISH_PRIVATE_KEYS = `
INSERT INTO private_keys (kid, tenant, sealed) SELECT kid, tenant, sealed FROM staged_private_keys WHERE true
ON CONFLICT (kid) DO UPDATE SET sealed = excluded.sealed`
