import { z } from 'zod'
import { DEFAULT_POLICY, type Policy } from '../domain/policy.ts'
import { ROLES } from '../domain/roster.ts'
import { KeyriteError } from '../errors.ts'
import { digest, toBase64url } from './bytes.ts'
import { digestSchema, idSchema, keySpecSchema, lineSchema } from './common.ts'
import { MB, parseAs, parseJson } from './json.ts'

/** The plan file: what a ceremony is to do. Written by people, reviewed and hashed beforehand; every approval names its digest. */

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const duration = z
  .string()
  .regex(/^\d{1,5}[smhd]$/, 'a duration like 90d, 12h, 30m or 45s')
  .transform((text) => Number(text.slice(0, -1)) * UNITS[text.at(-1) as keyof typeof UNITS])

const policySchema = z
  .strictObject({
    rotationInterval: duration.optional(),
    propagationTime: duration.optional(),
    retentionDuration: duration.optional(),
    extension: duration.optional(),
    accessTokenLifetime: duration.optional(),
    destroyPrivateAtRetirement: z.boolean().optional(),
    signingAlgorithms: z.array(keySpecSchema).min(1).max(4).optional(),
    slotLength: duration.optional(),
    horizon: z.int().min(1).max(12).optional(),
    materialAhead: z.int().min(0).max(12).optional(),
  })
  .transform((given): Policy => ({ ...DEFAULT_POLICY, ...(given as Partial<Policy>) }))

const tenantSchema = z.strictObject({
  tenant: idSchema,
  name: lineSchema,
  issuer: z.string().min(8).max(256),
  policy: policySchema.default(DEFAULT_POLICY),
  relyingParties: z
    .array(
      z
        .strictObject({ name: lineSchema, cache: duration })
        .transform(({ name, cache }) => ({ name, cacheSeconds: cache })),
    )
    .max(50)
    .default([]),
})

const fromHex = (hex: string): string =>
  toBase64url(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))

/** Names a file on the medium, never a path: no separators, no leading dot. */
const mediaFileSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/)
/** A fingerprint as a runtime shows it: 64 hex digits in any grouping, or the 43 characters of --json. */
const fingerprintSchema = z
  .string()
  .max(120)
  .transform((text) => (/^[0-9A-Fa-f]{64}$/.test(text.replace(/\s/g, '')) ? fromHex(text.replace(/\s/g, '')) : text))
  .pipe(digestSchema)

const tenantsSchema = z.union(
  [z.literal('all'), z.array(idSchema).min(1).max(20_000)],
  '"all", or a list of tenant ids',
)
const reason = z.string().min(3).max(500)

export const planSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('genesis'),
    vault: lineSchema,
    practice: z.boolean(),
    threshold: z.int().min(2).max(16),
    people: z
      .array(z.strictObject({ id: idSchema, name: lineSchema, role: z.enum(ROLES) }))
      .min(4)
      .max(64),
  }),
  z.strictObject({ kind: z.literal('onboard'), tenants: z.array(tenantSchema).min(1).max(20_000) }),
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
  }),
  z.strictObject({ kind: z.literal('rotate'), tenants: tenantsSchema, endingWithin: duration.optional() }),
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
  }),
  z.strictObject({ kind: z.literal('intake'), runtime: idSchema, receipts: mediaFileSchema }),
  z.strictObject({
    kind: z.literal('destroy'),
    keys: z.array(digestSchema).min(1).max(10_000),
    reason,
    attestations: z
      .array(z.strictObject({ copy: lineSchema, by: idSchema, statement: reason }))
      .max(1000)
      .default([]),
  }),
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
