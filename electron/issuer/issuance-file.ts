import { z } from 'zod'
import {
  compactSchema,
  countSchema,
  digestSchema,
  environmentSchema,
  idSchema,
  instantSchema,
} from '../../shared/formats/common.ts'
import { MB } from '../../shared/formats/json.ts'
import { ed25519JwkSchema } from '../../shared/formats/jws.ts'

/**
 * A tenant's issuance log as a file for auditors: one JSON object a line. First what it is, then the rows, each with the
 * tokens that were written together, then the end with the receipt in which the runtime stated it.
 */

export const headerSchema = z.strictObject({
  format: z.literal('keyrite-issuance-log'),
  version: z.literal(1),
  practice: z.boolean(),
  runtimeId: idSchema,
  environment: environmentSchema,
  tenant: idSchema,
  issuer: z.string().min(1).max(500),
  /** The key that signs the runtime's receipts; its enrollment names the same one. */
  receiptKey: ed25519JwkSchema,
  at: instantSchema,
  /** The span that was asked for; null where it was not limited. */
  from: instantSchema.nullable(),
  until: instantSchema.nullable(),
  /** The first row that follows, and the digest of the one before it. */
  first: z.int().min(1),
  prev: digestSchema,
})
export type IssuanceHeader = z.infer<typeof headerSchema>

const text = z.string().max(8 * 1024)
/** One token: what was granted to whom. The digest of a row is over these members in this order. */
export const entrySchema = z.strictObject({
  at: instantSchema,
  jti: text,
  clientId: text,
  audience: text,
  scope: text,
  kid: text,
  exp: instantSchema,
})

export const rowSchema = z.strictObject({
  seq: z.int().min(1),
  prev: digestSchema,
  /** When the last of its tokens was issued. */
  at: instantSchema,
  tokens: countSchema,
  entries: z.array(entrySchema).min(1),
})

export const endSchema = z.strictObject({
  rows: countSchema,
  tokens: countSchema,
  seq: z.int().min(1),
  head: digestSchema,
  /** The signed receipt `issuance-log` for exactly this head. */
  receipt: compactSchema,
})

/** A row holds the tokens of some milliseconds; after a long stall of the disk they are many. */
export const ISSUANCE_CAPS = { maxBytes: Number.MAX_SAFE_INTEGER, maxLine: 64 * MB }
