import { createRemoteJWKSet, customFetch, type JSONWebKeySet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { verifies } from '../../electron/cli/rehearsal/relying-party.ts'
import { DAY, HOUR, MINUTE, type RelyingParty } from '../../shared/domain/policy.ts'
import { API, type Interop } from './world.ts'

/** What relying parties keep of a key set, and for how long: as docs/relying-parties.md tells people to register them. */

/** What a relying party does with a kid that its set does not have: for this token, for the next one, or never. */
type OnUnknownKid = 'fetches' | 'fetches for the next' | 'refuses'

export type Behaviour = { keeps: number; onUnknownKid: OnUnknownKid }

/** By their documentation. `keeps` is with the settings that the document gives. */
export const MODELS: Record<string, Behaviour> = {
  'Spring/Nimbus': { keeps: 5 * MINUTE, onUnknownKid: 'fetches' },
  'Microsoft.IdentityModel': { keeps: 12 * HOUR, onUnknownKid: 'fetches for the next' },
  Authlib: { keeps: 5 * MINUTE, onUnknownKid: 'fetches' },
  'coreos/go-oidc': { keeps: DAY, onUnknownKid: 'fetches' },
  'Envoy jwt_authn': { keeps: 5 * MINUTE, onUnknownKid: 'refuses' },
  Istio: { keeps: HOUR, onUnknownKid: 'refuses' },
  nginx: { keeps: HOUR, onUnknownKid: 'refuses' },
  'AWS ALB': { keeps: DAY, onUnknownKid: 'refuses' },
  '`jose` command': { keeps: DAY, onUnknownKid: 'refuses' },
}

/** Those whose real objects live through the rehearsal. `pause`: so long it does not fetch again for an unknown kid. */
export const LIBRARIES: Record<string, { keeps: number; pause: number }> = {
  jose: { keeps: 10 * MINUTE, pause: 30 },
  'openid-client': { keeps: 5 * MINUTE, pause: MINUTE },
  oauth4webapi: { keeps: 5 * MINUTE, pause: MINUTE },
  PyJWT: { keeps: 5 * MINUTE, pause: 0 },
}

/** How every relying party of the document is registered with a tenant. */
export const REGISTERED: RelyingParty[] = [
  ...Object.entries(LIBRARIES).map(([name, { keeps }]) => ({
    name,
    cacheSeconds: keeps,
    refreshesOnUnknownKid: true,
  })),
  ...Object.entries(MODELS).map(([name, { keeps, onUnknownKid }]) => ({
    name,
    cacheSeconds: keeps,
    refreshesOnUnknownKid: onUnknownKid === 'fetches',
  })),
]

/** Verifies tokens of one issuer. `now` is what every clock says, in seconds. */
export type Verifier = { name: string; keeps: number; accepts(token: string, now: number): Promise<boolean> }

export type SetFetch = (url: string) => Promise<Response>

/** A shared cache on the way, such as a content network: it keeps each answer for its max-age, by the clock given. */
export function cacheOnTheWay(now: () => number): SetFetch {
  const kept = new Map<string, { until: number; body: string; type: string }>()
  return async (url) => {
    const found = kept.get(url)
    if (found && now() < found.until) return new Response(found.body, { headers: { 'content-type': found.type } })
    const answer = await fetch(url, { redirect: 'error' })
    const age = Number(/max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '')?.[1] ?? 0)
    const fresh = { until: now() + age, body: await answer.text(), type: answer.headers.get('content-type') ?? '' }
    if (answer.status === 200) kept.set(url, fresh)
    return new Response(fresh.body, { status: answer.status, headers: { 'content-type': fresh.type } })
  }
}

/** A relying party that behaves as its documentation says. */
export function modelled(name: string, { keeps, onUnknownKid }: Behaviour, at: Interop, get: SetFetch): Verifier {
  let held: { since: number; set: JSONWebKeySet } | null = null
  const renew = async (now: number) => {
    held = { since: now, set: (await (await get(at.jwksUri)).json()) as JSONWebKeySet }
    return held.set
  }
  return {
    name,
    keeps,
    async accepts(token, now) {
      let set = held && now - held.since < keeps ? held.set : await renew(now)
      if (onUnknownKid !== 'refuses' && !knows(set, token)) {
        if (onUnknownKid === 'fetches') set = await renew(now)
        else held = null
      }
      return verifies(token, set, at.issuer, API, now)
    },
  }
}

function knows({ keys }: JSONWebKeySet, token: string): boolean {
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid?: string }
  return keys.some((key) => key.kid === header.kid)
}

type JoseOptions = { cacheMaxAge?: number; cooldownDuration?: number }

/** jose itself, by the clock that `Date` shows. */
export function withJose(at: Interop, get: SetFetch, options: JoseOptions = {}): Verifier {
  const keys = createRemoteJWKSet(new URL(at.jwksUri), { [customFetch]: (url) => get(url), ...options })
  const claims = { issuer: at.issuer, audience: API, typ: 'at+jwt' }
  const accepts = (token: string) =>
    jwtVerify(token, keys, claims).then(
      () => true,
      () => false,
    )
  return { name: 'jose', keeps: options.cacheMaxAge ? options.cacheMaxAge / 1000 : 10 * MINUTE, accepts }
}

/** oauth4webapi itself, by the clock that `Date` shows; openid-client verifies with it. */
export async function withOauth4webapi(at: Interop, get: SetFetch): Promise<Verifier> {
  const url = new URL(at.issuer)
  const insecure = { [oauth.allowInsecureRequests]: true } as const
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
  const accepts = (token: string) => {
    const request = new Request(API, { headers: { authorization: `Bearer ${token}` } })
    const options = { ...insecure, [oauth.customFetch]: (address: string) => get(address) }
    return oauth.validateJwtAccessToken(server, request, API, options).then(
      () => true,
      () => false,
    )
  }
  return { name: 'oauth4webapi', keeps: 5 * MINUTE, accepts }
}
