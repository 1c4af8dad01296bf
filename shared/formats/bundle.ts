import { z } from 'zod'
import type { KeySpec, PublicJwk } from '../domain/algorithms.ts'
import { algorithmName, MAX_LINE_BYTES, MAX_PUBLISHED_KEYS, type PublishedAs } from '../domain/policy.ts'
import { must } from '../errors.ts'
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
  PUBLIC_JWK_SHAPES,
  policySchema,
  publicJwkSchema,
  publishedAlgorithmSchema,
  relyingPartySchema,
  uuidSchema,
} from './common.ts'
import { thumbprint } from './fingerprint.ts'
import { KB, parseAs, parseJson } from './json.ts'
import {
  JWK_SET_TYP,
  openStatement,
  type StatementKey,
  type StatementSigner,
  signStatement,
  statementTyp,
} from './jws.ts'
import { type X5c, x5cSchema, x5tS256 } from './x509.ts'

/**
 * The bundle: public, for one runtime. Line 1 is the root-signed manifest, then one canonical JSON line per tenant,
 * in order of the tenant id, bound to the manifest by the Merkle root (RFC 9162) of those lines.
 */
export const MAX_TENANTS = 20_000
export const TENANT_LINE_MAX = MAX_LINE_BYTES

export const manifestSchema = z.strictObject({
  vaultId: uuidSchema,
  runtimeId: idSchema,
  environment: environmentSchema,
  /** Bundle number: strictly the next one for this runtime. */
  number: z.int().min(1),
  /** Digest of the previous manifest line, null for the first. */
  previous: digestSchema.nullable(),
  tenants: z.int().min(0).max(MAX_TENANTS),
  merkleRoot: digestSchema,
  /** The newest checkpoint of the vault, signed by the root. */
  checkpoint: compactSchema,
  /** The last receipt of this runtime that the vault has taken, so that the runtime knows from where to export. */
  receiptsSeen: countSchema,
  /** The numbers before this one that the vault signs over: lost handoffs, or those of a vault that was lost. */
  catchUp: z.strictObject({ from: z.int().min(1), to: z.int().min(1) }).optional(),
  iat: instantSchema,
  exp: instantSchema,
})
export type Manifest = z.infer<typeof manifestSchema>

export const bundleKeySchema = z.strictObject({
  kid: digestSchema,
  spec: keySpecSchema,
  label: lineSchema,
  jwk: publicJwkSchema,
  /** The key's certificate, where the policy asks for one and the key has it. */
  x5c: x5cSchema.optional(),
  ...keyTimesShape,
  standby: z.literal(true).optional(),
})
export type BundleKey = z.infer<typeof bundleKeySchema>

export const slotSchema = z.strictObject({
  from: instantSchema,
  to: instantSchema,
  /** The signed JWK Set of this slot. */
  set: compactSchema,
  /** For each published key, the set without it, for withdrawal. */
  without: z.record(digestSchema, compactSchema),
})
export type SignedSlot = z.infer<typeof slotSchema>

export const tenantLineSchema = z.strictObject({
  tenant: idSchema,
  issuer: z.string().max(256),
  name: lineSchema,
  policy: policySchema,
  relyingParties: z.array(relyingPartySchema).max(50),
  keys: z.array(bundleKeySchema).min(1).max(64),
  compromised: z.array(z.strictObject({ kid: digestSchema, at: instantSchema, reason: lineSchema })).max(64),
  slots: z.array(slotSchema).min(1).max(400),
  tombstones: z.array(z.strictObject({ kid: digestSchema, at: instantSchema })).max(1000),
  /** The signed set of past keys (historical.ts); absent while there is none. */
  historical: compactSchema.optional(),
})
export type TenantLine = z.infer<typeof tenantLineSchema>

/** A tenant that was offboarded: it is served no more, its private halves are erased, and it never comes back. */
export const removedLineSchema = z.strictObject({
  tenant: idSchema,
  issuer: z.string().max(256),
  removed: instantSchema,
})
export type RemovedLine = z.infer<typeof removedLineSchema>

