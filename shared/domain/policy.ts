import { must } from '../errors.ts'
import { type Algorithm, KEY_SPECS, type KeySpec } from './algorithms.ts'

/** All times in Keyrite are whole seconds; instants are seconds since 1970 UTC. */
export const MINUTE = 60
export const HOUR = 3600
export const DAY = 86_400

/** Clock skew that relying parties are granted everywhere. */
export const SKEW = 300
/** Upper bound of the JWKS response's max-age. */
export const JWKS_MAX_AGE = HOUR
export const MAX_PUBLISHED_KEYS = 8
export const MAX_JWKS_BYTES = 32 * 1024
/** Bytes of one tenant's line in a bundle. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024
/** Bytes of one key's certificate (DER): an RSA-4096 key with an issuer's name and its signature takes about 1450. */
export const MAX_CERTIFICATE_BYTES = 2048
/** As in the formats: the longest time of a policy, and the longest that a relying party may keep a key set. */
const LONGEST_TIME = 3650 * DAY
const LONGEST_CACHE = 30 * DAY
/** Signed slots of one tenant in one bundle. */
export const MAX_SLOTS = 400

export const STANDBYS = ['none', 'hot', 'cold'] as const
export type Standby = (typeof STANDBYS)[number]

/** `typ` of a tenant's access tokens: RFC 9068 section 2.1, or what older frameworks expect. */
export const TOKEN_TYPES = ['at+jwt', 'JWT'] as const
export type TokenType = (typeof TOKEN_TYPES)[number]

/** The `alg` of Ed25519 keys: RFC 9864 section 2.2, or RFC 8037 section 3.1 where verifiers are older. */
export const ED25519_NAMES = ['Ed25519', 'EdDSA'] as const
export type Ed25519Name = (typeof ED25519_NAMES)[number]

/** How a tenant's keys rotate. Durations in seconds; `horizon` and `materialAhead` count keys. */
export type Policy = {
  rotationInterval: number
  propagationTime: number
  retentionDuration: number
  extension: number
  accessTokenLifetime: number
  destroyPrivateAtRetirement: boolean
  /** How long a destruction waits between its confirmation and the erasure. */
  destructionCoolingOff: number
  signingAlgorithms: readonly KeySpec[]
  slotLength: number
  horizon: number
  materialAhead: number
  /** A key for the default algorithm that is announced all the time; `cold`: its material stays in a safe. */
  standby: Standby
  tokenType: TokenType
  ed25519Name: Ed25519Name
  /** New RSA keys get a self-signed certificate each, published with them (`x5c`). */
  x509: boolean
}

/** Members that came after the others: a file that was written before leaves them out and means these. */
export const LATER_POLICY = {
  tokenType: 'at+jwt',
  ed25519Name: 'Ed25519',
  x509: false,
} as const satisfies Partial<Policy>

/** A policy as an older file may have it. */
export type WrittenPolicy = Omit<Policy, keyof typeof LATER_POLICY> & Partial<Pick<Policy, keyof typeof LATER_POLICY>>

export const DEFAULT_POLICY: Policy = {
  rotationInterval: 90 * DAY,
  propagationTime: 14 * DAY,
  retentionDuration: 14 * DAY,
  extension: 7 * DAY,
  accessTokenLifetime: HOUR,
  destroyPrivateAtRetirement: true,
  destructionCoolingOff: 0,
  signingAlgorithms: ['RS256'],
  slotLength: 30 * DAY,
  horizon: 2,
  materialAhead: 1,
  standby: 'none',
  ...LATER_POLICY,
}

/** The part of a policy that decides how a key is published. */
export type PublishedAs = Pick<Policy, 'ed25519Name'>
export type AlgorithmName = Algorithm | Ed25519Name

/** The `alg` of a key in the JWKS and of the tokens it signs (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
export function algorithmName(spec: KeySpec, { ed25519Name }: PublishedAs): AlgorithmName {
  const { kty, alg } = KEY_SPECS[spec]
  return kty === 'OKP' ? ed25519Name : alg
}

/**
 * A registered verifier of a tenant's tokens: how long it may keep a JWKS before it fetches again, and whether it also
 * fetches when it meets a kid that it does not know.
 */
export type RelyingParty = { name: string; cacheSeconds: number; refreshesOnUnknownKid: boolean }

/** "7 days, 1 hour, 5 minutes": exact, for people. */
export function spellDuration(seconds: number): string {
  const units = [
    ['day', DAY],
    ['hour', HOUR],
    ['minute', MINUTE],
    ['second', 1],
  ] as const
  let rest = Math.round(seconds)
  const said: string[] = []
  for (const [name, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) said.push(`${count} ${name}${count === 1 ? '' : 's'}`)
  }
  return said.join(', ') || '0 seconds'
}

/** The shortest `propagationTime` that covers these relying parties: 24 hours, or longest cache + max-age + skew. */
export function leastPropagation(relyingParties: readonly RelyingParty[]): number {
  const longest = Math.max(0, ...relyingParties.map((party) => party.cacheSeconds))
  return Math.max(DAY, longest + JWKS_MAX_AGE + SKEW)
}

/** The shortest `retentionDuration`: the last token may be signed at `extendUntil` and live a full lifetime plus skew. */
export const leastRetention = (policy: Policy): number => policy.extension + policy.accessTokenLifetime + SKEW

