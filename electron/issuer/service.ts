import type { Algorithm } from '../../shared/domain/algorithms.ts'
import type { TokenType } from '../../shared/domain/policy.ts'
import type { PublishedJwk } from '../../shared/formats/bundle.ts'

/**
 * What the HTTP side may ask of the runtime. A request first finds its tenant by exact issuer location; from there it
 * holds only that tenant's service, so it cannot reach another tenant's keys or clients.
 */

/** What is in memory is given at once; what has to be read from the store first is given later. */
export type Soon<T> = T | Promise<T>

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
  /** Token requests a minute at each process that serves; null for no limit of its own. */
  rateLimit: number | null
  /** It may ask `/introspect` about this tenant's tokens. */
  introspects: boolean
}

/** Signs with one key of one tenant. The private half never leaves the closure. */
export type TokenSigner = {
  readonly kid: string
  readonly alg: Algorithm
  /** Takes the ASCII signing input `header.payload`, gives the base64url signature. */
  sign(signingInput: string): string
}

/** One token in the issuance log: what was granted to whom, and never the token. */
export type Issued = {
  at: number
  jti: string
  clientId: string
  audience: string
  scope: string
  kid: string
  exp: number
}

export type TenantService = {
  readonly tenant: string
  /** True while it is as it was when the store last answered: nothing may be signed or be called valid. */
  readonly stale?: true
  readonly issuer: string
  readonly accessTokenLifetime: number
  /** The algorithms of the tenant's policy, default first. */
  readonly algorithms: readonly Algorithm[]
  readonly tokenType: TokenType
  /** Tokens issued before this instant are not active any more, whatever their `exp` says; null for none. */
  readonly rejectIssuedBefore: number | null
  /** The key set to serve now, and the instant at which it changes next by schedule. */
  published(now: number): { keys: PublishedJwk[]; nextChange: number }
  /** The root-signed key set with exactly the same keys, or null while none was signed for this withdrawal. */
  signedSet(now: number): Soon<string | null>
  /** Past keys with validity and revocation reasons, as the vault signed them, or null while it signed none. */
  historicalSet(): Soon<string | null>
  /** The signer for an algorithm, or null when no key may sign now. */
  signer(algorithm: Algorithm, now: number): Soon<TokenSigner | null>
  client(clientId: string): Soon<Client | null>
  /** Remembers a client assertion's jti until `expires`; false when it was used before (RFC 7523 section 3). */
  takeAssertion(clientId: string, jti: string, expires: number): Promise<boolean>
  /** Writes the issuance log; a token is handed out only after this. Code `store-busy` and those of the medium. */
  record(issued: Issued): Promise<void>
  /** Propagation evidence: this key set was fetched. `party` is who said so by name, or null. */
  noteFetch(party: string | null, kids: readonly string[], now: number): void
}

export type IssuerService = {
  /** The runtime's trusted time: never goes back, held on a forward jump. */
  now(): number
  /** The tenant whose issuer is exactly `scheme://host` + `path`, or null. `host` as in the Host header, lower case. */
  find(host: string, path: string): Soon<TenantService | null>
  /**
   * Why nothing may be signed now, or null. A replica that has not heard from its store for some seconds cannot know of
   * a taint: it signs nothing, and goes on serving what the root signed.
   */
  cannotSign(): string | null
}

/** What a request came to, for metrics: every number carries its tenant. `client` is null until it is known. */
export type Observer = {
  issued(tenant: string, client: string, algorithm: Algorithm): void
  /** `reason` is an OAuth error code or one of ours; never text of the request. */
  refused(tenant: string, endpoint: string, reason: string): void
  served(tenant: string, endpoint: string, status: number): void
  /** A signature that did not verify, in a client assertion or at introspection. */
  badSignature(tenant: string, where: 'assertion' | 'introspection'): void
  /** How long an answer took, in seconds. */
  took(endpoint: string, seconds: number): void
}
