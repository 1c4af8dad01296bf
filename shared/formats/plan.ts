import { z } from 'zod'
import { EXPORT_FORMATS, IMPORT_FORMATS } from '../domain/events.ts'
import { DEFAULT_POLICY, ED25519_NAMES, type Policy, STANDBYS, TOKEN_TYPES } from '../domain/policy.ts'
import { ROLES, SHARE_PLACES } from '../domain/roster.ts'
import { KeyriteError } from '../errors.ts'
import { digest, toBase64url } from './bytes.ts'
import { digestSchema, idSchema, keySpecSchema, lineSchema } from './common.ts'
import { MB, parseAs, parseJson } from './json.ts'

/** The plan file: what a ceremony is to do. Written by people, reviewed and hashed beforehand; every approval names its digest. */

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const
/** "90d", "12h": read as seconds. */
export const duration = z
  .string()
  .regex(/^\d{1,5}[smhd]$/, 'a duration like 90d, 12h, 30m or 45s')
  .transform((text) => Number(text.slice(0, -1)) * UNITS[text.at(-1) as keyof typeof UNITS])

const policyMembers = z
  .strictObject({
    rotationInterval: duration.optional(),
    propagationTime: duration.optional(),
    retentionDuration: duration.optional(),
    extension: duration.optional(),
    accessTokenLifetime: duration.optional(),
    destroyPrivateAtRetirement: z.boolean().optional(),
    destructionCoolingOff: duration.optional(),
    signingAlgorithms: z.array(keySpecSchema).min(1).max(4).optional(),
    slotLength: duration.optional(),
    horizon: z.int().min(1).max(12).optional(),
    materialAhead: z.int().min(0).max(12).optional(),
    standby: z.enum(STANDBYS).optional(),
    tokenType: z.enum(TOKEN_TYPES).optional(),
    ed25519Name: z.enum(ED25519_NAMES).optional(),
    x509: z.boolean().optional(),
  })
  .transform((given) => given as Partial<Policy>)
const policySchema = policyMembers.transform((given): Policy => ({ ...DEFAULT_POLICY, ...given }))

const relyingPartiesSchema = z
  .array(
    z
      .strictObject({ name: lineSchema, cache: duration, refreshOnUnknownKid: z.boolean().default(false) })
      .transform(({ name, cache, refreshOnUnknownKid }) => ({
        name,
        cacheSeconds: cache,
        refreshesOnUnknownKid: refreshOnUnknownKid,
      })),
  )
  .max(50)

/** A reserved tenant has no customer yet, so it has no name: an amend ceremony gives it one. */
const tenantSchema = z
  .strictObject({
    tenant: idSchema,
    name: lineSchema.optional(),
    issuer: z.string().min(8).max(256),
    policy: policySchema.default(DEFAULT_POLICY),
    relyingParties: relyingPartiesSchema.default([]),
    reserved: z.boolean().default(false),
  })
  .transform(({ name, reserved, ...tenant }, { addIssue }) => {
    if (reserved && name === undefined) return { ...tenant, name: `Reserved ${tenant.tenant}`, reserved: true as const }
    if (!reserved && name !== undefined) return { ...tenant, name }
    const message = reserved ? 'a reserved tenant has no name yet' : 'a tenant that is not reserved has a name'
    addIssue({ code: 'custom', path: ['name'], message })
    return z.NEVER
  })

const fromHex = (hex: string): string =>
  toBase64url(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))

/** Names a file on the medium, never a path: no separators, no leading dot. */
const mediaFileSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/)
/** A fingerprint as a runtime shows it: 64 hex digits in any grouping, or the 43 characters of --json. */
export const fingerprintSchema = z
  .string()
  .max(120)
  .transform((text) => (/^[0-9A-Fa-f]{64}$/.test(text.replace(/\s/g, '')) ? fromHex(text.replace(/\s/g, '')) : text))
  .pipe(digestSchema)

const tenantsSchema = z.union(
  [z.literal('all'), z.array(idSchema).min(1).max(20_000)],
  '"all", or a list of tenant ids',
)
const reason = z.string().min(3).max(500)

/** What an amendment may change. Members of a policy that are not named stay as they are. */
const changeSchema = z.union(
  [
    z.strictObject({
      tenant: idSchema,
      name: lineSchema.exactOptional(),
      policy: policyMembers.exactOptional(),
      relyingParties: relyingPartiesSchema.exactOptional(),
    }),
    z.strictObject({ hold: idSchema, keys: z.array(digestSchema).min(1).max(10_000), reason }),
    z.strictObject({ hold: idSchema, tenant: idSchema, reason }),
    z.strictObject({ lift: idSchema }),
    z.strictObject({ offboard: idSchema }),
  ],
  'one of { "tenant": ID, "name", "policy" or "relyingParties" }, { "hold": ID, "keys" or "tenant", "reason" }, { "lift": ID } or { "offboard": TENANT }',
)

/** How many rolls of dice are asked for before keys are made: from 50 on they hold 128 bits, if fair. */
const dice = z.int().min(50).max(1000).optional()

const personSchema = z.strictObject({
  id: idSchema,
  name: lineSchema,
  role: z.enum(ROLES),
  /** Where a custodian's share lies: in the vault unless told. */
  share: z.enum(SHARE_PLACES).optional(),
})

