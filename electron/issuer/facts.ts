import { peekStatement } from '../../shared/formats/jws.ts'
import { receiptSchema } from '../../shared/formats/receipt.ts'
import type { Context } from './context.ts'
import type { Status } from './status.ts'
import type { Facts } from './watch/gauges.ts'

/** What metrics tell beside the status. */
export async function runtimeFacts({ store, receipts }: Context, { tenants }: Status): Promise<Facts> {
  const rows = await store.all<{ outcome: string; count: number }>(
    "SELECT outcome, count(*) AS count FROM imports WHERE outcome <> 'no-op' GROUP BY outcome",
  )
  const imports = rows.map(({ outcome, count }) => ({ outcome: outcome === 'imported' ? 'accepted' : outcome, count }))
  const next = await receipts.lineAt(((await store.bundle())?.receiptsSeen ?? 0) + 1)
  const receiptsWaitingSince = next === null ? null : peekStatement(next, receiptSchema, 'receipt').at
  const unfetched = tenants.flatMap(({ tenant, propagation }) =>
    (propagation?.missing ?? []).map((party) => ({ tenant, party })),
  )
  const secondPlaceBehindSince = await store.meta<number>('second-place-behind')
  return { imports, receiptsWaitingSince, secondPlaceBehindSince, unfetched }
}