/** Rejects a policy that would break a relying party or exceed a limit, with the sum shown. Code `policy-rejected`. */
export function checkPolicy(policy: Policy, relyingParties: readonly RelyingParty[] = []): void {
  const rule = (holds: boolean, message: string) => must(holds, 'policy-rejected', message)
  const cache = Math.max(0, ...relyingParties.map((party) => party.cacheSeconds))
  rule(
    cache <= LONGEST_CACHE,
    `A relying party may keep a key set for ${spellDuration(LONGEST_CACHE)} at most. This plan says ${spellDuration(cache)}.`,
  )
  const longest = Math.max(policy.rotationInterval, policy.retentionDuration)
  rule(
    longest <= LONGEST_TIME,
    `No time of a policy is longer than ${spellDuration(LONGEST_TIME)}. This plan says ${spellDuration(longest)}.`,
  )
  const propagation = leastPropagation(relyingParties)
  rule(
    policy.propagationTime >= propagation,
    `Announce keys for ${spellDuration(propagation)} or more. This plan says ${spellDuration(policy.propagationTime)}.`,
  )
  const retention = leastRetention(policy)
  rule(
    policy.retentionDuration >= retention,
    `Publish retired keys for ${spellDuration(retention)} or more. This plan says ${spellDuration(policy.retentionDuration)}.`,
  )
  rule(
    policy.rotationInterval >= policy.propagationTime,
    `Let a key sign for ${spellDuration(policy.propagationTime)} or more, so that its successor can be announced meanwhile. This plan says ${spellDuration(policy.rotationInterval)}.`,
  )
  rule(
    policy.destructionCoolingOff >= 0 && policy.destructionCoolingOff <= 30 * DAY,
    'A destruction waits 30 days at most: while it does, no other ceremony can be held.',
  )
  rule(policy.slotLength >= DAY && policy.slotLength <= 30 * DAY, 'A slot lasts between 1 and 30 days.')
  rule(
    policy.accessTokenLifetime >= MINUTE && policy.accessTokenLifetime <= DAY,
    'A token lives between 1 minute and 1 day.',
  )
  rule(
    policy.extension >= 0 && policy.extension <= policy.rotationInterval,
    'The extension is not longer than the rotation interval.',
  )
  rule(policy.horizon >= 1 && policy.horizon <= 12, 'One ceremony schedules between 1 and 12 future keys.')
  rule(
    policy.materialAhead >= 0 && policy.materialAhead <= policy.horizon,
    'No more material can leave ahead than keys are made.',
  )
  const algorithms = policy.signingAlgorithms.map((spec) => KEY_SPECS[spec].alg)
  rule(algorithms.length >= 1 && algorithms.length <= 4, 'A tenant has between 1 and 4 signing algorithms.')
  rule(new Set(algorithms).size === algorithms.length, 'Each signing algorithm stands once: one size for each.')
  const published = mostPublished(policy)
  rule(
    published <= MAX_PUBLISHED_KEYS,
    `At most ${MAX_PUBLISHED_KEYS} keys may be published at a time. This plan would publish ${published}.`,
  )
  const slots = mostSlots(policy)
  rule(
    slots <= MAX_SLOTS,
    `One bundle may hold at most ${MAX_SLOTS} slots of a tenant. This plan would need ${slots}: take longer slots, or schedule fewer keys at once.`,
  )
  const bytes = published * jwkBytes(policy)
  rule(bytes <= MAX_JWKS_BYTES, `A key set may have at most ${MAX_JWKS_BYTES} bytes. This plan would need ${bytes}.`)
  rule(
    !policy.x509 || slots * slotBytes(policy, published) <= MAX_LINE_BYTES,
    'With certificates the signed key sets of this tenant would be too large for a bundle: take longer slots, or schedule fewer keys at once.',
  )
}

/** The most slots that one ceremony cuts: the schedule's length by `slotLength`, and a cut more at each key's two changes. */
function mostSlots(policy: Policy): number {
  const keys = policy.horizon + 1
  const span = keys * (policy.rotationInterval + policy.extension)
  return Math.ceil(span / policy.slotLength) + 2 * keys * policy.signingAlgorithms.length
}

/** An RSA-4096 public JWK with its metadata, rounded up. */
const JWK_BYTES = 1024
/** A certificate as `x5c` spells it (base64), with its digest (`x5t#S256`), rounded up. */
const X5C_BYTES = Math.ceil(MAX_CERTIFICATE_BYTES / 3) * 4 + 128

/** The most bytes that a published key of this policy takes. */
const jwkBytes = ({ x509, signingAlgorithms }: Policy): number =>
  JWK_BYTES + (x509 && signingAlgorithms.some((spec) => KEY_SPECS[spec].kty === 'RSA') ? X5C_BYTES : 0)

/** The most bytes of one slot: its set of so many keys and a set without each, as compact JWS. */
function slotBytes(policy: Policy, published: number): number {
  const set = (keys: number) => Math.ceil(((keys * jwkBytes(policy) + 512) * 4) / 3)
  return set(published) + published * set(published - 1)
}

/** The most keys published at one instant: a key is published from `propagationTime` before its span to `retentionDuration` after. */
function mostPublished(policy: Policy): number {
  const published = policy.propagationTime + policy.rotationInterval + policy.retentionDuration
  const standbys = policy.standby === 'none' ? 0 : 2
  return Math.ceil(published / policy.rotationInterval) * policy.signingAlgorithms.length + standbys
}
