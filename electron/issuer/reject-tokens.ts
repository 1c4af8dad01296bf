import { must } from '../../shared/errors.ts'
import { type Context, markHighwater } from './context.ts'
import { touch } from './lifecycle.ts'
import { servedTenant } from './tenant-state.ts'

/** Tokens that are out already, by the time of their issue. */

export type Rejected = {
  tenant: string
  /** Tokens issued before this instant are not active any more. */
  before: number
  /** False where tokens up to then, or later ones, were rejected before: that never goes back. */
  changed: boolean
}

/**
 * Has introspection answer that tokens issued before an instant are not active. Whoever only checks signatures goes on
 * accepting them until they expire. Codes `tenant-unknown`, `usage-invalid` for an instant to come.
 */
export async function rejectTokens(
  context: Context,
  tenant: string,
  { before, actor }: { before: number; actor: string },
): Promise<Rejected> {
  const { store, receipts, clock } = context
  const now = clock.now()
  must(before <= now, 'usage-invalid', 'Only tokens that were issued already can be rejected: give a time gone by.')
  const rejected = await store.change(async (tx): Promise<Rejected> => {
    const { rejectBefore } = await servedTenant(tx, tenant)
    if (rejectBefore !== null && rejectBefore >= before) return { tenant, before: rejectBefore, changed: false }
    await tx.run('UPDATE tenants SET reject_before = ? WHERE tenant = ?', before, tenant)
    await touch(tx, tenant)
    await receipts.append(tx, now, { type: 'tokens-rejected', tenant, before, actor })
    return { tenant, before, changed: true }
  })
  await markHighwater(context)
  return rejected
}
