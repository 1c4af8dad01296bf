import { must } from '../../shared/errors.ts'
import type { RemovedLine, TenantLine } from '../../shared/formats/bundle.ts'
import { lineSchema } from '../../shared/formats/common.ts'
import { type Context, markHighwater } from './context.ts'
import { knownEntry, locationOf, ownerOfLocation } from './import-checks.ts'
import type { Reader, Writer } from './store/store.ts'
import { servedTenant } from './tenant-state.ts'

/** Tenants that the vault offboarded, and the names that operators give to tenants. */

/** A tenant that was removed never comes back, and nobody else gets its issuer. Code `bundle-refused`. */
export async function mustNotBeRemoved(store: Reader, { tenant, issuer }: TenantLine): Promise<void> {
  const sql = 'SELECT tenant FROM removed_tenants WHERE tenant = ? OR location = ?'
  const removed = await store.get<{ tenant: string }>(sql, tenant, locationOf(issuer))
  must(!removed, 'bundle-refused', `Tenant ${tenant} is refused: it or its issuer was removed, and never comes back.`)
}

/** Stages the removal of a tenant, also of one that this runtime never had. Code `bundle-refused` for another issuer. */
export async function stageRemoved(tx: Writer, id: number, line: RemovedLine): Promise<void> {
  const { tenant, issuer, removed } = line
  const known = await knownEntry(tx, tenant)
  const same = (!known || known.issuer === issuer) && (await ownerOfLocation(tx, line)) === null
  must(same, 'bundle-refused', `Tenant ${tenant} is refused: it is removed under another issuer than its own.`)
  const sql = 'INSERT INTO staged_removed (tenant, location, at, import) VALUES (?, ?, ?, ?)'
  await tx.run(sql, tenant, locationOf(issuer), removed, id)
}

/** From staging to current: it is not served from here on, and its private halves are erased when it is next settled. */
export async function publishRemoved(tx: Writer): Promise<void> {
  const removed = '(SELECT tenant FROM staged_removed)'
  await tx.run(
    'INSERT INTO removed_tenants (tenant, location, at) SELECT tenant, location, at FROM staged_removed WHERE true ON CONFLICT DO NOTHING',
  )
  await tx.run(`UPDATE tenants SET version = ?, due = 0 WHERE tenant IN ${removed}`, await tx.version())
  await tx.run(`DELETE FROM clients WHERE tenant IN ${removed}`)
}

/**
 * Labels a tenant for operators: its name in `issuer status`, and nothing else; a receipt tells the vault. Codes
 * `tenant-unknown`, `usage-invalid`.
 */
export async function assignTenant(context: Context, tenant: string, name: string, actor: string): Promise<void> {
  const { store, receipts, clock } = context
  await servedTenant(store, tenant)
  must(lineSchema.safeParse(name).success, 'usage-invalid', 'A name is one line of 1 to 200 characters.')
  await store.change(async (tx) => {
    const sql =
      'INSERT INTO tenant_names (tenant, name) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET name = excluded.name'
    await tx.run(sql, tenant, name)
    await receipts.append(tx, clock.now(), { type: 'tenant-named', tenant, name, actor })
  })
  await markHighwater(context)
}
