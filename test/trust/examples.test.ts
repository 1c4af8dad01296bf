import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { signJwkSet } from '../../shared/formats/bundle.ts'
import type { Reason } from '../../shared/trust/reasons.ts'
import { makeVault, type TestVault } from '../issuer/fixtures.ts'
import { type Alg, example, jwksOf, type Key, makeKey, NOW, relyingParty, signedSetOf, signToken } from './world.ts'

/** The policies of docs/policies: one good token each, and everything that may be changed about it, one at a time. */

type Example = {
  alg: Alg
  typ: string | null
  aud: unknown
  maxAge: number
  skew: number
  claims: Record<string, unknown>
  /** Another value of a claim, one that comes near. */
  wrong: [claim: string, value: unknown][]
}

const EXAMPLES: Record<string, Example> = {
  workload: {
    alg: 'RS256',
    typ: null,
    aud: ['orders-api'],
    maxAge: 3600,
    skew: 60,
    claims: { sub: 'system:serviceaccount:shop:checkout' },
    wrong: [
      ['sub', 'system:serviceaccount:shop2:checkout'],
      ['sub', 'system:serviceaccount:shop:checkout2'],
      ['sub', ['system:serviceaccount:shop:checkout']],
    ],
  },
  ci: {
    alg: 'RS256',
    typ: 'JWT',
    aud: 'https://deploy.example.com',
    maxAge: 600,
    skew: 60,
    claims: {
      sub: 'repo:acme/shop:environment:production',
      repository: 'acme/shop',
      repository_id: '81452093',
      ref: 'refs/heads/main',
      environment: 'production',
    },
    wrong: [
      ['sub', 'repo:acme/shop2:environment:production'],
      ['repository', 'acme-evil/shop'],
      ['repository', 'Acme/Shop'],
      ['repository_id', 81452093],
      ['ref', 'refs/pull/7/merge'],
      ['ref', 'refs/heads/main2'],
      ['environment', 'staging'],
    ],
  },
  partner: {
    alg: 'PS256',
    typ: 'at+jwt',
    aud: 'https://api.example.com',
    maxAge: 900,
    skew: 60,
    claims: { client_id: 'partner-orders', scope: 'orders:write orders:read' },
    wrong: [
      ['client_id', 'partner-billing'],
      ['scope', 'orders:read'],
      ['scope', 'orders:write'],
      ['scope', 'orders:write orders:read2'],
      ['scope', ['orders:write']],
    ],
  },
  mesh: {
    alg: 'ES256',
    typ: 'application/at+jwt',
    aud: ['https://orders.mesh.example.com', 'https://audit.mesh.example.com'],
    maxAge: 300,
    skew: 10,
    claims: { client_id: 'checkout', jti: 'n-1', groups: ['all', 'mesh-members'] },
    wrong: [
      ['client_id', 'billing'],
      ['groups', ['mesh-members-2']],
      ['groups', 'all mesh-members'],
    ],
  },
}

let vault: TestVault
beforeAll(async () => {
  vault = await makeVault()
})

type Parts = { signer: Key; header: Record<string, unknown>; claims: Record<string, unknown> }
type Change = [name: string, reason: Reason, change: (good: Parts) => Partial<Parts>]

const OTHER: Record<string, Alg> = { RS256: 'PS256', PS256: 'RS256', ES256: 'ES384' }

/** The issuer's keys: the one that signs, one of another algorithm, and a thief's with the kid of the first. */
async function world(name: string, { alg, typ, aud, claims }: Example) {
  const policy = example(name)
  const [issuer] = policy.issuers
  if (!issuer) throw new Error('no issuer')
  const key = makeKey(alg)
  const other = makeKey(OTHER[alg] ?? alg)
  const thief = makeKey(alg, key.kid)
  const uri = issuer.keys.source === 'jwks' ? issuer.keys.jwksUri : issuer.keys.signedJwksUri
  if (issuer.keys.source === 'pinned-root') issuer.keys.trustAnchors = [vault.anchor.jws]
  const made = await relyingParty(policy)
  const served = issuer.keys.source === 'jwks' ? jwksOf(key, other) : await pinned(issuer.issuer, [key, other])
  made.server.answers.set(uri.replace('https://', ''), served)
  const header = { alg, kid: key.kid, ...(typ === null ? {} : { typ }) }
  const good: Parts = {
    signer: key,
    header,
    claims: { iss: issuer.issuer, aud, iat: NOW, exp: NOW + 300, ...claims },
  }
  return { ...made, good, key, other, thief }
}

async function pinned(issuer: string, keys: Key[]) {
  const claims = { iss: issuer, sub: issuer, iat: NOW - 60, nbf: NOW - 60, exp: NOW + 86_400 }
  return signedSetOf(await signJwkSet({ ...claims, keys: keys.map(({ jwk }) => jwk) as never }, vault.root))
}

