import { z } from 'zod'
import { CEREMONY_KINDS, EXPORT_FORMATS, IMPORT_FORMATS, type VaultEvent } from '../domain/events.ts'
import { SHARE_PLACES } from '../domain/roster.ts'
import { digest } from './bytes.ts'
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
  policySchema,
  publicJwkSchema,
  relyingPartySchema,
  uuidSchema,
} from './common.ts'
import { canonicalText, MB, parseAs, parseJson } from './json.ts'
import { ROSTER_MAX } from './roster.ts'
import { successionSchema } from './succession.ts'
import { x5cSchema } from './x509.ts'

/** The event log's rows: canonical JSON bodies in a SHA-256 chain. */

const ceremonyId = z.string().regex(/^[A-Z]-\d{4}-\d{3,6}$/)
const stepId = z.string().regex(/^[a-z][a-z-]{1,40}$/)
const blobId = z.string().regex(/^(?:key|wrap):[A-Za-z0-9_-]{1,64}$/)
const sealed = z.record(blobId, digestSchema)
const personDigests = z.strictObject({
  identity: digestSchema,
  fileKeys: z.record(digestSchema, digestSchema),
  shares: z.record(z.string().regex(/^\d{1,6}$/), digestSchema),
})
const people = z.record(idSchema, personDigests)
const agreements = z.record(idSchema, compactSchema)
const text = z.string().min(1).max(2000)
const kids = z.array(digestSchema).max(100_000)
const epoch = z.int().min(1)

const type = <T extends string>(name: T) => ({ type: z.literal(name) })

