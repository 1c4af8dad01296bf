import { z } from 'zod'
import { ALGORITHM_NAMES } from '../domain/algorithms.ts'
import { DAY, HOUR, MINUTE, SKEW } from '../domain/policy.ts'
import { KeyriteError } from '../errors.ts'
import { compactSchema, lineSchema } from './common.ts'
import { MB, parseAs, parseJson } from './json.ts'
import { duration } from './plan.ts'

/** The trust policy file: which issuers a relying party believes, and what it demands of each one's tokens. */

/** `EdDSA` is what issuers that do not follow RFC 9864 call Ed25519. */
export const TOKEN_ALGORITHMS = [...ALGORITHM_NAMES, 'EdDSA'] as const
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number]

/** A key set is asked for again no sooner than this, whoever asks and whatever the answer says of its age. */
export const REFETCH_SECONDS = 30
export const POLICY_MAX_BYTES = MB

const within = (least: number, most: number, words: string) =>
  duration.refine((seconds) => seconds >= least && seconds <= most, words)

/** Plain http only to this machine itself, by number: a name may lead anywhere. */
const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|\[::1\])[:/]/
const uriSchema = z
  .string()
  .max(1000)
  .refine((text) => {
    if (!URL.canParse(text)) return false
    const { href, protocol, username, password, hash } = new URL(text)
    const safe = protocol === 'https:' || LOOPBACK.test(text)
    return safe && href === text && username === '' && password === '' && hash === ''
  }, 'an https address in its normal form, without user and fragment (http only on 127.0.0.1 or [::1])')

const cacheShape = {
  /** At most so long a fetched key set is used without asking again; an earlier `max-age` of the server counts. */
  cacheFor: within(REFETCH_SECONDS, DAY, '30s to 1d').default(HOUR),
  /** So much longer while the server does not answer. */
  staleFor: within(0, DAY, '0s to 1d').default(0),
}
const keysSchema = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('jwks'), jwksUri: uriSchema, ...cacheShape }),
  z.strictObject({
    source: z.literal('pinned-root'),
    signedJwksUri: uriSchema,
    /** The statement in the trust anchor file; a second one only while the root's successor takes over. */
    trustAnchors: z.array(compactSchema.max(8192)).min(1).max(2),
    ...cacheShape,
  }),
])

/** Printable characters without spaces: an issuer, an audience, the name of a claim. */
const word = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'printable ASCII without spaces, at most 256 characters')
const scalar = z.union([lineSchema, z.int(), z.boolean()])

/** These have members of their own in the policy. */
const OWN = ['iss', 'aud', 'exp', 'nbf', 'iat']
const TESTS = ['present', 'equals', 'oneOf', 'startsWith', 'contains'] as const

const claimRuleSchema = z
  .strictObject({
    claim: word.refine((name) => !OWN.includes(name), 'this claim has its own member in the policy'),
    present: z.literal(true).exactOptional(),
    equals: scalar.exactOptional(),
    oneOf: z.array(scalar).min(1).max(100).exactOptional(),
    /** Without an end, "repo:acme" would also begin "repo:acme-evil". */
    startsWith: word.regex(/[:/]$/, 'a beginning that ends with ":" or "/"').exactOptional(),
    contains: word.exactOptional(),
  })
  .refine((rule) => TESTS.filter((test) => rule[test] !== undefined).length === 1, `exactly one of ${TESTS.join(', ')}`)
export type ClaimRule = z.infer<typeof claimRuleSchema>

const issuerSchema = z.strictObject({
  /** Byte for byte the `iss` of its tokens. */
  issuer: word,
  keys: keysSchema,
  /** The names of this service: a token must be for at least one of them. */
  audiences: z.array(word).min(1).max(20),
  /** Who else a token may be for; anybody not named here or above could use it against this service. */
  otherAudiences: z.array(word).max(20).default([]),
  algorithms: z.array(z.enum(TOKEN_ALGORITHMS)).min(1).max(TOKEN_ALGORITHMS.length),
  /** Values of `typ`, lower case, without "application/"; null for tokens that have none. */
  types: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9.+_-]{0,63}$/, 'a type in lower case without "application/"')
        .nullable(),
    )
    .min(1)
    .max(5),
  /** Since `iat`, whatever `exp` says. */
  maxAge: within(1, 7 * DAY, '1s to 7d'),
  clockSkew: within(0, SKEW, '0s to 300s').default(MINUTE),
  claims: z.array(claimRuleSchema).max(30).default([]),
})
export type IssuerPolicy = z.infer<typeof issuerSchema>

export const trustPolicySchema = z
  .strictObject({
    format: z.literal(1),
    /** Roots of practice vaults may be pinned; never in production. */
    practice: z.literal(true).exactOptional(),
    issuers: z.array(issuerSchema).min(1).max(200),
  })
  .refine(
    ({ issuers }) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length,
    'every issuer stands once',
  )
export type TrustPolicyFile = z.infer<typeof trustPolicySchema>

/** Parses a trust policy file strictly. Code `trust-policy-invalid`, naming the first place that does not fit. */
export function parseTrustPolicy(input: Uint8Array | string): TrustPolicyFile {
  let parsed: unknown
  try {
    parsed = parseJson(input, { maxBytes: POLICY_MAX_BYTES, maxDepth: 8 })
  } catch (cause) {
    const why = cause instanceof KeyriteError ? ` ${cause.message}` : ''
    throw new KeyriteError('trust-policy-invalid', `The trust policy cannot be read.${why}`, { cause })
  }
  return parseAs(trustPolicySchema, parsed, 'trust policy', 'trust-policy-invalid')
}
