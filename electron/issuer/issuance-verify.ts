import type { z } from 'zod'
import { count } from '../../shared/domain/plural.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { digest, fromUtf8 } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { parseAs, parseJson } from '../../shared/formats/json.ts'
import type { StatementKey } from '../../shared/formats/jws.ts'
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
import { endSchema, headerSchema, ISSUANCE_CAPS, type IssuanceHeader, rowSchema } from './issuance-file.ts'
import { issuanceDigest, NO_ROW } from './traffic.ts'

/** Verifies an exported issuance log without any runtime: what an auditor runs. */

export type VerifiedIssuance = Pick<IssuanceHeader, 'tenant' | 'issuer' | 'runtimeId' | 'practice' | 'first'> & {
  last: number
  rows: number
  tokens: number
  /** When the tokens of the first and of the last row were issued. */
  begin: number
  end: number
  head: string
  /** The key id of the receipt key that signed it. */
  receiptKey: string
  /** Number and time of the receipt that states the head. */
  receipt: { seq: number; at: number }
  /** Receipts about this log in the file of receipts; null where none was given. */
  anchors: { matched: number; beyond: number } | null
  /** What does not hold, at most a hundred lines; empty where everything does. */
  findings: string[]
}

const FINDINGS_MAX = 100
const RECEIPT_CAPS = { maxBytes: RECEIPTS_MAX * 1024, maxLine: RECEIPT_MAX }

type Stated = { head: string; receipt: number }
/** What receipts say of one tenant's log, by the row that they are about. */
type Anchors = { byRow: Map<number, Stated[]>; lines: Map<number, string>; newest: number }

type Walked = Pick<VerifiedIssuance, 'last' | 'rows' | 'tokens' | 'begin' | 'end' | 'head'>
type End = z.infer<typeof endSchema>
type Report = (finding: string) => void

/**
 * Reads the file row by row. `receipts` is a file of receipts of the same runtime, to be compared with; `expectedKey` the
 * key id of the receipt key by its enrollment. Codes: of reading; `format-invalid`, `json-invalid` for what is no such
 * file; `signature-invalid`, `jose-refused` for a receipt that its key did not sign; `receipts-gap`, `receipts-forked`.
 */
export async function verifyIssuance(
  path: string,
  { receipts, expectedKey }: { receipts?: string | undefined; expectedKey?: string | undefined } = {},
): Promise<VerifiedIssuance> {
  const findings: string[] = []
  const report: Report = (finding) => void (findings.length < FINDINGS_MAX && findings.push(finding))
  const lines = readLinesGuarded(path, ISSUANCE_CAPS)
  try {
    const first = lines.next()
    must(!first.done, 'format-invalid', 'This file is empty.')
    const header = parseAs(headerSchema, read(first.value), 'issuance log')
    const key = { kid: thumbprint(header.receiptKey), jwk: header.receiptKey }
    if (expectedKey !== undefined && expectedKey !== key.kid)
      report(`It is signed by another receipt key than that of the enrollment: ${key.kid}.`)
    const anchors = receipts === undefined ? null : await anchorsIn(receipts, header, key)
    const [walked, { receipt }] = walk(lines, header, anchors, report)
    const stated = await openReceipt(receipt, key, header.practice)
    const { last, head } = walked
    mustState(stated, header, { last, head }, report)
    if (anchors) compareReceipts(anchors, header, { stated, line: receipt, last }, report)
    const { tenant, issuer, runtimeId, practice } = header
    return {
      ...{ tenant, issuer, runtimeId, practice, first: header.first, ...walked },
      receiptKey: key.kid,
      receipt: { seq: stated.seq, at: stated.at },
      anchors: anchors && countAnchors(anchors, header.first, last),
      findings,
    }
  } finally {
    lines.return(undefined)
  }
}

const read = (line: Uint8Array): unknown => parseJson(line, { maxBytes: ISSUANCE_CAPS.maxLine, maxDepth: 4 })

