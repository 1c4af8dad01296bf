import { createHash } from 'node:crypto'
import { must } from '../../shared/errors.ts'
import { digest, fromUtf8 } from '../../shared/formats/bytes.ts'
import type { P256Jwk, StatementKey } from '../../shared/formats/jws.ts'
import {
  mustBegin,
  mustFollow,
  openReceipt,
  RECEIPT_MAX,
  RECEIPTS_MAX,
  type Receipt,
  type ReceiptHead,
} from '../../shared/formats/receipt.ts'
import { readLinesGuarded } from '../files/read.ts'

export type ReadReceipts = {
  /** The receipts after `after`, in order; empty when the file holds only what was taken before. */
  receipts: Receipt[]
  /** The end of the chain with this file, null for a chain without any receipt. */
  head: ReceiptHead | null
  /** The transport key for the next handoff, null when the file is older than what was taken before. */
  offered: P256Jwk | null
  /** The signed receipt that offers it. */
  offer: string | null
  /** SHA-256 of the file. */
  fileDigest: string
}

type Expected = { signer: StatementKey; runtimeId: string; after: ReceiptHead | null; practice: boolean }

const CAPS = { maxBytes: RECEIPTS_MAX * 1024, maxLine: RECEIPT_MAX }

/**
 * Reads and verifies a file of receipts. Each must be signed by the runtime's receipt key, name the runtime, and follow
 * the one before by number and digest. The file may begin before `after`; where both overlap they must agree. Codes: of
 * `readLinesGuarded` and `openReceipt`; `audience-wrong` for another runtime; `receipts-gap` when receipts between
 * `after` and the file are missing; `receipts-forked` when the chain is not the one `after` belongs to; `format-invalid`
 * when it does not end with an offered transport key.
 */
export async function readReceipts(
  path: string,
  { signer, runtimeId, after, practice }: Expected,
): Promise<ReadReceipts> {
  const hash = createHash('sha256')
  const receipts: Receipt[] = []
  let head: ReceiptHead | null = null
  let last: { receipt: Receipt; jws: string } | null = null
  for (const bytes of readLinesGuarded(path, CAPS)) {
    hash.update(bytes).update('\n')
    const jws = fromUtf8(bytes)
    const receipt = await openReceipt(jws, signer, practice)
    must(receipt.runtimeId === runtimeId, 'audience-wrong', `A receipt is of the runtime ${receipt.runtimeId}.`)
    if (head === null) mustJoin(receipt, after)
    else mustFollow(receipt, head)
    head = { seq: receipt.seq, digest: digest(jws) }
    if (after?.seq === head.seq)
      must(after.digest === head.digest, 'receipts-forked', `Receipt ${head.seq} is not the one taken before.`)
    if (receipt.seq > (after?.seq ?? 0)) receipts.push(receipt)
    last = { receipt, jws }
  }
  must(last && head, 'format-invalid', 'This file holds no receipt.')
  const { stated } = last.receipt
  must(
    stated.type === 'transport-key-offered',
    'format-invalid',
    'The receipts do not end with an offered transport key.',
  )
  const fileDigest = hash.digest('base64url')
  const older = head.seq < (after?.seq ?? 0)
  return {
    receipts,
    head: older ? after : head,
    offered: older ? null : stated.key,
    offer: older ? null : last.jws,
    fileDigest,
  }
}

/** The first receipt of a file: at or before the next expected one. */
function mustJoin(first: Receipt, after: ReceiptHead | null): void {
  const next = (after?.seq ?? 0) + 1
  must(first.seq <= next, 'receipts-gap', `Receipts ${next} to ${first.seq - 1} are missing.`)
  mustBegin(first)
  if (first.seq === next && after)
    must(first.prev === after.digest, 'receipts-forked', `Receipt ${first.seq} does not follow the one taken before.`)
}