export const eventSchema: z.ZodType<VaultEvent> = z.discriminatedUnion('type', [
  z.strictObject({
    ...type('vault-created'),
    vaultId: uuidSchema,
    name: lineSchema,
    practice: z.boolean(),
    anchor: compactSchema,
    successor: digestSchema,
    roster: compactSchema,
    agreements,
    people,
    sealed,
    epoch,
    medium: z.array(idSchema).max(16).optional(),
  }),
  z.strictObject({
    ...type('ceremony-started'),
    ceremony: ceremonyId,
    kind: z.enum(CEREMONY_KINDS),
    planDigest: digestSchema,
    plan: z.string().max(4 * MB),
    present: z.array(idSchema),
    clock: z.strictObject({ offset: z.int(), by: z.array(idSchema).length(2) }).nullable(),
    headCard: z.strictObject({ seq: countSchema, head: z.string().regex(/^[0-9a-f]{16,64}$/) }).nullable(),
  }),
  z.strictObject({ ...type('attendance'), ceremony: ceremonyId, present: z.array(idSchema).min(1) }),
  z.strictObject({
    ...type('approved'),
    ceremony: ceremonyId,
    step: stepId,
    objects: digestSchema,
    approvals: z.array(compactSchema).max(16),
  }),
  z.strictObject({ ...type('step-done'), ceremony: ceremonyId, step: stepId, observed: text }),
  z.strictObject({ ...type('deviation'), ceremony: ceremonyId, expected: text, happened: text, action: text }),
  z.strictObject({ ...type('ceremony-aborted'), ceremony: ceremonyId, reason: text }),
  z.strictObject({
    ...type('ceremony-ended'),
    ceremony: ceremonyId,
    record: digestSchema,
    signOffs: agreements,
    covers: z.strictObject({ seq: countSchema, head: digestSchema }),
  }),
  z.strictObject({ ...type('share-proved'), person: idSchema, epoch }),
  z.strictObject({
    ...type('tenant-added'),
    tenant: idSchema,
    name: lineSchema,
    issuer: z.string().max(256),
    policy: policySchema,
    relyingParties: z.array(relyingPartySchema).max(50),
    reserved: z.literal(true).exactOptional(),
  }),
  z.strictObject({
    ...type('tenant-amended'),
    tenant: idSchema,
    name: lineSchema,
    policy: policySchema,
    relyingParties: z.array(relyingPartySchema).max(50),
  }),
  z.strictObject({ ...type('tenant-offboarded'), tenant: idSchema, reason: text }),
  z.strictObject({ ...type('hold-placed'), hold: idSchema, kids, reason: text }),
  z.strictObject({ ...type('hold-lifted'), hold: idSchema, reason: text }),
  z.strictObject({
    ...type('key-generated'),
    tenant: idSchema,
    kid: digestSchema,
    spec: keySpecSchema,
    jwk: publicJwkSchema,
    x5c: x5cSchema.optional(),
    label: lineSchema,
    times: z.strictObject(keyTimesShape),
    replaces: digestSchema.nullable(),
    standby: z.literal(true).optional(),
    generator: z.strictObject({ node: lineSchema, openssl: lineSchema, process: z.literal('fresh') }),
    sealed,
  }),
  z.strictObject({
    ...type('key-imported'),
    tenant: idSchema,
    kid: digestSchema,
    spec: keySpecSchema,
    jwk: publicJwkSchema,
    label: lineSchema,
    times: z.strictObject(keyTimesShape),
    imported: z.strictObject({ file: z.string().max(121), format: z.enum(IMPORT_FORMATS), statement: text }),
    sealed,
  }),
  z.strictObject({
    ...type('export-intended'),
    number: z.int().min(1),
    kids,
    format: z.enum(EXPORT_FORMATS),
    recipient: digestSchema,
    holder: lineSchema,
    reason: text,
  }),
  z.strictObject({
    ...type('export-written'),
    number: z.int().min(1),
    file: z.string().max(200),
    digest: digestSchema,
  }),
  z.strictObject({
    ...type('standby-activated'),
    tenant: idSchema,
    kid: digestSchema,
    times: z.strictObject(keyTimesShape),
    replaces: digestSchema,
  }),
  z.strictObject({
    ...type('key-compromised'),
    tenant: idSchema,
    kid: digestSchema,
    at: instantSchema,
    reason: lineSchema,
  }),
  z.strictObject({
    ...type('runtime-enrolled'),
    runtimeId: idSchema,
    environment: environmentSchema,
    enrollment: compactSchema,
    acceptance: compactSchema,
  }),
  z.strictObject({
    ...type('handoff-intended'),
    runtimeId: idSchema,
    number: z.int().min(1),
    transportKey: digestSchema,
    tenants: z.array(idSchema),
    keys: kids,
  }),
  z.strictObject({
    ...type('handoff-exported'),
    runtimeId: idSchema,
    number: z.int().min(1),
    manifest: digestSchema,
    merkleRoot: digestSchema,
    files: z.record(z.string().max(200), digestSchema),
  }),
  z.strictObject({
    ...type('envelopes-intended'),
    runtimeId: idSchema,
    envelopes: z
      .array(
        z.strictObject({ number: z.int().min(1), tenant: idSchema, kid: digestSchema, transportKey: digestSchema }),
      )
      .min(1)
      .max(20_000),
  }),
  z.strictObject({
    ...type('envelope-sealed'),
    runtimeId: idSchema,
    number: z.int().min(1),
    file: z.string().max(200),
    digest: digestSchema,
  }),
  z.strictObject({
    ...type('revocations-intended'),
    revocations: z
      .array(
        z.strictObject({
          runtimeId: idSchema,
          id: uuidSchema,
          order: z.int().min(1),
          reason: lineSchema,
          prepared: z.boolean(),
          keys: kids.min(1),
          standbys: kids,
          exp: instantSchema,
        }),
      )
      .min(1)
      .max(1000),
  }),
  z.strictObject({
    ...type('revocation-signed'),
    runtimeId: idSchema,
    order: z.int().min(1),
    statement: digestSchema,
    file: z.string().max(200),
    digest: digestSchema,
  }),
  z.strictObject({
    ...type('receipts-taken'),
    runtimeId: idSchema,
    file: digestSchema,
    upTo: countSchema,
    head: digestSchema,
    offered: compactSchema.max(8192).nullable(),
    statements: z.array(
      z.strictObject({ seq: z.int().min(1), at: instantSchema, stated: z.looseObject({ type: z.string().max(64) }) }),
    ),
  }),
  z.strictObject({ ...type('copy-attested'), kids, copy: lineSchema, by: idSchema, statement: text }),
  z.strictObject({
    ...type('keys-destroyed'),
    kids,
    reason: text,
    marks: z.record(blobId, z.string().regex(/^[A-Za-z0-9_-]{22}$/)),
  }),
  z.strictObject({ ...type('epoch-activated'), epoch, roster: compactSchema, agreements, people, sealed }),
  z.strictObject({
    ...type('custody-dealt'),
    epoch,
    roster: z.string().max(ROSTER_MAX),
    custodians: z.record(idSchema, z.enum(SHARE_PLACES)),
    people,
  }),
  z.strictObject({
    ...type('custody-accepted'),
    ceremony: ceremonyId,
    step: stepId,
    objects: digestSchema,
    approvals: z.array(compactSchema).max(16),
  }),
  z.strictObject({ ...type('passphrase-changed'), person: idSchema, identity: digestSchema }),
  z.strictObject({
    ...type('root-rotated'),
    succession: successionSchema,
    compromised: z.boolean(),
    successor: digestSchema,
    roster: compactSchema,
    agreements,
    acceptances: z.record(idSchema, compactSchema),
    sealed,
    removed: z.array(blobId).max(8),
  }),
  z.strictObject({ ...type('file-key-changed'), fileKey: digestSchema, people }),
  z.strictObject({ ...type('absence-proved'), kids, rows: countSchema, pages: countSchema }),
  z.strictObject({
    ...type('certificate-issued'),
    certificate: z.string().max(40),
    grade: z.enum(['deletion', 'destruction']),
    kids,
    statement: compactSchema,
    signatures: agreements,
  }),
  z.strictObject({ ...type('keys-chosen'), ceremony: ceremonyId, kids }),
  z.strictObject({
    ...type('restore-tried'),
    folders: z.array(z.string().max(200)).max(20),
    kids,
    trials: z.array(z.strictObject({ folder: z.string().max(200), copy: lineSchema, opened: kids, why: text })).max(20),
  }),
  z.strictObject({
    ...type('backup-intended'),
    number: countSchema.min(1),
    holder: lineSchema,
    place: lineSchema,
    replaces: z.array(countSchema.min(1)).max(1000),
    seq: countSchema,
    head: digestSchema,
  }),
  z.strictObject({
    ...type('backup-made'),
    number: countSchema.min(1),
    folder: z.string().max(200),
    files: z.record(z.string().max(200), digestSchema),
  }),
  z.strictObject({ ...type('backup-opened'), number: countSchema.min(1), seq: countSchema, head: digestSchema }),
  z.strictObject({
    ...type('vault-restored'),
    backup: countSchema.min(1),
    reason: text,
    seq: countSchema,
    head: digestSchema,
    seen: countSchema,
    dead: z.array(idSchema).max(1000),
    elsewhere: z
      .array(z.strictObject({ kid: digestSchema, certificate: z.string().max(40), at: instantSchema }))
      .max(100_000),
  }),
  z.strictObject({ ...type('inventory-taken'), inventory: z.string().max(40), statement: compactSchema }),
  z.strictObject({
    ...type('tail-accepted'),
    from: countSchema,
    to: countSchema,
    head: digestSchema,
    approvals: z.array(compactSchema).max(16),
  }),
  z.strictObject({ ...type('checkpoint'), statement: compactSchema }),
])

/** The link of the chain: a digest over the vault, the place, the time, the actor, the body's bytes and the link before. */
export const eventHash = (
  vaultId: string,
  row: { seq: number; at: number; actor: string; body: string; prev: string },
): string =>
  digest(JSON.stringify(['keyrite event 1', vaultId, row.seq, row.at, row.actor, row.prev, digest(row.body)]))

/** What a person signs of an event: its link, under a label of its own. */
export const eventSigningInput = (hash: string): string => `keyrite event signature 1\n${hash}`

/** The link before the first event. */
export const CHAIN_START = digest('keyrite event chain 1')

/** Canonical JSON of an event; one that could not be read back is refused before it is written. */
export const encodeEvent = (event: VaultEvent): string =>
  canonicalText(parseAs(eventSchema, event, 'event of a vault', 'internal'))

/** Parses a stored body. Codes `json-invalid`, `format-invalid`. */
export const parseEvent = (body: string): VaultEvent =>
  parseAs(eventSchema, parseJson(body, { maxBytes: 64 * MB, maxDepth: 12 }), 'event of a vault')