/** Row after row until the end, in constant memory. */
function walk(
  lines: Iterable<Uint8Array>,
  { tenant, first, prev }: IssuanceHeader,
  anchors: Anchors | null,
  report: Report,
): [Walked, End] {
  const at: Walked = { last: first - 1, rows: 0, tokens: 0, begin: 0, end: 0, head: prev }
  if (first === 1 && prev !== NO_ROW) report('The first row does not begin the log.')
  compareAnchor(anchors, first - 1, prev, report)
  let end: End | null = null
  for (const line of lines) {
    must(end === null, 'format-invalid', 'Something follows after the end of this log.')
    const value = read(line)
    if (typeof value === 'object' && value !== null && 'receipt' in value) {
      end = parseAs(endSchema, value, 'end of an issuance log')
      continue
    }
    const row = parseAs(rowSchema, value, 'row of an issuance log')
    if (row.seq !== at.last + 1) report(`Row ${at.last + 1} is missing: ${row.seq} stands in its place.`)
    if (row.prev !== at.head) report(`Row ${row.seq} does not follow the one before it.`)
    if (row.tokens !== row.entries.length) report(`Row ${row.seq} says ${row.tokens} tokens and holds others.`)
    if (row.at !== row.entries.at(-1)?.at) report(`Row ${row.seq} has another time than its last token.`)
    const entries = (value as { entries: unknown[] }).entries.map((entry) => JSON.stringify(entry)).join('\n')
    at.head = issuanceDigest(tenant, row.seq, row.prev, entries)
    compareAnchor(anchors, row.seq, at.head, report)
    if (at.rows === 0) at.begin = row.at
    Object.assign(at, { last: row.seq, rows: at.rows + 1, tokens: at.tokens + row.entries.length, end: row.at })
  }
  must(end && at.rows > 0, 'format-invalid', 'This log does not end: the file was cut off.')
  if (end.rows !== at.rows || end.tokens !== at.tokens)
    report(`Its end says ${count(end.rows, 'row')} and ${count(end.tokens, 'token')}; it holds others.`)
  if (end.seq !== at.last || end.head !== at.head) report('Its end names another row than the last one here.')
  return [at, end]
}

function mustState(
  { runtimeId, stated }: Receipt,
  header: IssuanceHeader,
  { last, head }: { last: number; head: string },
  report: Report,
): void {
  const about = stated.type === 'issuance-log' && stated.tenant === header.tenant && runtimeId === header.runtimeId
  if (!about) report('The receipt at its end is not about this log.')
  else if (stated.seq !== last || stated.head !== head) report('The signed receipt states another head.')
}

/** Every receipt of the file, verified and chained; kept is only what is about this tenant's log. */
async function anchorsIn(path: string, { tenant, practice, runtimeId }: IssuanceHeader, key: StatementKey) {
  const found: Anchors = { byRow: new Map(), lines: new Map(), newest: 0 }
  let before: ReceiptHead | null = null
  for (const bytes of readLinesGuarded(path, RECEIPT_CAPS)) {
    const line = fromUtf8(bytes)
    const receipt = await openReceipt(line, key, practice)
    must(receipt.runtimeId === runtimeId, 'audience-wrong', `A receipt is of the runtime ${receipt.runtimeId}.`)
    if (before) mustFollow(receipt, before)
    else mustBegin(receipt)
    before = { seq: receipt.seq, digest: digest(line) }
    found.newest = receipt.seq
    const { stated } = receipt
    if (stated.type !== 'issuance-log' || stated.tenant !== tenant) continue
    const known = found.byRow.get(stated.seq) ?? []
    found.byRow.set(stated.seq, [...known, { head: stated.head, receipt: receipt.seq }])
    found.lines.set(receipt.seq, line)
  }
  if (before === null) throw new KeyriteError('format-invalid', 'The file of receipts is empty.')
  return found
}

function compareAnchor(anchors: Anchors | null, seq: number, head: string, report: Report): void {
  for (const one of anchors?.byRow.get(seq) ?? [])
    if (one.head !== head) report(`Receipt ${one.receipt} states another row ${seq} than this one.`)
}

/** An earlier receipt about a later row: the log was cut, or began anew, since. */
function compareReceipts(
  { byRow, lines, newest }: Anchors,
  { until }: IssuanceHeader,
  { stated, line, last }: { stated: Receipt; line: string; last: number },
  report: Report,
): void {
  const same = lines.get(stated.seq)
  if (stated.seq <= newest && same !== undefined && same !== line) report(`Receipt ${stated.seq} is another one there.`)
  if (until !== null) return
  for (const [row, ones] of byRow)
    for (const { receipt } of ones)
      if (row > last && receipt < stated.seq)
        report(`Receipt ${receipt} states a row ${row}, which this log had no more when it was written.`)
}

function countAnchors({ byRow }: Anchors, first: number, last: number): { matched: number; beyond: number } {
  const rows = [...byRow].map(([row, ones]) => ({ within: row >= first - 1 && row <= last, ones: ones.length }))
  const sum = (within: boolean) => rows.filter((one) => one.within === within).reduce((all, one) => all + one.ones, 0)
  return { matched: sum(true), beyond: sum(false) }
}
