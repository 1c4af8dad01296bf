import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import {
  API,
  askToken,
  assertionForm,
  SPECS,
  startIssuer,
  type TestIssuer,
  type TestKey,
  type TestTenant,
} from '../issuer/http/service.ts'
import {
  ISSUER,
  issuerPolicy,
  JWKS,
  jwksOf,
  makeKey as makeTrusted,
  NOW,
  policyOf,
  relyingParty,
} from '../trust/world.ts'
import { attacksOn } from '../vectors/jose/attacks.ts'
import { mirrored, respellings } from '../vectors/jose/signatures.ts'
import { type Attack, compact, type Good, type JwsAlg } from '../vectors/jose/tokens.ts'

/** Faults 13, 18 and 20 at every place that takes a signed token: each known attack, for each algorithm. */

type Name = keyof typeof SPECS
const NAMES = Object.keys(SPECS) as Name[]

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await startIssuer(NAMES)
})
afterAll(() => issuer.server.close())
beforeEach(() => {
  for (const name of NAMES) issuer.tenant(name).used.clear()
})

const algOf = (key: TestKey) => KEY_SPECS[key.spec].alg as JwsAlg
const everyAttack = (good: Good): Attack[] => [...attacksOn(good), ...respellings(compact(good))]

/** The attacks that came to something else than `refused`. A form with control characters is refused as a form. */
async function others(attacks: readonly Attack[], refused: unknown, take: (token: string) => Promise<unknown>) {
  const all: [string, unknown][] = []
  for (const [what, token] of attacks) {
    const expected = /\p{Cc}/u.test(token) ? [400, 'invalid_request'] : refused
    const got = await take(token)
    if (JSON.stringify(got) !== JSON.stringify(expected)) all.push([what, got])
  }
  return all
}

function accessToken(tenant: TestTenant): Good {
  const [key] = tenant.keys
  if (!key) throw new Error('no key')
  const now = issuer.service.now()
  return {
    alg: algOf(key),
    header: { alg: algOf(key), typ: 'at+jwt', kid: key.published.kid },
    claims: { iss: tenant.issuer, sub: 'a', aud: API, exp: now + 600, iat: now, jti: 'one', client_id: 'a' },
    privateKey: key.privateKey,
  }
}

async function introspected(tenant: TestTenant, token: string): Promise<[number, unknown]> {
  const response = await fetch(`${tenant.issuer}/introspect`, {
    method: 'POST',
    headers: { Authorization: tenant.basic() },
    body: new URLSearchParams({ token }),
  })
  const { error, ...body } = (await response.json()) as Record<string, unknown>
  return [response.status, error ?? body]
}

describe('at the introspection endpoint', () => {
  it.each(NAMES)('%s: the good token is active, and no attack on it is', async (name) => {
    const tenant = issuer.tenant(name)
    const client = tenant.clients.get('basic')
    if (client) client.introspects = true
    const good = accessToken(tenant)
    expect((await introspected(tenant, compact(good)))[1]).toMatchObject({ active: true })
    const attacks = everyAttack(good).filter(([, token]) => token !== '')
    expect(attacks.length).toBeGreaterThan(180)
    expect(await others(attacks, [200, { active: false }], (token) => introspected(tenant, token))).toEqual([])
  })
})

describe('as a client assertion', () => {
  const assertion = (tenant: TestTenant, key: TestKey): Good => {
    const now = issuer.service.now()
    return {
      alg: algOf(key),
      header: { alg: algOf(key), kid: key.published.kid },
      claims: { iss: 'key', sub: 'key', aud: tenant.issuer, iat: now, exp: now + 300, jti: 'one' },
      privateKey: key.privateKey,
    }
  }
  const authenticated = async (tenant: TestTenant, token: string): Promise<[number, unknown]> => {
    const { status, body } = await askToken(tenant, assertionForm(token))
    return [status, body.error]
  }

  it.each(NAMES)('%s: no attack on a good one is taken or remembered; then the good one is taken', async (name) => {
    const tenant = issuer.tenant(name)
    const good = assertion(tenant, tenant.addKeyClient('key', SPECS[name]))
    const attacks = everyAttack(good).filter(([, token]) => token !== '')
    expect(await others(attacks, [401, 'invalid_client'], (token) => authenticated(tenant, token))).toEqual([])
    expect(tenant.used.size).toBe(0)
    expect(await authenticated(tenant, compact(good))).toEqual([200, undefined])
  })

  it('the mirrored signature (r, n - s) of a used assertion is the same assertion: refused', async () => {
    for (const name of ['initech', 'umbrella'] as const) {
      const tenant = issuer.tenant(name)
      const good = assertion(tenant, tenant.addKeyClient('key', SPECS[name]))
      const alg = name === 'initech' ? 'ES256' : 'ES384'
      const mirror = mirrored({ ...good, alg })
      expect(mirror).not.toBe(compact(good))
      expect(await authenticated(tenant, mirror)).toEqual([200, undefined])
      expect(await authenticated(tenant, mirror)).toEqual([401, 'invalid_client'])
      expect(await authenticated(tenant, compact(good))).toEqual([401, 'invalid_client'])
    }
  })
})

describe("at a relying party's trust policy", () => {
  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519'] as const)('%s: no attack is allowed', async (alg) => {
    const key = makeTrusted(alg)
    const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519', 'EdDSA']
    const { check, server } = await relyingParty(policyOf(issuerPolicy({ algorithms })))
    server.answers.set(JWKS, jwksOf(key))
    const good: Good = {
      alg,
      header: { alg, typ: 'at+jwt', kid: key.kid },
      claims: { iss: ISSUER, sub: 'a', aud: 'https://api.example.com', iat: NOW, exp: NOW + 600 },
      privateKey: key.privateKey,
    }
    expect(await check(compact(good))).toBe('allow')
    const allowed: string[] = []
    for (const [what, token] of everyAttack(good)) if ((await check(token)) === 'allow') allowed.push(what)
    expect(allowed).toEqual([])
    // Nobody was asked for anything but the issuer's own key set.
    expect(new Set(server.asked)).toEqual(new Set([JWKS]))
  })
})
