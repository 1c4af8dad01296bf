import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { utcStamp } from '../../shared/domain/utc.ts'
import { must } from '../../shared/errors.ts'
import { ed25519JwkSchema } from '../../shared/formats/jws.ts'
import { ioError } from '../files/errors.ts'
import { digestLines } from '../files/lines.ts'
import { NewFile, tryRemove } from '../files/write.ts'
import { type Context, markHighwater } from './context.ts'
import { type Anchor, anchorAt, anchorOf, type IssuanceContext } from './issuance-anchors.ts'
import type { IssuanceHeader } from './issuance-file.ts'
import type { Store } from './store/store.ts'
import { loadTenant } from './tenant-state.ts'
import { issuanceDigest, NO_ROW } from './traffic.ts'

/** A tenant's issuance log for auditors: written out row by row, checked on the way, and anchored in a receipt. */

export type IssuanceSpan = {
  /** Tokens of rows from this instant on, and before that one; null for no limit. */
  from: number | null
  until: number | null
}

export type ExportedIssuance = {
  path: string
  tenant: string
  first: number
  last: number
  rows: number
  tokens: number
  head: string
  /** Number of the receipt that states the head. */
  receipt: number
  bytes: number
  digest: string
}

type Row = { seq: number; prev: string; entries: string; tokens: number; at: number }
type Place = { seq: number; digest: string }

const PAGE = 100

/**
 * Writes the log of a tenant, or the rows of a span of it, to a new file in `folder`. Codes `tenant-unknown`;
 * `usage-invalid` where no token was issued then; `store-damaged` where a row is not the one that was written;
 * `file-exists`, `medium-full`, `medium-failed`.
 */
export async function exportIssuance(
  context: IssuanceContext,
  { tenant, folder, ...span }: { tenant: string; folder: string } & IssuanceSpan,
): Promise<ExportedIssuance> {
  const { store, log, clock } = context
  const state = await loadTenant(store, tenant)
  must(state, 'tenant-unknown', `There is no tenant ${tenant} in this runtime.`)
  const head = await log.get<Place>('SELECT seq, digest FROM issuance_heads WHERE tenant = ?', tenant)
  const range = head && (await rangeOf(log, tenant, span, head.seq))
  must(head && range, 'usage-invalid', `No token of ${tenant} was issued in that time, or its rows were pruned.`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw ioError(error, 'Creating', folder)
  }
  const { first, last } = range
  const path = join(folder, `issuance-${tenant}-${first}-${last}-${utcStamp(clock.now())}.jsonl`)
  const file = new LinesFile(path)
  try {
    file.add(await headerOf(context, { tenant, issuer: state.entry.issuer, ...span, ...range }))
    const done = await writeRows(log, file, { tenant, ...range }, [head, await anchorOf(store, tenant)])
    const anchored = await anchorAt(context, tenant, { seq: last, head: done.head }, last === head.seq)
    file.add({ ...done, seq: last, receipt: anchored.line })
    await markHighwater(context)
    return { path, tenant, first, last, ...done, receipt: anchored.receipt, ...file.commit() }
  } catch (error) {
    file.discard()
    throw error
  }
}

/** The rows from the first to the last one of a span, with none left out between; null where there is none. */
async function rangeOf(
  log: Store,
  tenant: string,
  { from, until }: IssuanceSpan,
  newest: number,
): Promise<{ first: number; last: number; prev: string } | null> {
  const start = await log.get<{ seq: number; prev: string }>(
    'SELECT seq, prev FROM issuance WHERE tenant = ? AND at >= ? AND seq <= ? ORDER BY seq LIMIT 1',
    tenant,
    from ?? 0,
    newest,
  )
  if (!start) return null
  if (until === null) return { first: start.seq, last: newest, prev: start.prev }
  const end = await log.get<{ seq: number }>(
    'SELECT seq FROM issuance WHERE tenant = ? AND at < ? AND seq >= ? AND seq <= ? ORDER BY seq DESC LIMIT 1',
    tenant,
    until,
    start.seq,
    newest,
  )
  return end ? { first: start.seq, last: end.seq, prev: start.prev } : null
}

