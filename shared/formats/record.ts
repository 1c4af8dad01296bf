import { z } from 'zod'
import { CEREMONY_KINDS, type CeremonyKind } from '../domain/events.ts'
import { ROLES } from '../domain/roster.ts'
import { SCRIPTS, SIGN_OFF } from '../domain/script.ts'
import { digest } from './bytes.ts'
import { compactSchema, countSchema, digestSchema, idSchema, instantSchema, lineSchema, uuidSchema } from './common.ts'
import { canonicalText, MB, parseAs, parseJson } from './json.ts'

/**
 * The record of a ceremony: what was planned, who was there, what happened when, everybody's signature over it, and the
 * approvals with which M custodians closed it. Those make it more than the word of whoever wrote it.
 */

const text = z.string().max(4000)
export const participantSchema = z.strictObject({ id: idSchema, name: lineSchema, role: z.enum(ROLES) })
export type Participant = z.infer<typeof participantSchema>

export const recordBodySchema = z.strictObject({
  version: z.literal(1),
  ceremony: z.string().max(40),
  kind: z.enum(CEREMONY_KINDS),
  vault: z.strictObject({ id: uuidSchema, name: lineSchema, practice: z.boolean() }),
  anchor: compactSchema,
  /** Every root-signed roster in force during the ceremony, oldest first. */
  rosters: z.array(compactSchema).min(1).max(4),
  /** The plan file as it was read, and its digest, which every approval names. */
  plan: z.string().max(4 * MB),
  planDigest: digestSchema,
  startedAt: instantSchema,
  participants: z.array(participantSchema).min(1).max(64),
  script: z
    .array(z.strictObject({ id: z.string().max(64), title: text, who: text, readAloud: text, do: text, observe: text }))
    .max(100),
  steps: z
    .array(z.strictObject({ step: z.string().max(64), at: instantSchema, by: z.string().max(64), observed: text }))
    .max(100),
  approvals: z
    .array(
      z.strictObject({ step: z.string().max(64), objects: digestSchema, approvals: z.array(compactSchema).max(16) }),
    )
    .max(100),
  deviations: z
    .array(z.strictObject({ at: instantSchema, by: z.string().max(64), expected: text, happened: text, action: text }))
    .max(1000),
  /** The vault's events that this record covers: first and last number, and the chain's link at the last. */
  events: z.strictObject({ from: countSchema, to: countSchema, head: digestSchema }),
})
export type RecordBody = z.infer<typeof recordBodySchema>

export const recordSchema = z.strictObject({
  record: recordBodySchema,
  signatures: z.record(idSchema, compactSchema),
  /** The quorum act of the step `sign-off`. It covers the body, so it stands beside it. */
  closing: z.strictObject({ objects: digestSchema, approvals: z.array(compactSchema).max(16) }),
})
export type CeremonyRecord = z.infer<typeof recordSchema>

/** What participants sign: the SHA-256 of the canonical body. */
export const recordDigest = (body: RecordBody): string => digest(canonicalText(body))

/** What M custodians approve when the ceremony is closed, given its record's digest. */
export const closingObjects = (record: string): { record: string } => ({ record })

/** The script of a kind of ceremony with its closing, as every record of that kind holds it. */
export const scriptOf = (kind: CeremonyKind): RecordBody['script'] =>
  [...SCRIPTS[kind], SIGN_OFF].map(({ id, title, who, readAloud, do: what, observe }) => ({
    id,
    title,
    who,
    readAloud,
    do: what,
    observe,
  }))

export const parseRecord = (bytes: Uint8Array): CeremonyRecord =>
  parseAs(recordSchema, parseJson(bytes, { maxBytes: 16 * MB, maxDepth: 10 }), 'record of a ceremony')
