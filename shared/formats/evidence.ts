import { z } from 'zod'
import { CEREMONY_KINDS } from '../domain/events.ts'
import { digest } from './bytes.ts'
import { copySchema } from './certificate.ts'
import {
  compactSchema,
  countSchema,
  digestSchema,
  environmentSchema,
  idSchema,
  instantSchema,
  keySpecSchema,
  keyTimesShape,
  lineSchema,
  uuidSchema,
  writtenPolicySchema,
} from './common.ts'
import { canonicalText, MB, parseAs, parseJson } from './json.ts'

/** The evidence pack: what an auditor reads. Every claim names the signed statement behind it; what is missing is named too. */

const text = z.string().max(2000)
const evidenceKeySchema = z.strictObject({
  kid: digestSchema,
  label: lineSchema,
  spec: keySpecSchema,
  /** NIST SP 800-57 state at the time of the pack. */
  state: z.enum(['pre-activation', 'active', 'deactivated', 'compromised', 'destroyed']),
  times: z.strictObject(keyTimesShape),
  bornAt: instantSchema,
  bornIn: z.string().max(40).nullable(),
  generator: lineSchema,
  compromised: z.strictObject({ at: instantSchema, reason: text }).nullable(),
  destroyed: z.strictObject({ at: instantSchema, reason: text }).nullable(),
  certificate: z.strictObject({ id: z.string().max(40), grade: z.enum(['deletion', 'destruction']) }).nullable(),
  copies: z.array(copySchema).max(100),
})

export const evidenceBodySchema = z.strictObject({
  version: z.literal(1),
  vault: z.strictObject({ id: uuidSchema, name: lineSchema, practice: z.boolean() }),
  builtAt: instantSchema,
  anchor: compactSchema,
  roster: compactSchema,
  checkpoint: compactSchema,
  tenants: z.array(
    z.strictObject({
      tenant: idSchema,
      name: lineSchema,
      issuer: z.string().max(256),
      policy: writtenPolicySchema,
      keys: z.array(evidenceKeySchema),
    }),
  ),
  ceremonies: z.array(
    z.strictObject({
      ceremony: z.string().max(40),
      kind: z.enum(CEREMONY_KINDS),
      startedAt: instantSchema,
      endedAt: instantSchema.nullable(),
      outcome: z.enum(['completed', 'aborted', 'open']),
      record: digestSchema.nullable(),
      present: z.array(idSchema),
    }),
  ),
  runtimes: z.array(
    z.strictObject({
      runtimeId: idSchema,
      environment: environmentSchema,
      acceptance: compactSchema,
      handoffs: z.array(
        z.strictObject({ number: z.int(), at: instantSchema, manifest: digestSchema.nullable(), keys: countSchema }),
      ),
      receipts: z.strictObject({ upTo: countSchema, head: digestSchema.nullable() }),
    }),
  ),
  /** The isolation matrix: every tenant's token at every other tenant's verifier. */
  isolation: z
    .strictObject({
      at: instantSchema,
      tenants: countSchema,
      pairs: countSchema,
      rejectedByPolicy: countSchema,
      rejectedBySignature: countSchema,
      signatureChecks: countSchema,
      accepted: countSchema,
    })
    .nullable(),
  certificates: z.array(compactSchema).max(10_000),
  notCollected: z.array(z.strictObject({ what: text, why: text })).max(50),
})
export type EvidenceBody = z.infer<typeof evidenceBodySchema>

export const evidenceSchema = z.strictObject({
  evidence: evidenceBodySchema,
  signatures: z.record(idSchema, compactSchema),
})
export type Evidence = z.infer<typeof evidenceSchema>

export const evidenceDigest = (body: EvidenceBody): string => digest(canonicalText(body))

export const parseEvidence = (bytes: Uint8Array): Evidence =>
  parseAs(evidenceSchema, parseJson(bytes, { maxBytes: 128 * MB, maxDepth: 12 }), 'evidence pack')