export const planSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('genesis'),
    vault: lineSchema,
    practice: z.boolean(),
    threshold: z.int().min(2).max(16),
    people: z.array(personSchema).min(4).max(64),
  }),
  z.strictObject({ kind: z.literal('onboard'), tenants: z.array(tenantSchema).min(1).max(20_000), dice }),
  z.strictObject({
    kind: z.literal('enroll-runtime'),
    enrollment: mediaFileSchema,
    /** The enrollment's fingerprint, as the operator read it aloud from the runtime's own screen. */
    fingerprint: fingerprintSchema,
  }),
  z.strictObject({
    kind: z.literal('handoff'),
    runtime: idSchema,
    tenants: tenantsSchema,
    validFor: duration.default(7 * 86_400),
    /** The number of the handoff before, whose files never arrived: its keys go again, and the vault signs over it. */
    lost: z.int().min(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('envelope'),
    runtime: idSchema,
    tenants: tenantsSchema,
    validFor: duration.default(365 * 86_400),
    /** Instead of standby keys, one revocation is prepared: of every key of these tenants there, or of these keys. */
    revoke: z
      .strictObject({ reason: lineSchema, keys: z.array(digestSchema).min(1).max(10_000).exactOptional() })
      .exactOptional(),
  }),
  z.strictObject({ kind: z.literal('rotate'), tenants: tenantsSchema, endingWithin: duration.optional(), dice }),
  z.strictObject({
    kind: z.literal('emergency'),
    scope: z.union(
      [
        z.strictObject({ key: digestSchema }),
        z.strictObject({ tenant: idSchema }),
        z.strictObject({ runtime: idSchema }),
      ],
      'one of { "key": KEY-ID }, { "tenant": ID } or { "runtime": ID }',
    ),
    reason,
    /** For how long runtimes take the revocations that follow. */
    validFor: duration.default(7 * 86_400),
  }),
  z.strictObject({
    kind: z.literal('custody'),
    reason,
    threshold: z.int().min(2).max(16),
    /** Everybody from now on; who is not on this list leaves. */
    people: z.array(personSchema).min(4).max(64),
  }),
  z.strictObject({ kind: z.literal('passphrase'), person: idSchema }),
  z.strictObject({ kind: z.literal('root-rotate'), reason, compromised: z.boolean() }),
  z.strictObject({ kind: z.literal('intake'), runtime: idSchema, receipts: mediaFileSchema }),
  z
    .strictObject({
      kind: z.literal('destroy'),
      keys: z.array(digestSchema).min(1).max(10_000).optional(),
      /** Every key of this tenant. */
      tenant: idSchema.optional(),
      /** Every key that nothing needs any more. */
      retired: z.literal(true).optional(),
      reason,
      attestations: z
        .array(z.strictObject({ copy: lineSchema, by: idSchema, statement: reason }))
        .max(1000)
        .default([]),
      /** Backups on the medium from which a quorum tries to open the erased keys. */
      negativeRestore: z.array(mediaFileSchema).max(20).default([]),
    })
    .refine(
      ({ keys, tenant, retired }) => [keys, tenant, retired].filter((one) => one !== undefined).length === 1,
      'exactly one of "keys", "tenant" and "retired"',
    ),
  z.strictObject({
    kind: z.literal('backup'),
    /** Who takes the copy, and where it is kept. */
    holder: lineSchema.max(100),
    place: lineSchema.max(100),
    replaces: z.array(z.int().min(1)).max(1000).default([]),
    attestations: z
      .array(z.strictObject({ backup: z.int().min(1), by: idSchema, statement: reason }))
      .max(1000)
      .default([]),
  }),
  z.strictObject({
    kind: z.literal('restore'),
    backup: z.int().min(1),
    receipts: z.array(z.strictObject({ runtime: idSchema, file: mediaFileSchema })).max(1000),
    /** Runtimes that are lost too, and will never tell what they have. */
    dead: z.array(idSchema).max(1000).default([]),
    certificates: z.array(mediaFileSchema).max(1000).default([]),
    reason,
  }),
  z.strictObject({ kind: z.literal('inventory') }),
  z.strictObject({
    kind: z.literal('import-key'),
    tenant: tenantSchema,
    /** For how long the imported keys sign; a rotation interval unless told. */
    signFor: duration.exactOptional(),
    keys: z
      .array(z.strictObject({ file: mediaFileSchema, format: z.enum(IMPORT_FORMATS), spec: keySpecSchema }))
      .min(1)
      .max(4),
    /** What its holder says of where it comes from and who else has it. */
    statement: reason,
  }),
  z.strictObject({
    kind: z.literal('export-key'),
    keys: z.array(digestSchema).min(1).max(16),
    format: z.enum(EXPORT_FORMATS),
    /** The public P-256 key of whoever will open the file. */
    recipient: mediaFileSchema,
    fingerprint: fingerprintSchema,
    holder: lineSchema,
    reason,
  }),
  z.strictObject({ kind: z.literal('amend'), reason, changes: z.array(changeSchema).min(1).max(1000) }),
])

export type Plan = z.output<typeof planSchema>
export type PlanOf<K extends Plan['kind']> = Extract<Plan, { kind: K }>

const PLAN_MAX = 4 * MB

/** A plan with the exact text it was read from and that text's digest. */
export type ReadPlan = { plan: Plan; text: string; digest: string }

/** Parses a plan file. Codes `json-invalid` (where the text is not strict JSON), `plan-invalid` naming the place. */
export function parsePlan(text: string): ReadPlan {
  try {
    const plan = parseAs(planSchema, parseJson(text, { maxBytes: PLAN_MAX, maxDepth: 10 }), 'plan', 'plan-invalid')
    return { plan, text, digest: digest(text) }
  } catch (error) {
    if (error instanceof KeyriteError && error.code === 'json-invalid')
      throw new KeyriteError('plan-invalid', `This plan cannot be read. ${error.message}`, { cause: error })
    throw error
  }
}