const without = ({ claims }: Parts, name: string) => {
  const { [name]: _, ...rest } = claims
  return { claims: rest }
}
const withClaims = ({ claims }: Parts, changes: Record<string, unknown>) => ({ claims: { ...claims, ...changes } })
const withHeader = ({ header }: Parts, changes: Record<string, unknown>) => ({ header: { ...header, ...changes } })

const changesOf = ({ alg, aud, maxAge, skew, claims, wrong }: Example, other: Key, thief: Key): Change[] => [
  ['aud is a number', 'malformed', (good) => withClaims(good, { aud: 1 })],
  ['its own key in the header', 'header-not-allowed', (good) => withHeader(good, { jwk: thief.jwk })],
  ['another issuer', 'issuer-unknown', (good) => withClaims(good, { iss: `${good.claims['iss']}/` })],
  ['another type', 'type-not-allowed', (good) => withHeader(good, { typ: 'logout+jwt' })],
  [
    'another algorithm, with a good key',
    'algorithm-not-allowed',
    (good) => ({ signer: other, ...withHeader(good, { alg: other.alg, kid: other.kid }) }),
  ],
  ['a kid that nobody has', 'key-unknown', (good) => withHeader(good, { kid: 'key-3' })],
  ['the kid of the other key', 'key-mismatch', (good) => withHeader(good, { kid: other.kid })],
  ['signed by a thief', 'signature-invalid', () => ({ signer: thief })],
  ['for somebody else', 'audience-wrong', (good) => withClaims(good, { aud: 'https://other.example.com' })],
  ['for nobody', 'audience-wrong', (good) => without(good, 'aud')],
  [
    'for somebody besides',
    'audience-wrong',
    (good) => withClaims(good, { aud: [aud, 'https://other.example.com'].flat() }),
  ],
  ['expired', 'expired', (good) => withClaims(good, { iat: NOW - 100, exp: NOW - skew })],
  ['not yet valid', 'not-yet-valid', (good) => withClaims(good, { nbf: NOW + skew + 1 })],
  ['from the future', 'not-yet-valid', (good) => withClaims(good, { iat: NOW + skew + 1 })],
  ['too old', 'too-old', (good) => withClaims(good, { iat: NOW - maxAge - skew - 1 })],
  ...['exp', 'iat', ...Object.keys(claims)].map(
    (name): Change => [`without ${name}`, 'claim-missing', (good) => without(good, name)],
  ),
  ...wrong.map(
    ([name, value]): Change => [
      `${name} is ${JSON.stringify(value)}`,
      'claim-wrong',
      (good) => withClaims(good, { [name]: value }),
    ],
  ),
  ...(alg === 'ES256' ? MORE_OF_MESH : []),
]

const MORE_OF_MESH: Change[] = [
  ['only for the other one', 'audience-wrong', (good) => withClaims(good, { aud: 'https://audit.mesh.example.com' })],
  ['an empty jti', 'claim-missing', (good) => withClaims(good, { jti: '' })],
]

it('every policy of docs/policies stands here', () => {
  const files = readdirSync(join(import.meta.dirname, '../../docs/policies')).filter((name) => name.endsWith('.json'))
  expect(files.map((name) => name.replace('.json', '')).toSorted()).toEqual(Object.keys(EXAMPLES).toSorted())
})

describe.each(Object.entries(EXAMPLES))('%s', (name, row) => {
  it('the good token is allowed; with one thing changed, exactly that reason', async () => {
    const { check, good, other, thief } = await world(name, row)
    const sign = ({ signer, header, claims }: Parts) => signToken(signer, header, claims)
    expect(await check(sign(good))).toBe('allow')
    const changes = changesOf(row, other, thief)
    const found = []
    for (const [what, , change] of changes) found.push([what, await check(sign({ ...good, ...change(good) }))])
    expect(found).toEqual(changes.map(([what, reason]) => [what, reason]))
    expect(await check(sign(good))).toBe('allow')
  })

  it('at the very edge of every time it is allowed', async () => {
    const { check, good, clock } = await world(name, row)
    const at = (claims: Record<string, unknown>) =>
      check(signToken(good.signer, good.header, { ...good.claims, ...claims }))
    expect(await at({ exp: NOW - row.skew + 1, iat: NOW - 200 })).toBe('allow')
    expect(await at({ nbf: NOW + row.skew })).toBe('allow')
    expect(await at({ iat: NOW + row.skew })).toBe('allow')
    expect(await at({ iat: NOW - row.maxAge - row.skew })).toBe('allow')
    clock.pass(1)
    expect(await at({ iat: NOW - row.maxAge - row.skew })).toBe('too-old')
  })
})
