import { hash } from 'node:crypto'
import type { PublicJwk } from '../../../shared/domain/algorithms.ts'
import { never } from '../../../shared/errors.ts'
import type { PublishedJwk } from '../../../shared/formats/bundle.ts'
import type { TenantService } from '../service.ts'
import { type Answer, jsonAnswer, makeAnswer } from './answer.ts'
import { matchesEtag, maxAge, spread } from './caching.ts'
import { RETRY_AFTER } from './errors.ts'

/**
 * A tenant's key set, serialised once and kept until the keys change. The caches hang on the tenant's own service
 * object, not on a name: no request can meet another tenant's entry, and an entry goes when its tenant goes.
 */
type Cached<S> = { source: S; body: string; etag: string; share: number; fresh: Fresh }
/** The two possible answers, which differ from second to second only in max-age. */
type Fresh = { maxAge: number; full: Answer; notModified: Answer }

const keySets = new WeakMap<TenantService, Cached<readonly PublishedJwk[]>>()
const signedSets = new WeakMap<TenantService, Cached<string>>()

/** `jwks.json` (RFC 7517 section 5): 200 or 304, with a strong ETag; never a redirect. */
export function jwksAnswer(tenant: TenantService, now: number, ifNoneMatch: string | undefined): Answer {
  const { keys, nextChange } = tenant.published(now)
  let entry = keySets.get(tenant)
  if (!entry || !sameKeys(entry.source, keys)) {
    entry = cached(keys, JSON.stringify({ keys: keys.map(publicOnly) }), 'application/json', tenant)
    keySets.set(tenant, entry)
  }
  return choose(entry, nextChange - now, ifNoneMatch, 'application/json')
}

/** `jwks.jwt`: the key set as the root signed it; 503 while no signed set holds exactly the published keys. */
export function signedJwksAnswer(tenant: TenantService, now: number, ifNoneMatch: string | undefined): Answer {
  const signed = tenant.signedSet(now)
  if (signed === null) return jsonAnswer(503, { error: 'temporarily_unavailable' }, { 'Retry-After': `${RETRY_AFTER}` })
  let entry = signedSets.get(tenant)
  if (!entry || entry.source !== signed) {
    entry = cached(signed, signed, 'application/jwk-set+jwt', tenant)
    signedSets.set(tenant, entry)
  }
  return choose(entry, tenant.published(now).nextChange - now, ifNoneMatch, 'application/jwk-set+jwt')
}

function cached<S>(source: S, body: string, type: string, tenant: TenantService): Cached<S> {
  const etag = `"${hash('sha256', body, 'base64url')}"`
  return { source, body, etag, share: spread(tenant.issuer), fresh: makeFresh(body, etag, type, 0) }
}

function choose<S>(entry: Cached<S>, left: number, ifNoneMatch: string | undefined, type: string): Answer {
  const age = maxAge(left, entry.share)
  if (entry.fresh.maxAge !== age) entry.fresh = makeFresh(entry.body, entry.etag, type, age)
  return matchesEtag(ifNoneMatch, entry.etag) ? entry.fresh.notModified : entry.fresh.full
}

function makeFresh(body: string, etag: string, type: string, age: number): Fresh {
  const headers = { ETag: etag, 'Cache-Control': `public, max-age=${age}`, 'Access-Control-Allow-Origin': '*' }
  return {
    maxAge: age,
    full: makeAnswer(200, { 'Content-Type': type, ...headers }, body),
    notModified: makeAnswer(304, headers),
  }
}

/** A kid is the thumbprint of its key (RFC 7638), so kid and alg decide. */
const sameKeys = (a: readonly PublishedJwk[], b: readonly PublishedJwk[]): boolean =>
  a === b || (a.length === b.length && a.every((key, at) => key.kid === b[at]?.kid && key.alg === b[at]?.alg))

/** Copies the public members by name, so that whatever else an object held could not be served. */
function publicOnly(jwk: PublishedJwk): PublishedJwk {
  return { ...publicHalf(jwk), use: 'sig', alg: jwk.alg, kid: jwk.kid }
}

function publicHalf(jwk: PublishedJwk): PublicJwk {
  switch (jwk.kty) {
    case 'RSA':
      return { kty: jwk.kty, n: jwk.n, e: jwk.e }
    case 'EC':
      return { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }
    case 'OKP':
      return { kty: jwk.kty, crv: jwk.crv, x: jwk.x }
    default:
      return never(jwk)
  }
}
