import { z } from 'zod'
import { MAX_PAST_KEYS, type PastKey } from '../domain/past-keys.ts'
import type { PublishedAs } from '../domain/policy.ts'
import { must } from '../errors.ts'
import { type PublishedJwk, publishedJwk } from './bundle.ts'
import { digestSchema, instantSchema, PUBLIC_JWK_SHAPES, publishedAlgorithmSchema } from './common.ts'
import { thumbprint } from './fingerprint.ts'
import { KB } from './json.ts'
import { JWK_SET_TYP, openStatement, type StatementKey, type StatementSigner, signStatement } from './jws.ts'

/**
 * A tenant's past keys (OpenID Federation 1.0 section 8.7, "Federation Historical Keys"), so that old tokens stay
 * checkable after a key is no longer published. `iat` and `exp` of a key are when it could sign and when it left the
 * published set; `alg` is the name that the policy of the day gives it. A compromised key says so and since when: nothing
 * that it signed is to be believed. At most 200 keys, the newest; certificates are left out.
 *
 * The `typ` is that of a slot's set. What keeps them apart are the claims: a slot's set must have `sub`, `nbf` and `exp`,
 * this one must not, and both parsers are strict. So neither can pass as the other.
 */

/** 200 RSA-4096 keys take about half of it. */
const HISTORICAL_MAX = 512 * KB

/** Section 8.7.3 names the reasons; Keyrite has one. */
const validity = {
  iat: instantSchema,
  exp: instantSchema,
  revoked: z.strictObject({ revoked_at: instantSchema, reason: z.literal('compromised') }).exactOptional(),
}
type Validity = z.infer<z.ZodObject<typeof validity>>
export type HistoricalKey = Omit<PublishedJwk, 'x5c' | 'x5t#S256'> & Validity

const members = { use: z.literal('sig'), alg: publishedAlgorithmSchema, kid: digestSchema, ...validity }
const keySchema = z.discriminatedUnion('kty', [
  z.strictObject({ ...PUBLIC_JWK_SHAPES.RSA, ...members }),
  z.strictObject({ ...PUBLIC_JWK_SHAPES.EC, ...members }),
  z.strictObject({ ...PUBLIC_JWK_SHAPES.OKP, ...members }),
])
const historicalSchema = z.strictObject({
  iss: z.string().max(256),
  iat: instantSchema,
  keys: z.array(keySchema).min(1).max(MAX_PAST_KEYS),
})
export type HistoricalSet = z.infer<typeof historicalSchema>

/** Signs a tenant's past keys as they stood at `iat`; null where there is none. */
export async function signHistoricalSet(
  { issuer, policy, past }: { issuer: string; policy: PublishedAs; past: readonly PastKey[] },
  iat: number,
  root: StatementSigner,
): Promise<string | null> {
  const keys = past.map(({ from, until, compromised, ...key }) => ({
    ...publishedJwk(key, policy),
    iat: from,
    exp: until,
    ...(compromised !== null && { revoked: { revoked_at: compromised, reason: 'compromised' } }),
  }))
  return keys.length === 0 ? null : signStatement(JWK_SET_TYP, { iss: issuer, iat, keys }, root)
}

/**
 * Opens a set of past keys. Every kid is the thumbprint of its key and stands once, and no key ends before it begins or
 * after the set was signed. Codes of `openStatement`, `format-invalid`.
 */
export async function openHistoricalSet(jws: string, root: StatementKey): Promise<HistoricalSet> {
  const what = 'signed set of past keys'
  const said = await openStatement(jws, {
    typ: JWK_SET_TYP,
    key: root,
    schema: historicalSchema,
    what,
    maxBytes: HISTORICAL_MAX,
  })
  const { keys, iat } = said
  const distinct = new Set(keys.map(({ kid }) => kid)).size === keys.length
  must(distinct, 'format-invalid', `A key stands twice in a ${what}.`)
  for (const key of keys) {
    must(thumbprint(key) === key.kid, 'format-invalid', `The id of key ${key.kid} is not its thumbprint.`)
    const ended = key.iat <= key.exp && key.exp <= iat && (key.revoked?.revoked_at ?? 0) <= iat
    must(ended, 'format-invalid', `Key ${key.kid} of a ${what} has not ended.`)
  }
  return said
}
