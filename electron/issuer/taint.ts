import { JWKS_MAX_AGE } from '../../shared/domain/policy.ts'
import { must } from '../../shared/errors.ts'
import { type Context, markHighwater } from './context.ts'
import { settle, touch } from './lifecycle.ts'
import { servedTenant } from './tenant-state.ts'

export type Tainted = {
  tenant: string
  kid: string
  withdrawn: boolean
  /** Until when a token signed with the key may still be accepted somewhere, in seconds since 1970 UTC. */
  residualUntil: number
  /** False when the key was tainted (and withdrawn) before: nothing changed. */
  changed: boolean
}

/**
 * Stops signing with a key at once and for ever; with `withdraw` also stops publishing it. There is no way back: a local
 * taint only does less than the ceremony authorised. Residual exposure: the longest registered cache, and for those who
 * pin the root the greatest `exp` of any delivered slot that holds the key. Codes `tenant-unknown`, `key-unknown`.
 */
export async function taint(
  context: Context,
  tenant: string,
  kid: string,
  { withdraw, actor }: { withdraw: boolean; actor: string },
): Promise<Tainted> {
  const { store, receipts, clock } = context
  const now = clock.now()
  const result = await store.change(async (tx): Promise<Tainted> => {
    const state = await servedTenant(tx, tenant)
    const row = state.rows.get(kid)
    must(row, 'key-unknown', `${tenant} has no key with this id.`)
    const longestCache = Math.max(JWKS_MAX_AGE, ...state.entry.relyingParties.map((party) => party.cacheSeconds))
    const residualUntil = Math.max(now + longestCache, row.delivered_until)
    const withdrawn = withdraw || row.withdrawn === 1
    const changed = row.tainted === null || withdrawn !== (row.withdrawn === 1)
    if (changed) {
      const sql = 'UPDATE keys SET tainted = coalesce(tainted, ?), withdrawn = ? WHERE kid = ?'
      await tx.run(sql, now, withdrawn ? 1 : 0, kid)
      await touch(tx, tenant, { due: true })
      await receipts.append(tx, now, { type: 'tainted', tenant, kid, withdrawn, actor, residualUntil })
    }
    return { tenant, kid, withdrawn, residualUntil, changed }
  })
  await settle(context)
  await markHighwater(context)
  return result
}