async function headerOf(
  { store, config, clock }: Context,
  about: Pick<IssuanceHeader, 'tenant' | 'issuer' | 'from' | 'until' | 'first' | 'prev'>,
): Promise<IssuanceHeader> {
  const { practice, runtimeId, environment } = config
  const own = await store.get<{ jwk: string }>("SELECT jwk FROM own_keys WHERE use = 'receipt'")
  must(own, 'store-damaged', 'The runtime store holds no receipt key.')
  const { tenant, issuer, from, until, first, prev } = about
  return {
    format: 'keyrite-issuance-log',
    version: 1,
    practice,
    runtimeId,
    environment,
    tenant,
    issuer,
    receiptKey: ed25519JwkSchema.parse(JSON.parse(own.jwk)),
    at: clock.now(),
    from,
    until,
    first,
    prev,
  }
}

/** Each row must be the one that its successor, the log's own head and the last receipt about it say. */
async function writeRows(
  log: Store,
  file: LinesFile,
  { tenant, first, last }: { tenant: string; first: number; last: number },
  [head, anchored]: [Place, Anchor | null],
): Promise<{ rows: number; tokens: number; head: string }> {
  const known = new Map([[head.seq, head.digest]])
  const done = { rows: 0, tokens: 0, head: '' }
  const sql = `SELECT seq, prev, entries, tokens, at FROM issuance WHERE tenant = ? AND seq >= ? AND seq <= ?
ORDER BY seq LIMIT ${PAGE}`
  for (let next = first; next <= last; ) {
    const page = await log.all<Row>(sql, tenant, next, last)
    mustBeWritten(page.length > 0, tenant, next)
    for (const row of page) {
      const follows = row.seq === 1 ? NO_ROW : row.seq === first ? row.prev : done.head
      mustBeWritten(row.seq === next && row.prev === follows, tenant, next)
      const entries = entriesOf(row, tenant)
      done.head = issuanceDigest(tenant, row.seq, row.prev, row.entries)
      mustBeWritten((known.get(row.seq) ?? done.head) === done.head, tenant, next)
      if (row.seq === first && anchored?.seq === first - 1) mustBeWritten(row.prev === anchored.head, tenant, next)
      if (row.seq === anchored?.seq) mustBeWritten(done.head === anchored.head, tenant, next)
      file.add({ seq: row.seq, prev: row.prev, at: row.at, tokens: row.tokens, entries })
      done.rows += 1
      done.tokens += row.tokens
      next += 1
    }
  }
  return done
}

/** The count and the time of a row follow from its tokens. */
function entriesOf({ seq, entries, tokens, at }: Row, tenant: string): unknown[] {
  const lines = entries.split('\n')
  mustBeWritten(lines.length === tokens, tenant, seq)
  try {
    const parsed = lines.map((line) => JSON.parse(line) as { at?: unknown })
    mustBeWritten(parsed.at(-1)?.at === at, tenant, seq)
    mustBeWritten(
      parsed.every((entry, n) => JSON.stringify(entry) === lines[n]),
      tenant,
      seq,
    )
    return parsed
  } catch (error) {
    if (error instanceof SyntaxError) mustBeWritten(false, tenant, seq)
    throw error
  }
}

function mustBeWritten(holds: boolean, tenant: string, seq: number): void {
  must(holds, 'store-damaged', `Row ${seq} of the issuance log of ${tenant} is not the one that was written.`, {
    hint: 'Keep the store as it is and find out who changed it. --from and --until write the rows before and after.',
  })
}

/** Lines of JSON, written as they come and read back before they count. */
class LinesFile {
  readonly #file: NewFile
  readonly #hash = createHash('sha256')
  #bytes = 0

  constructor(path: string) {
    this.#file = new NewFile(path)
  }

  add(value: unknown): void {
    const line = Buffer.from(`${JSON.stringify(value)}\n`)
    this.#file.write(line)
    this.#hash.update(line)
    this.#bytes += line.length
  }

  commit(): { bytes: number; digest: string } {
    this.#file.commit()
    const digest = this.#hash.digest('base64url')
    const { path } = this.#file
    const same = digestLines(path) === digest
    if (!same) tryRemove(path)
    must(same, 'medium-failed', `Writing ${path}: it reads back differently.`)
    return { bytes: this.#bytes, digest }
  }

  discard(): void {
    this.#file.discard()
  }
}
