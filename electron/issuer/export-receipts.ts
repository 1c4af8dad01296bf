import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { fileName } from '../../shared/formats/file-name.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { receiptSchema } from '../../shared/formats/receipt.ts'
import { ioError } from '../files/errors.ts'
import { digestLines, writeLines } from '../files/lines.ts'
import { type Context, markHighwater } from './context.ts'
import type { Writer } from './store/store.ts'
import { makeTransportKey, unusedTransportKey } from './transport.ts'

export type ExportedReceipts = {
  path: string
  from: number
  to: number
  bytes: number
  digest: string
  /** True when this very file was there already: nothing was written. */
  existed: boolean
}

/**
 * Writes all receipts that the vault had not taken when it made the newest bundle, as one chain that ends with the
 * transport key for the next handoff: the one on offer while it is unused, a fresh one otherwise. With `all` the chain from
 * its beginning: a vault restored from a backup may lack receipts that the one before had taken. Codes of `writeLines`.
 */
export async function exportReceipts(
  context: Context,
  folder: string,
  { all = false } = {},
): Promise<ExportedReceipts> {
  const { store, receipts, clock } = context
  const now = clock.now()
  const from = all ? 1 : ((await store.bundle())?.receiptsSeen ?? 0) + 1
  await store.change((tx) => offerTransportKey(context, tx, from, now))
  await markHighwater(context)
  const head = await receipts.head()
  must(head, 'internal', 'A runtime that offers a transport key has a receipt.')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw ioError(error, 'Creating', folder)
  }
  const path = join(folder, fileName('receipts', `${from} ${head.digest}`, now))
  const lines: string[] = []
  for await (const line of receipts.linesAfter(from - 1)) lines.push(line)
  const known = existsSync(path) ? sameFile(path, lines) : null
  const written = known ?? writeLines(path, lines)
  return { path, from, to: head.seq, ...written, existed: known !== null }
}

/** Exporting twice within a second gives one file: what it holds, or null where the file holds anything else. */
function sameFile(path: string, lines: Iterable<string>): { bytes: number; digest: string } | null {
  const hash = createHash('sha256')
  let bytes = 0
  for (const line of lines) {
    hash.update(line).update('\n')
    bytes += line.length + 1
  }
  const wanted = hash.digest('base64url')
  return digestLines(path) === wanted ? { bytes, digest: wanted } : null
}

/** The file must end with an offer: nothing is appended when the newest receipt is one that still holds. */
async function offerTransportKey({ sealer, receipts }: Context, tx: Writer, from: number, now: number): Promise<void> {
  const unused = await unusedTransportKey(tx)
  const last = await receipts.last(tx, from)
  const stated = last === null ? null : peekStatement(last, receiptSchema, 'receipt').stated
  const offered = stated?.type === 'transport-key-offered' ? stated.key : null
  if (unused && offered && digest(JSON.stringify(offered)) === digest(JSON.stringify(unused))) return
  const key = unused ?? (await makeTransportKey(tx, sealer, now))
  await receipts.append(tx, now, { type: 'transport-key-offered', key })
}
