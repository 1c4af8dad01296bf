import { byAlgorithm, type FactsOf, readyAt, type ScheduledKey, signerAt } from '../../shared/domain/key.ts'
import { LATER_POLICY } from '../../shared/domain/policy.ts'
import type { Slot } from '../../shared/domain/slots.ts'
import { must } from '../../shared/errors.ts'
import type { BundleKey } from '../../shared/formats/bundle.ts'
import type { TenantEntry } from '../../shared/formats/bundle-check.ts'
import type { Stated } from '../../shared/formats/receipt.ts'
import { type RevokedLine, revokedSlots } from '../../shared/formats/revocation.ts'
import type { Reader } from './store/store.ts'

/** One tenant as the store holds it: what the vault signed, and the facts that this runtime adds. */

export type StatedPhase = Extract<Stated, { type: 'phase' }>['phase']

export type KeyRow = {
  kid: string
  first_published: number | null
  delivered_until: number
  phase: StatedPhase | null
  tainted: number | null
  withdrawn: 0 | 1
  called_at: number | null
  has_private: 0 | 1
  tombstoned: 0 | 1
}

export type TenantState = {
  tenant: string
  entry: TenantEntry
  import: number
  version: number
  dataKey: Uint8Array
  /** When the vault offboarded it; from then on nothing of it is served or signed. */
  removedAt: number | null
  /** Tokens issued before this are not active any more. */
  rejectBefore: number | null
  /** The label that operators gave it. */
  named: string | null
  /** Cut anew each time: they are many, and one of them is needed for weeks. */
  slots(): Slot[]
  rows: ReadonlyMap<string, KeyRow>
  facts: FactsOf
}

type Row = {
  tenant: string
  entry: string
  iat: number
  import: number
  data_key: Uint8Array
  version: number
  reject_before: number | null
  removed_at: number | null
  named: string | null
  revoked: string | null
}

const TENANTS = `
SELECT t.tenant, t.entry, t.iat, t.import, t.data_key, t.version, t.revoked, t.reject_before, r.at AS removed_at,
  n.name AS named
FROM tenants t LEFT JOIN removed_tenants r ON r.tenant = t.tenant LEFT JOIN tenant_names n ON n.tenant = t.tenant`

const KEYS = `
SELECT k.tenant, k.kid, k.first_published, k.delivered_until, k.phase, k.tainted, k.withdrawn, k.called_at,
  CASE WHEN p.kid IS NULL THEN 0 ELSE 1 END AS has_private, CASE WHEN t.kid IS NULL THEN 0 ELSE 1 END AS tombstoned
FROM keys k LEFT JOIN private_keys p ON p.kid = k.kid LEFT JOIN tombstones t ON t.kid = k.kid`

/** A bundle's own slots: no revocation came after it. */
const NOTHING_REVOKED: Pick<RevokedLine, 'revoke' | 'standby'> = { revoke: [], standby: null }

/** What an import checked and stored; older ones lack what policies did not have then. */
export function readEntry(stored: string): TenantEntry {
  const entry = JSON.parse(stored) as TenantEntry
  return { ...entry, policy: { ...LATER_POLICY, ...entry.policy } }
}

/** Loads a tenant, or null when there is none. What it parses was checked strictly when it was imported. */
export async function loadTenant(store: Reader, tenant: string): Promise<TenantState | null> {
  const row = await store.get<Row>(`${TENANTS} WHERE t.tenant = ?`, tenant)
  return row ? stateOf(row, await store.all<KeyRow>(`${KEYS} WHERE k.tenant = ?`, tenant)) : null
}

/** Tenants that were not offboarded, in order of their ids, a page after `after`. */
export async function loadTenants(store: Reader, after: string, most: number): Promise<TenantState[]> {
  const sql = `${TENANTS} WHERE r.tenant IS NULL AND t.tenant > ? ORDER BY t.tenant LIMIT ?`
  const rows = await store.all<Row>(sql, after, most)
  const last = rows.at(-1)
  if (!last) return []
  const keys = await store.all<KeyRow & { tenant: string }>(
    `${KEYS} WHERE k.tenant > ? AND k.tenant <= ?`,
    after,
    last.tenant,
  )
  const byTenant = Map.groupBy(keys, (key) => key.tenant)
  return rows.map((row) => stateOf(row, byTenant.get(row.tenant) ?? []))
}

function stateOf(row: Row, keys: readonly KeyRow[]): TenantState {
  const entry = readEntry(row.entry)
  const rows = new Map(keys.map((key) => [key.kid, key]))
  const compromised = new Set(entry.compromised.map((key) => key.kid))
  // Named here so that the row with its long texts is not kept as long as the state.
  const { tenant, iat, revoked, removed_at: removedAt } = row
  return {
    tenant,
    entry: { ...entry, keys: entry.keys.map((key) => asCalled(key, rows.get(key.kid)?.called_at ?? null)) },
    import: row.import,
    version: row.version,
    dataKey: row.data_key,
    removedAt,
    rejectBefore: row.reject_before,
    named: row.named,
    slots: () => revokedSlots(entry, revoked === null ? NOTHING_REVOKED : JSON.parse(revoked), iat),
    rows,
    facts: (kid) => {
      const key = rows.get(kid)
      return {
        hasPrivate: key?.has_private === 1,
        tainted:
          removedAt !== null ||
          key === undefined ||
          key.tainted !== null ||
          key.tombstoned === 1 ||
          compromised.has(kid),
        firstPublishedAt: key?.first_published ?? null,
      }
    },
  }
}

/** A tenant that is served: known, and not offboarded. Code `tenant-unknown`. */
export async function servedTenant(store: Reader, tenant: string): Promise<TenantState> {
  const state = await loadTenant(store, tenant)
  must(state && state.removedAt === null, 'tenant-unknown', `There is no tenant ${tenant} in this runtime.`)
  return state
}

/** A standby key that an emergency envelope called upon signs from then on. Its announcement and removal stay as they are. */
function asCalled(key: BundleKey, calledAt: number | null): BundleKey {
  if (!key.standby || calledAt === null) return key
  const { standby: _, ...called } = key
  return { ...called, signFrom: calledAt, propagation: 'none (emergency)' }
}

/** The key that signs at `now` for each algorithm of the tenant's keys, null where none may. */
export function signersAt({ entry, facts }: TenantState, now: number): Map<string, ScheduledKey | null> {
  const groups = [...byAlgorithm(entry.keys)]
  return new Map(groups.map(([alg, keys]) => [alg, signerAt(keys, facts, entry.policy.propagationTime, now)]))
}

/** The next instant after `now` at which a phase can change, or null. */
export function nextPhaseChange({ entry, facts, removedAt }: TenantState, now: number): number | null {
  if (removedAt !== null) return null
  const instants = entry.keys.flatMap((key) => [
    key.announceAt,
    readyAt(key, entry.policy.propagationTime, facts(key.kid).firstPublishedAt),
    key.signUntil,
    key.extendUntil,
    key.removeAt,
  ])
  const next = Math.min(...instants.filter((at) => at > now))
  return Number.isFinite(next) ? next : null
}
