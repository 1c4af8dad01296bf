import { count } from '../../shared/domain/plural.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { utcTime } from '../../shared/domain/utc.ts'
import { must } from '../../shared/errors.ts'
import { type Context, markHighwater } from './context.ts'
import type { Reader, Store, Writer } from './store/store.ts'
import { issuanceDigest } from './traffic.ts'

/**
 * Anchors of the issuance logs: receipts that state the newest row of a tenant's log. Once the vault has taken one,
 * no row up to it can be changed without anybody noticing; what is anchored may be pruned.
 */

/** The runtime, and the store of what requests write. */
export type IssuanceContext = Context & { log: Store }

/** The last anchor of a tenant's log: the row, its digest, and the receipt that states it. */
export type Anchor = { seq: number; head: string; at: number; receipt: number }

/** Receipts that one export adds for anchors; the tenants whose last one is oldest come first. */
export const ANCHORS_AT_ONCE = 2000
const BATCH = 100
const PAGE = 500

const nameOf = (tenant: string): string => `issuance ${tenant}`

export const anchorOf = (store: Reader, tenant: string): Promise<Anchor | null> => store.meta<Anchor>(nameOf(tenant))

/**
 * States that a row of a tenant's log has this digest, unless the last anchor says so already. Gives the signed receipt
 * and its number.
 */
export async function anchorAt(
  { store, receipts, clock }: Context,
  tenant: string,
  { seq, head }: { seq: number; head: string },
  newest: boolean,
): Promise<{ line: string; receipt: number }> {
  const known = await anchorOf(store, tenant)
  const line = known?.seq === seq && known.head === head ? await receipts.lineAt(known.receipt) : null
  if (known && line !== null) return { line, receipt: known.receipt }
  const receipt = await store.change((tx) => append(tx, receipts, { tenant, seq, head, at: clock.now() }, newest))
  const stated = await receipts.lineAt(receipt)
  must(stated, 'internal', 'A receipt that was appended is in the chain.')
  return { line: stated, receipt }
}

type Stated = { tenant: string; seq: number; head: string; at: number }

async function append(
  tx: Writer,
  receipts: Context['receipts'],
  { tenant, seq, head, at }: Stated,
  newest: boolean,
): Promise<number> {
  await receipts.append(tx, at, { type: 'issuance-log', tenant, seq, head })
  const receipt = (await receipts.head(tx))?.seq ?? 0
  if (newest) await tx.setMeta(nameOf(tenant), { seq, head, at, receipt } satisfies Anchor)
  return receipt
}

/**
 * Anchors the logs that grew since their last anchor, each at most once a day and the oldest first, so that many
 * tenants do not make every file of receipts a long one. Gives how many.
 */
export async function anchorIssuance(context: IssuanceContext): Promise<number> {
  const { store, receipts, clock } = context
  const at = clock.now()
  const grown: (Stated & { last: number })[] = []
  for await (const [head, anchor] of headsOf(context)) {
    const again = anchor !== null && (anchor.head === head.head || at - anchor.at < DAY)
    if (!again) grown.push({ ...head, at, last: anchor?.at ?? 0 })
  }
  const due = grown.sort((a, b) => a.last - b.last).slice(0, ANCHORS_AT_ONCE)
  for (let from = 0; from < due.length; from += BATCH)
    await store.change(async (tx) => {
      for (const one of due.slice(from, from + BATCH)) await append(tx, receipts, one, true)
    })
  return due.length
}

type Head = { tenant: string; seq: number; head: string }

