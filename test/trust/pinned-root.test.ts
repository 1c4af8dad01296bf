import { beforeAll, describe, expect, it } from 'vitest'
import { type JwkSetClaims, signJwkSet } from '../../shared/formats/bundle.ts'
import { toBase64url, utf8 } from '../../shared/formats/bytes.ts'
import type { StatementSigner } from '../../shared/formats/jws.ts'
import { openTrustAnchor, signTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { makeRoot, makeVault, signRaw, type TestVault } from '../issuer/fixtures.ts'
import {
  ISSUER,
  issuerPolicy,
  JWKS,
  jwksOf,
  type Key,
  makeKey,
  NOW,
  policyOf,
  relyingParty,
  signedSetOf,
  tokenOf,
} from './world.ts'

/** Fault: the web server is in wrong hands. Whoever pins the root believes the root, not the server. */

const SIGNED = 'acme.example.com/jwks.jwt'
const one = makeKey('ES256')
const thief = makeKey('ES256')

let vault: TestVault
beforeAll(async () => {
  vault = await makeVault()
})

type Changes = Partial<Omit<JwkSetClaims, 'keys'>>

async function setOf(keys: Key[], changes: Changes = {}, root: StatementSigner = vault.root): Promise<string> {
  const claims = { iss: ISSUER, sub: ISSUER, iat: NOW - 600, nbf: NOW - 300, exp: NOW + 86_400, ...changes }
  return signJwkSet({ ...claims, keys: keys.map(({ jwk }) => jwk) as never }, root)
}

const pinnedKeys = (changes: Record<string, unknown> = {}) => ({
  source: 'pinned-root',
  signedJwksUri: `https://${SIGNED}`,
  trustAnchors: [vault.anchor.jws],
  ...changes,
})

async function pinned(set: string, keys: Record<string, unknown> = {}) {
  const made = await relyingParty(policyOf(issuerPolicy({ keys: pinnedKeys(keys) })))
  const serve = (next: string) => made.server.answers.set(SIGNED, signedSetOf(next))
  serve(set)
  return { ...made, serve }
}

describe('a web server in wrong hands adds a key', () => {
  it('which fools whoever fetches jwks.json', async () => {
    const { check, server } = await relyingParty(policyOf(issuerPolicy()))
    server.answers.set(JWKS, jwksOf(one, thief))
    expect([await check(tokenOf(one)), await check(tokenOf(thief))]).toEqual(['allow', 'allow'])
  })

  const keysOf = (...keys: Key[]) => ({ keys: keys.map(({ jwk }) => jwk) })
  const times = { iss: ISSUER, sub: ISSUER, iat: NOW - 600, nbf: NOW - 300, exp: NOW + 86_400 }

  /** What such a server could serve as the signed set. */
  const FORGED: [string, () => Promise<string>][] = [
    ['jwks.json itself', async () => JSON.stringify(keysOf(one, thief))],
    ['a set that nobody signed', async () => signUnder({ alg: 'none' }, '')],
    ['a set signed by a root of its own', async () => setOf([one, thief], {}, (await makeRoot()).root)],
    [
      'a set signed by its own root in the name of the pinned one',
      async () => setOf([one, thief], {}, { ...(await makeRoot()).root, kid: vault.root.kid }),
    ],
    [
      'a set signed by the key that it adds',
      async () => {
        const added = await makeRoot()
        const header = { alg: 'ES256', kid: vault.root.kid, typ: 'jwk-set+jwt', jwk: added.jwk }
        return signRaw(header, { ...times, ...keysOf(one, thief) }, added.root.key)
      },
    ],
    [
      "the vault's own set with one key more",
      async () => {
        const [header, , signature] = (await setOf([one])).split('.')
        return `${header}.${toBase64url(utf8(JSON.stringify({ ...times, ...keysOf(one, thief) })))}.${signature}`
      },
    ],
    [
      'another statement of the very root',
      async () => {
        const header = { alg: 'ES256', kid: vault.root.kid, typ: 'keyrite-bundle' }
        return signRaw(header, { ...times, ...keysOf(one, thief) }, vault.root.key)
      },
    ],
    ["the vault's set and a line feed", async () => `${await setOf([one])}\n`],
  ]

  async function signUnder(header: object, signature: string): Promise<string> {
    const [head, claims] = [
      { kid: vault.root.kid, typ: 'jwk-set+jwt', ...header },
      { ...times, ...keysOf(one, thief) },
    ]
    return [head, claims]
      .map((part) => toBase64url(utf8(JSON.stringify(part))))
      .join('.')
      .concat('.', signature)
  }

  it.each(FORGED)('%s does not fool who pins the root', async (_, forge) => {
    const { check, server } = await pinned(await forge())
    server.answers.set(JWKS, jwksOf(one, thief))
    expect([await check(tokenOf(thief)), await check(tokenOf(one))]).toEqual(['key-set-invalid', 'key-set-invalid'])
    expect(server.asked).not.toContain(JWKS)
  })

  it.each(FORGED)('%s changes nothing while the good set is fresh', async (_, forge) => {
    const { check, serve, clock } = await pinned(await setOf([one]))
    expect(await check(tokenOf(one))).toBe('allow')
    serve(await forge())
    clock.pass(60)
    expect([await check(tokenOf(thief)), await check(tokenOf(one))]).toEqual(['key-set-invalid', 'allow'])
  })

  it('the set that the root signed is enough', async () => {
    const { check, server } = await pinned(await setOf([one]))
    expect([await check(tokenOf(one)), await check(tokenOf(thief))]).toEqual(['allow', 'key-unknown'])
    expect(server.asked).toEqual([SIGNED])
  })
})

describe('a set that the root did sign, but not for this', () => {
  it.each<[string, Changes]>([
    ['for another tenant', { iss: 'https://globex.example.com', sub: 'https://globex.example.com' }],
    ['by another about this one', { iss: 'https://globex.example.com' }],
    ['by this one about another', { sub: 'https://globex.example.com' }],
    ['in the future', { iat: NOW + 301 }],
  ])('%s: key-set-invalid', async (_, changes) => {
    const { check } = await pinned(await setOf([one], changes))
    expect(await check(tokenOf(one))).toBe('key-set-invalid')
  })

  it.each<[string, Changes, string]>([
    ['expired', { exp: NOW - 300 }, 'key-set-expired'],
    ['expired within the skew', { exp: NOW - 299 }, 'allow'],
    ['for later', { nbf: NOW + 301 }, 'key-set-expired'],
    ['for later, within the skew', { nbf: NOW + 300 }, 'allow'],
  ])('%s', async (_, changes, expected) => {
    const { check } = await pinned(await setOf([one], changes))
    expect(await check(tokenOf(one))).toBe(expected)
  })

  it('another vault', async () => {
    const other = await makeVault()
    const { check } = await pinned(await setOf([one], {}, other.root))
    expect(await check(tokenOf(one))).toBe('key-set-invalid')
  })
})

describe('time and a signed set', () => {
  it('no cache and no outage makes it last longer than it was signed for', async () => {
    const { check, clock, server } = await pinned(await setOf([one], { exp: NOW + 100 }), { staleFor: '1d' })
    expect(await check(tokenOf(one))).toBe('allow')
    server.answers.set(SIGNED, { status: 503 })
    clock.pass(399)
    expect(await check(tokenOf(one))).toBe('allow')
    clock.pass(1)
    expect(await check(tokenOf(one))).toBe('key-set-unavailable')
  })

  it('served on after its end it is refused', async () => {
    const { check, clock } = await pinned(await setOf([one], { exp: NOW + 100 }), { staleFor: '1d' })
    expect(await check(tokenOf(one))).toBe('allow')
    clock.pass(400)
    expect(await check(tokenOf(one))).toBe('key-set-expired')
  })

  it('an older one after a newer one is refused, and the newer one is not forgotten', async () => {
    const withdrawn = await setOf([one, thief], { iat: NOW - 600 })
    const { check, clock, serve } = await pinned(withdrawn, { cacheFor: '5m' })
    expect(await check(tokenOf(thief))).toBe('allow')
    serve(await setOf([one], { iat: NOW - 599 }))
    clock.pass(300)
    expect(await check(tokenOf(thief))).toBe('key-unknown')
    serve(withdrawn)
    clock.pass(300)
    expect(await check(tokenOf(thief))).toBe('key-set-rolled-back')
    expect(await check(tokenOf(one))).toBe('key-set-rolled-back')
    clock.pass(42_000)
    expect(await check(tokenOf(thief))).toBe('key-set-rolled-back')
    serve(await setOf([one], { iat: NOW - 599 }))
    clock.pass(30)
    expect(await check(tokenOf(one))).toBe('allow')
  })

  it('a set that is refused makes no other one old', async () => {
    const { check, clock, serve } = await pinned(await setOf([one], { iat: NOW - 10, nbf: NOW + 4000 }))
    expect(await check(tokenOf(one))).toBe('key-set-expired')
    serve(await setOf([one], { iat: NOW - 600 }))
    clock.pass(5)
    expect(await check(tokenOf(one))).toBe('allow')
  })

  it('each issuer has its own newest', async () => {
    const other = 'https://globex.example.com'
    const place = 'globex.example.com/jwks.jwt'
    const { check, server } = await relyingParty(
      policyOf(
        issuerPolicy({ keys: pinnedKeys() }),
        issuerPolicy({ issuer: other, keys: pinnedKeys({ signedJwksUri: `https://${place}` }) }),
      ),
    )
    server.answers.set(SIGNED, signedSetOf(await setOf([one], { iat: NOW - 10 })))
    server.answers.set(place, signedSetOf(await setOf([thief], { iss: other, sub: other, iat: NOW - 600 })))
    expect(await check(tokenOf(one))).toBe('allow')
    expect(await check(tokenOf(thief, { iss: other }))).toBe('allow')
    expect(await check(tokenOf(thief))).toBe('key-unknown')
  })
})

it('while the successor of the root takes over, sets of both are good; of one that nobody pinned, none', async () => {
  const [next, stranger] = [await makeRoot(), await makeRoot()]
  const about = { vaultId: vault.vaultId, name: 'Test vault', practice: false, iat: NOW }
  const before = await signTrustAnchor({ ...about, root: vault.anchor.root, successor: next.root.kid }, vault.root)
  const after = await signTrustAnchor({ ...about, root: next.jwk, successor: stranger.root.kid }, next.root)
  expect((await openTrustAnchor(before)).successor).toBe(next.root.kid)
  for (const [root, expected] of [
    [vault.root, 'allow'],
    [next.root, 'allow'],
    [stranger.root, 'key-set-invalid'],
  ] as const) {
    const { check } = await pinned(await setOf([one], {}, root), { trustAnchors: [before, after] })
    expect(await check(tokenOf(one))).toBe(expected)
  }
})
