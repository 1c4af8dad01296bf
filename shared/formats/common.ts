import { z } from 'zod'
import { ALGORITHM_NAMES, KEY_SPEC_NAMES, type PublicJwk } from '../domain/algorithms.ts'
import { PROPAGATIONS } from '../domain/key.ts'
import {
  ED25519_NAMES,
  LATER_POLICY,
  type Policy,
  STANDBYS,
  TOKEN_TYPES,
  type WrittenPolicy,
} from '../domain/policy.ts'
import { isTenantId } from './tenant-id.ts'

/** Schemas that several formats share. Every object is strict: an unknown member is an error, not a surprise. */

/** A base64url SHA-256: a digest, a kid, a thumbprint. */
export const digestSchema = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
export const idSchema = z.string().refine(isTenantId, 'not an allowed id')
/** Seconds since 1970 UTC, up to the year 2200. */
export const instantSchema = z.int().min(0).max(7_258_118_400)
/** A short text for people: one line, no control characters. */
export const lineSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}\p{Co}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u)
export const uuidSchema = z.uuid()
export const compactSchema = z.string().regex(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)+$/)
/** A count or a number in a chain: no cap but that of whole numbers. */
export const countSchema = z.int().min(0)
export const environmentSchema = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/)

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
/** The members of each kind of public key, for formats that add their own. */
export const PUBLIC_JWK_SHAPES = {
  RSA: { kty: z.literal('RSA'), n: base64url.max(700), e: base64url.max(16) },
  EC: { kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384']), x: base64url.max(64), y: base64url.max(64) },
  OKP: { kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url.max(43) },
} as const
export const publicJwkSchema: z.ZodType<PublicJwk> = z.discriminatedUnion('kty', [
  z.strictObject(PUBLIC_JWK_SHAPES.RSA),
  z.strictObject(PUBLIC_JWK_SHAPES.EC),
  z.strictObject(PUBLIC_JWK_SHAPES.OKP),
])

export const keySpecSchema = z.enum(KEY_SPEC_NAMES)
export const algorithmSchema = z.enum(ALGORITHM_NAMES)
/** `alg` as a key set names it. */
export const publishedAlgorithmSchema = z.enum([...ALGORITHM_NAMES, ...ED25519_NAMES])

const seconds = z
  .int()
  .min(0)
  .max(3_650 * 86_400)
/** A policy exactly as it was written: what was signed keeps its bytes, also where it is older than some members. */
export const writtenPolicySchema: z.ZodType<WrittenPolicy> = z.strictObject({
  rotationInterval: seconds,
  propagationTime: seconds,
  retentionDuration: seconds,
  extension: seconds,
  accessTokenLifetime: seconds,
  destroyPrivateAtRetirement: z.boolean(),
  destructionCoolingOff: seconds,
  signingAlgorithms: z.array(keySpecSchema).min(1).max(4),
  slotLength: seconds,
  horizon: z.int().min(1).max(12),
  materialAhead: z.int().min(0).max(12),
  standby: z.enum(STANDBYS),
  tokenType: z.enum(TOKEN_TYPES).exactOptional(),
  ed25519Name: z.enum(ED25519_NAMES).exactOptional(),
  x509: z.boolean().exactOptional(),
})
/** A policy; what an older file leaves out means `LATER_POLICY`. */
export const policySchema: z.ZodType<Policy> = writtenPolicySchema.transform((given) => ({ ...LATER_POLICY, ...given }))

export const relyingPartySchema = z.strictObject({
  name: lineSchema,
  cacheSeconds: z
    .int()
    .min(0)
    .max(30 * 86_400),
  refreshesOnUnknownKid: z.boolean(),
})

export const keyTimesShape = {
  announceAt: instantSchema,
  signFrom: instantSchema,
  signUntil: instantSchema,
  extendUntil: instantSchema,
  removeAt: instantSchema,
  propagation: z.enum(PROPAGATIONS),
}
