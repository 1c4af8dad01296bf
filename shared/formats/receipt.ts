import { z } from 'zod'
import { must } from '../errors.ts'
import { toBase64url, utf8 } from './bytes.ts'
import { countSchema, digestSchema, idSchema, instantSchema, lineSchema, uuidSchema } from './common.ts'
import { canonicalBytes, KB, parseAs } from './json.ts'
import { openStatement, p256JwkSchema, type StatementKey, statementTyp } from './jws.ts'

/** What a runtime states, signed with its receipt key and chained: each receipt holds the digest of the one before. */

const about = { tenant: idSchema, kid: digestSchema }
export const statedSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('imported'),
    number: z.int(),
    manifest: digestSchema,
    tenants: countSchema,
    keys: countSchema,
    eventSeq: z.int(),
  }),
  z.strictObject({ type: z.literal('import-refused'), code: z.string().max(64), file: z.string().max(200) }),
  z.strictObject({ type: z.literal('transport-key-offered'), key: p256JwkSchema }),
  z.strictObject({ type: z.literal('transport-key-erased'), key: digestSchema }),
  z.strictObject({ type: z.literal('envelope-key-offered'), kid: digestSchema, key: p256JwkSchema }),
  z.strictObject({
    type: z.literal('envelope-opened'),
    ...about,
    number: z.int(),
    withdrawn: digestSchema,
    actor: lineSchema,
  }),
  z.strictObject({ type: z.literal('phase'), ...about, phase: z.enum(['announced', 'signing', 'retired', 'removed']) }),
  z.strictObject({
    type: z.literal('erased'),
    ...about,
    reason: z.enum(['retired', 'tainted', 'compromised', 'destroyed', 'offboarded']),
  }),
  z.strictObject({
    type: z.literal('tainted'),
    ...about,
    withdrawn: z.boolean(),
    actor: lineSchema,
    residualUntil: instantSchema,
  }),
  z.strictObject({ type: z.literal('tenant-named'), tenant: idSchema, name: lineSchema, actor: lineSchema }),
  z.strictObject({ type: z.literal('client-added'), tenant: idSchema, clientId: lineSchema, actor: lineSchema }),
  z.strictObject({ type: z.literal('client-removed'), tenant: idSchema, clientId: lineSchema, actor: lineSchema }),
  z.strictObject({ type: z.literal('clock-hold'), from: instantSchema, to: instantSchema }),
  z.strictObject({ type: z.literal('clock-confirmed'), actor: lineSchema }),
  z.strictObject({
    type: z.literal('revoked'),
    id: uuidSchema,
    order: z.int().min(1),
    digest: digestSchema,
    tenants: countSchema,
    keys: countSchema,
    actor: lineSchema,
  }),
  z.strictObject({ type: z.literal('tokens-rejected'), tenant: idSchema, before: instantSchema, actor: lineSchema }),
  z.strictObject({ type: z.literal('config-changed'), what: lineSchema, actor: lineSchema }),
  /** A copy of every private half the runtime holds; `storageKey` is the id of the key that opens it. */
  z.strictObject({
    type: z.literal('backup-made'),
    backup: digestSchema,
    keys: countSchema,
    storageKey: digestSchema,
    actor: lineSchema,
  }),
  z.strictObject({ type: z.literal('restored'), backup: digestSchema, fromSeq: z.int().min(0), actor: lineSchema }),
  /** Once the storage key `from` is erased, no backup made under it opens for anybody. */
  z.strictObject({ type: z.literal('storage-key-rotated'), from: digestSchema, to: digestSchema, actor: lineSchema }),
  /** Anchors a tenant's hash-chained issuance log in this chain. */
  z.strictObject({ type: z.literal('issuance-log'), tenant: idSchema, seq: z.int().min(1), head: digestSchema }),
])
export type Stated = z.infer<typeof statedSchema>

export const receiptSchema = z.strictObject({
  runtimeId: idSchema,
  seq: z.int().min(1),
  prev: digestSchema.nullable(),
  at: instantSchema,
  stated: statedSchema,
})
export type Receipt = z.infer<typeof receiptSchema>

export const RECEIPTS_MAX = 1_000_000
export const RECEIPT_MAX = 4 * KB

/** The runtime's receipt key (Ed25519). It signs at once, so that a receipt is made inside the transaction it reports. */
export type ReceiptSigner = { kid: string; sign(input: Uint8Array): Uint8Array }

/** A receipt that could not be read back is refused before it is signed: the vault could never take the chain again. */
export const checkedReceipt = (receipt: Receipt): Receipt => parseAs(receiptSchema, receipt, 'receipt', 'internal')

/** Signs a receipt as compact JWS with the protected header {alg, kid, typ}. */
export function signReceipt(receipt: Receipt, practice: boolean, signer: ReceiptSigner): string {
  const header = { alg: 'Ed25519', kid: signer.kid, typ: statementTyp('receipt', practice) }
  const input = `${toBase64url(utf8(JSON.stringify(header)))}.${toBase64url(canonicalBytes(receipt))}`
  return `${input}.${toBase64url(signer.sign(utf8(input)))}`
}

export const openReceipt = (jws: string, signer: StatementKey, practice: boolean): Promise<Receipt> =>
  openStatement(jws, {
    typ: statementTyp('receipt', practice),
    key: signer,
    schema: receiptSchema,
    what: 'receipt',
    maxBytes: RECEIPT_MAX,
  })

/** A place in a runtime's chain: a receipt's number and the digest of its line. */
export type ReceiptHead = { seq: number; digest: string }

/** The first receipt of a chain has no predecessor, and no other is without. Code `receipts-forked`. */
export function mustBegin(first: Receipt): void {
  must((first.seq === 1) === (first.prev === null), 'receipts-forked', 'The first receipt does not begin the chain.')
}

/** Each receipt follows the one before by number and digest. Codes `receipts-gap`, `receipts-forked`. */
export function mustFollow(receipt: Receipt, head: ReceiptHead): void {
  const next = head.seq + 1
  must(receipt.seq <= next, 'receipts-gap', `Receipts ${next} to ${receipt.seq - 1} are missing.`)
  const follows = receipt.seq === next && receipt.prev === head.digest
  must(follows, 'receipts-forked', `Receipt ${receipt.seq} does not follow receipt ${head.seq}.`)
}
