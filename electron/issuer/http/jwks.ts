import type { PublicJwk } from '../../../shared/domain/algorithms.ts'
import { JWKS_MAX_AGE } from '../../../shared/domain/policy.ts'
import { never } from '../../../shared/errors.ts'
import type { PublishedJwk } from '../../../shared/formats/bundle.ts'
import type { Soon, TenantService } from '../service.ts'
import { type Answer, jsonAnswer, NOT_FOUND } from './answer.ts'
import { Documents } from './documents.ts'
import { RETRY_AFTER } from './errors.ts'
import { soon } from './soon.ts'

/** A request for a public document. */
export type Fetch = {
  now: number
  ifNoneMatch: string | undefined
  /** Who fetches, by name, or null; undefined when nothing is fetched, as with HEAD. */
  party?: string | null | undefined
}

/** A kid is the thumbprint of its key (RFC 7638), so kid and alg decide. */
export const sameKeys = (a: readonly PublishedJwk[], b: readonly PublishedJwk[]): boolean =>
  a === b || (a.length === b.length && a.every((key, at) => key.kid === b[at]?.kid && key.alg === b[at]?.alg))

const same = (a: string, b: string): boolean => a === b
const asItIs = (signed: string): string => signed

const SIGNED_TYPE = 'application/jwk-set+jwt'
const keySets = new Documents<readonly PublishedJwk[]>('application/json', sameKeys, (keys) =>
  JSON.stringify({ keys: keys.map(publicOnly) }),
)
const signedSets = new Documents<string>(SIGNED_TYPE, same, asItIs)
const historicalSets = new Documents<string>(SIGNED_TYPE, same, asItIs)

/** `jwks.json` (RFC 7517 section 5). */
export function jwksAnswer(tenant: TenantService, { now, ifNoneMatch, party }: Fetch): Answer {
  const { keys, nextChange } = tenant.published(now)
  if (party !== undefined) tenant.noteFetch(party, kidsOf(keys), now)
  return keySets.answer(tenant, keys, nextChange - now, ifNoneMatch)
}

/** `jwks.jwt`: the key set as the root signed it; 503 while no signed set holds exactly the published keys. */
export function signedJwksAnswer(tenant: TenantService, { now, ifNoneMatch, party }: Fetch): Soon<Answer> {
  return soon(tenant.signedSet(now), (signed) => {
    if (signed === null) return NO_SIGNED_SET
    const { keys, nextChange } = tenant.published(now)
    if (party !== undefined) tenant.noteFetch(party, kidsOf(keys), now)
    return signedSets.answer(tenant, signed, nextChange - now, ifNoneMatch)
  })
}

/** `historical-keys.jwt` (OpenID Federation 1.0 section 8.7): past keys, as the vault signed them; 404 while it signed none. */
export function historicalKeysAnswer(tenant: TenantService, { ifNoneMatch }: Pick<Fetch, 'ifNoneMatch'>): Soon<Answer> {
  return soon(tenant.historicalSet(), (signed) =>
    signed === null ? NOT_FOUND : historicalSets.answer(tenant, signed, JWKS_MAX_AGE, ifNoneMatch),
  )
}

const NO_SIGNED_SET = jsonAnswer(503, { error: 'temporarily_unavailable' }, { 'Retry-After': `${RETRY_AFTER}` })

const kidLists = new WeakMap<readonly PublishedJwk[], readonly string[]>()

function kidsOf(keys: readonly PublishedJwk[]): readonly string[] {
  const known = kidLists.get(keys)
  if (known) return known
  const kids = keys.map((key) => key.kid)
  kidLists.set(keys, kids)
  return kids
}

/** Copies the public members by name, so that whatever else an object held could not be served. */
function publicOnly(jwk: PublishedJwk): PublishedJwk {
  const { alg, kid, x5c, 'x5t#S256': x5t } = jwk
  const certificate = x5c && x5t !== undefined ? { x5c, 'x5t#S256': x5t } : {}
  return { ...publicHalf(jwk), use: 'sig', alg, kid, ...certificate }
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