/** Every log's newest row, and its last anchor. */
async function* headsOf({ store, log }: IssuanceContext): AsyncGenerator<[Head, Anchor | null]> {
  const sql = `SELECT tenant, seq, digest AS head FROM issuance_heads WHERE tenant > ? ORDER BY tenant LIMIT ${PAGE}`
  for (let after = ''; ; ) {
    const page = await log.all<Head>(sql, after)
    const last = page.at(-1)
    if (!last) return
    const named = await store.all<{ name: string; value: string }>(
      'SELECT name, value FROM meta WHERE name > ? AND name <= ?',
      nameOf(after),
      nameOf(last.tenant),
    )
    const anchors = new Map(named.map(({ name, value }) => [name, JSON.parse(value) as Anchor]))
    for (const head of page) yield [head, anchors.get(nameOf(head.tenant)) ?? null]
    after = last.tenant
  }
}

export type PrunedIssuance = { before: number; tenants: number; rows: number; tokens: number }

/**
 * Deletes the rows whose tokens were all issued before an instant, as far as an anchor covers them. What stays is
 * verified from its first row's `prev` on. The receipt comes first. Code `usage-invalid` for an instant to come.
 */
export async function pruneIssuance(
  context: IssuanceContext,
  { before, actor }: { before: number; actor: string },
): Promise<PrunedIssuance> {
  const { store, log, receipts, clock } = context
  const now = clock.now()
  must(before <= now, 'usage-invalid', 'Only rows of a time gone by can be pruned.')
  const done: PrunedIssuance = { before, tenants: 0, rows: 0, tokens: 0 }
  const ends: { tenant: string; last: number }[] = []
  for await (const [head, anchor] of headsOf(context)) {
    const last = anchor && (await isOf(log, head, anchor)) ? await lastBefore(log, head.tenant, before, anchor.seq) : 0
    const sql = 'SELECT count(*) AS n, coalesce(sum(tokens), 0) AS tokens FROM issuance WHERE tenant = ? AND seq <= ?'
    const old = await log.get<{ n: number; tokens: number }>(sql, head.tenant, last)
    if (!old || old.n === 0) continue
    ends.push({ tenant: head.tenant, last })
    done.tenants += 1
    done.rows += old.n
    done.tokens += Number(old.tokens)
  }
  if (ends.length === 0) return done
  const what = `Issuance log pruned before ${utcTime(before)}: ${count(done.rows, 'row')} of ${count(done.tenants, 'tenant')}`
  await store.change((tx) => receipts.append(tx, now, { type: 'config-changed', what, actor }))
  await markHighwater(context)
  for (const { tenant, last } of ends) await deleteUpTo(log, tenant, last)
  return done
}

/** False where the log began anew since, or its anchored row is another: then nothing of it is anchored. */
async function isOf(log: Store, head: Head, anchor: Anchor): Promise<boolean> {
  if (head.seq <= anchor.seq) return head.seq === anchor.seq && head.head === anchor.head
  const row = await log.get<{ prev: string; entries: string }>(
    'SELECT prev, entries FROM issuance WHERE tenant = ? AND seq = ?',
    head.tenant,
    anchor.seq,
  )
  return row !== undefined && issuanceDigest(head.tenant, anchor.seq, row.prev, row.entries) === anchor.head
}

/** The last row before the first one that holds a token of `before` or later, at most the anchored one. */
async function lastBefore(log: Store, tenant: string, before: number, anchored: number): Promise<number> {
  const sql = 'SELECT min(seq) AS seq FROM issuance WHERE tenant = ? AND at >= ?'
  const kept = await log.get<{ seq: number | null }>(sql, tenant, before)
  return kept?.seq == null ? anchored : Math.min(anchored, kept.seq - 1)
}

/** Little by little: tokens are written between. */
async function deleteUpTo(log: Store, tenant: string, last: number): Promise<void> {
  const first = await log.get<{ seq: number | null }>('SELECT min(seq) AS seq FROM issuance WHERE tenant = ?', tenant)
  for (let from = first?.seq ?? last + 1; from <= last; from += PAGE)
    await log.change((tx) =>
      tx.run('DELETE FROM issuance WHERE tenant = ? AND seq <= ?', tenant, Math.min(last, from + PAGE - 1)),
    )
}
