import type { Algorithm } from '../../shared/domain/algorithms.ts'
import type { PublishedJwk } from '../../shared/formats/bundle.ts'

/**
 * What the HTTP side may ask of the runtime. A request first finds its tenant by exact issuer location; from there it
 * holds only that tenant's service, so it cannot reach another tenant's keys or clients.
 */

/** Wall time in seconds since 1970 UTC, and a monotonic second counter that no clock change moves. */
export type Clock = { now(): number; monotonic(): number }

export const systemClock: Clock = {
  now: () => Math.floor(Date.now() / 1000),
  monotonic: () => Math.floor(performance.now() / 1000),
}

export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const
export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number]

export type Client = {
  clientId: string
  method: ClientAuthMethod
  /** SHA-256 of a generated secret of 256 bits (base64url); null for `private_key_jwt`. */
  secretDigest: string | null
  /** Public keys of the client for `private_key_jwt`; empty otherwise. */
  jwks: PublishedJwk[]
  audiences: string[]
  scopes: string[]
  /** Seconds; never more than the tenant's policy allows. */
  accessTokenLifetime: number
  /** Overrides the tenant's default algorithm. */
  algorithm: Algorithm | null
}

/** Signs with one key of one tenant. The private half never leaves the closure. */
export type TokenSigner = {
  readonly kid: string
  readonly alg: Algorithm
  /** Takes the ASCII signing input `header.payload`, gives the base64url signature. */
  sign(signingInput: string): string
}

export type TenantService = {
  readonly tenant: string
  readonly issuer: string
  readonly accessTokenLifetime: number
  /** The algorithms of the tenant's policy, default first. */
  readonly algorithms: readonly Algorithm[]
  /** The key set to serve now, and the instant at which it changes next by schedule. */
  published(now: number): { keys: PublishedJwk[]; nextChange: number }
  /** The root-signed key set with exactly the same keys, or null while none was signed for this withdrawal. */
  signedSet(now: number): string | null
  /** The signer for an algorithm, or null when no key may sign now. */
  signer(algorithm: Algorithm, now: number): TokenSigner | null
  client(clientId: string): Client | null
  /** Remembers a client assertion's jti until `expires`; false when it was used before (RFC 7523 section 3). */
  takeAssertion(clientId: string, jti: string, expires: number): boolean
}

export type IssuerService = {
  /** The runtime's trusted time: never goes back, held on a forward jump. */
  now(): number
  /** The tenant whose issuer is exactly `scheme://host` + `path`, or null. `host` as in the Host header, lower case. */
  find(host: string, path: string): TenantService | null
}
