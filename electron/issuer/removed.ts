import { must } from '../../shared/errors.ts'
import type { RemovedLine, TenantLine } from '../../shared/formats/bundle.ts'
import { lineSchema } from '../../shared/formats/common.ts'
import { type Context, markHighwater } from './context.ts'
import { knownEntry, locationOf, ownerOfLocation } from './import-checks.ts'
import type { Store } from './store.ts'
import { servedTenant } from './tenant-state.ts'

/** Tenants that the vault offboarded, and the names that operators give to tenants. */

/** A tenant that was removed never comes back, and nobody else gets its issuer. Code `bundle-refused`. */
export function mustNotBeRemoved(store: Store, { tenant, issuer }: TenantLine): void {
  const sql = 'SELECT tenant FROM removed_tenants WHERE tenant = ? OR location = ?'
  const removed = store.get<{ tenant: string }>(sql, tenant, locationOf(issuer))
  must(!removed, 'bundle-refused', `Tenant ${tenant} is refused: it or its issuer was removed, and never comes back.`)
}

/** Stages the removal of a tenant, also of one that this runtime never had. Code `bundle-refused` for another issuer. */
export function stageRemoved(store: Store, id: number, line: RemovedLine): void {
  const { tenant, issuer, removed } = line
  const known = knownEntry(store, tenant)
  const same = (!known || known.issuer === issuer) && ownerOfLocation(store, line) === null
  must(same, 'bundle-refused', `Tenant ${tenant} is refused: it is removed under another issuer than its own.`)
  const sql = 'INSERT INTO staged_removed (tenant, location, at, import) VALUES (?, ?, ?, ?)'
  store.run(sql, tenant, locationOf(issuer), removed, id)
}

/** From staging to current: it is not served from here on, and its private halves are erased when it is next settled. */
export const PUBLISH_REMOVED = [
  'INSERT OR IGNORE INTO removed_tenants (tenant, location, at) SELECT tenant, location, at FROM staged_removed',
  'UPDATE tenants SET version = version + 1, due = 0 WHERE tenant IN (SELECT tenant FROM staged_removed)',
  'DELETE FROM clients WHERE tenant IN (SELECT tenant FROM staged_removed)',
]

/**
 * Labels a tenant for operators: its name in `issuer status`, and nothing else; a receipt tells the vault. Codes
 * `tenant-unknown`, `usage-invalid`.
 */
export function assignTenant(context: Context, tenant: string, name: string, actor: string): void {
  const { store, receipts, clock } = context
  servedTenant(store, tenant)
  must(lineSchema.safeParse(name).success, 'usage-invalid', 'A name is one line of 1 to 200 characters.')
  store.change(() => {
    store.run('INSERT OR REPLACE INTO tenant_names (tenant, name) VALUES (?, ?)', tenant, name)
    receipts.append(clock.now(), { type: 'tenant-named', tenant, name, actor })
  })
  markHighwater(context)
}