/** One key as relying parties see it (RFC 7517): public members, `use`, `alg`, `kid`, and its certificate if it has one. */
export type PublishedJwk = PublicJwk & { use: 'sig'; alg: string; kid: string; x5c?: X5c; 'x5t#S256'?: string }

/** A key as the tenant's policy has it published: what jwks.json shows and what the root signs are made here alone. */
export const publishedJwk = (
  { kid, spec, jwk, x5c }: { kid: string; spec: KeySpec; jwk: PublicJwk; x5c?: X5c | undefined },
  policy: PublishedAs,
): PublishedJwk => ({
  ...jwk,
  use: 'sig',
  alg: algorithmName(spec, policy),
  kid,
  ...(x5c && { x5c, 'x5t#S256': x5tS256(x5c) }),
})

const published = { use: z.literal('sig'), alg: publishedAlgorithmSchema, kid: digestSchema }
const publishedJwkSchema: z.ZodType<PublishedJwk> = z.discriminatedUnion('kty', [
  z.strictObject({
    ...PUBLIC_JWK_SHAPES.RSA,
    ...published,
    x5c: x5cSchema.exactOptional(),
    'x5t#S256': digestSchema.exactOptional(),
  }),
  z.strictObject({ ...PUBLIC_JWK_SHAPES.EC, ...published }),
  z.strictObject({ ...PUBLIC_JWK_SHAPES.OKP, ...published }),
])

const jwkSetClaimsSchema = z.strictObject({
  iss: z.string(),
  sub: z.string(),
  iat: instantSchema,
  nbf: instantSchema,
  exp: instantSchema,
  keys: z.array(publishedJwkSchema).max(MAX_PUBLISHED_KEYS),
})
export type JwkSetClaims = z.infer<typeof jwkSetClaimsSchema>

/** Signs a slot's key set as `jwk-set+jwt` (OpenID Federation 1.0 section 5.2.1.1). */
export const signJwkSet = (claims: JwkSetClaims, root: StatementSigner): Promise<string> =>
  signStatement(JWK_SET_TYP, claims, root)

export const openJwkSet = (jws: string, root: StatementKey): Promise<JwkSetClaims> =>
  openStatement(jws, {
    typ: JWK_SET_TYP,
    key: root,
    schema: jwkSetClaimsSchema,
    what: 'signed key set',
    maxBytes: 64 * KB,
  })

export const signManifest = (manifest: Manifest, practice: boolean, root: StatementSigner): Promise<string> =>
  signStatement(statementTyp('bundle', practice), manifest, root)

export const openManifest = (jws: string, root: StatementKey, practice: boolean): Promise<Manifest> =>
  openStatement(jws, {
    typ: statementTyp('bundle', practice),
    key: root,
    schema: manifestSchema,
    what: 'bundle manifest',
    maxBytes: 32 * KB,
  })

/** Parses one line of a bundle: a tenant, or one that was removed. Codes as `parseTenantLine`. */
export function parseBundleLine(line: Uint8Array): TenantLine | RemovedLine {
  const parsed = parseJson(line, { maxBytes: TENANT_LINE_MAX, maxDepth: 8 })
  const removed = typeof parsed === 'object' && parsed !== null && 'removed' in parsed
  return removed ? parseAs(removedLineSchema, parsed, 'removed tenant') : tenantLine(parsed)
}

/** Parses one tenant line; each kid must be the thumbprint of its key and stand once. Code `format-invalid`, `json-invalid`. */
export const parseTenantLine = (line: Uint8Array): TenantLine =>
  tenantLine(parseJson(line, { maxBytes: TENANT_LINE_MAX, maxDepth: 8 }))

function tenantLine(value: unknown): TenantLine {
  const parsed = parseAs(tenantLineSchema, value, 'tenant line')
  const distinct = new Set(parsed.keys.map((key) => key.kid)).size === parsed.keys.length
  must(distinct, 'format-invalid', `A key of ${parsed.tenant} stands twice.`)
  for (const key of parsed.keys)
    must(
      thumbprint(key.jwk) === key.kid,
      'format-invalid',
      `The id of key ${key.kid} of ${parsed.tenant} is not its thumbprint.`,
    )
  return parsed
}
