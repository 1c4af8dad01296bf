import { peekStatement } from '../../../shared/formats/jws.ts'
import { receiptSchema, type Stated } from '../../../shared/formats/receipt.ts'
import type { Reader } from '../store/store.ts'
import type { Entry, Row } from './journal-format.ts'

/**
 * What the second place is told: every receipt, and beside it what the receipt does not say: the client that was added,
 * and the facts about the keys it names. Facts only ever grow, so that newer ones than the receipt's do no harm.
 */

const BATCH = 200
const KEYS = 100

/** The entries for the receipts after `seq`, some at a time. */
export async function* entriesAfter(store: Reader, seq: number): AsyncGenerator<Entry[]> {
  for (let after = seq; ; ) {
    const sql = 'SELECT seq, jws FROM receipts WHERE seq > ? ORDER BY seq LIMIT ?'
    const page = await store.all<{ seq: number; jws: string }>(sql, after, BATCH)
    const last = page.at(-1)
    if (!last) return
    const stated = page.map(({ jws }) => peekStatement(jws, receiptSchema, 'receipt').stated)
    const entries: Entry[] = await keyEntries(store, stated)
    for (const [at, row] of page.entries())
      entries.push({ type: 'receipt', ...row, client: await clientOf(store, stated[at]) })
    yield entries
    after = last.seq
  }
}

async function keyEntries(store: Reader, stated: readonly Stated[]): Promise<Entry[]> {
  const rows = new Map<string, Row>()
  const take = async (where: string, ...values: string[]) => {
    for (const row of await store.all<Row>(`SELECT * FROM keys WHERE ${where}`, ...values))
      rows.set(String(row['kid']), row)
  }
  if (stated.some(({ type }) => type === 'revoked')) await take(EMERGENCY)
  const tainted = new Set(stated.flatMap((one) => (one.type === 'tainted' ? [one.tenant] : [])))
  for (const tenant of tainted) await take(`tenant = ? AND (${EMERGENCY})`, tenant)
  for (const kid of new Set(stated.flatMap(kidsOf))) if (!rows.has(kid)) await take('kid = ?', kid)
  const all = [...rows.values()]
  const entries: Entry[] = []
  for (let at = 0; at < all.length; at += KEYS) entries.push({ type: 'keys', keys: all.slice(at, at + KEYS) })
  return entries
}

/** Keys that a taint or a revocation concerns: those that are gone, and those that took over. */
const EMERGENCY = 'tainted IS NOT NULL OR called_at IS NOT NULL'

function kidsOf(stated: Stated): string[] {
  return stated.type === 'phase' || stated.type === 'erased' || stated.type === 'envelope-opened' ? [stated.kid] : []
}

/** The client as it is now; null where it was removed since, as a later receipt says. */
async function clientOf(store: Reader, stated: Stated | undefined): Promise<string | null> {
  if (stated?.type !== 'client-added') return null
  const sql = 'SELECT client FROM clients WHERE tenant = ? AND client_id = ?'
  return (await store.get<{ client: string }>(sql, stated.tenant, stated.clientId))?.client ?? null
}
