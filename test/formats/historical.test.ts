import { describe, expect, it } from 'vitest'
import { MAX_PAST_KEYS, type PastKey } from '../../shared/domain/past-keys.ts'
import { DEFAULT_POLICY } from '../../shared/domain/policy.ts'
import { openJwkSet, publishedJwk, signJwkSet } from '../../shared/formats/bundle.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { type HistoricalSet, openHistoricalSet, signHistoricalSet } from '../../shared/formats/historical.ts'
import { JWK_SET_TYP, readStatementHeader, signStatement } from '../../shared/formats/jws.ts'
import { codeOf, makeKey, makeVault, signRaw, T0 } from '../issuer/fixtures.ts'

const ISSUER = 'https://acme.example.com'
const DAY = 86_400

function past(change: Partial<PastKey> = {}): PastKey {
  const spec = change.spec ?? 'ES256'
  const jwk = change.jwk ?? makeKey(spec).jwk
  return { kid: thumbprint(jwk), spec, jwk, from: T0 - 90 * DAY, until: T0 - DAY, compromised: null, ...change }
}

const OF = { issuer: ISSUER, policy: DEFAULT_POLICY }
const signed = async (root: Parameters<typeof signHistoricalSet>[2], ...keys: PastKey[]): Promise<string> =>
  (await signHistoricalSet({ ...OF, past: keys }, T0, root)) ?? ''

describe('a set of past keys', () => {
  it('says of each key when it counted, and of a compromised one since when it does not', async () => {
    const { root, key } = await makeVault()
    const [old, stolen] = [past(), past({ spec: 'RS256', until: T0 - 9, compromised: T0 - 9 })]
    const jws = await signed(root, old, stolen)
    expect(readStatementHeader(jws)).toEqual({ alg: 'ES256', kid: root.kid, typ: 'jwk-set+jwt' })
    expect(await openHistoricalSet(jws, key)).toEqual({
      iss: ISSUER,
      iat: T0,
      keys: [
        { ...old.jwk, use: 'sig', alg: 'ES256', kid: old.kid, iat: old.from, exp: old.until },
        {
          ...stolen.jwk,
          use: 'sig',
          alg: 'RS256',
          kid: stolen.kid,
          iat: stolen.from,
          exp: stolen.until,
          revoked: { revoked_at: T0 - 9, reason: 'compromised' },
        },
      ],
    })
  })

  it('names Ed25519 keys as the policy does', async () => {
    const { root, key } = await makeVault()
    const policy = { ed25519Name: 'EdDSA' } as const
    const jws = await signHistoricalSet({ issuer: ISSUER, policy, past: [past({ spec: 'Ed25519' })] }, T0, root)
    expect((await openHistoricalSet(jws ?? '', key)).keys[0]?.alg).toBe('EdDSA')
  })

  it('is none where there is no past key', async () => {
    const { root } = await makeVault()
    expect(await signHistoricalSet({ ...OF, past: [] }, T0, root)).toBeNull()
  })

  it('holds 200 keys of the largest kind, and not one more', async () => {
    const { root, key } = await makeVault()
    const n = Buffer.alloc(512, 0xff)
    const many = (length: number) =>
      Array.from({ length }, (_, at) => {
        n.writeUInt32BE(at, 8)
        const jwk = { kty: 'RSA', n: n.toString('base64url'), e: 'AQAB' } as const
        return past({ spec: 'RS256-4096', jwk, kid: thumbprint(jwk) })
      })
    expect((await openHistoricalSet(await signed(root, ...many(MAX_PAST_KEYS)), key)).keys).toHaveLength(200)
    const more = await signed(root, ...many(MAX_PAST_KEYS + 1))
    expect(await codeOf(() => openHistoricalSet(more, key))).toBe('format-invalid')
  })
})

describe('past keys and the keys of a slot have the same type, and neither passes as the other', () => {
  it('a set of past keys is no set of a slot', async () => {
    const { root, key } = await makeVault()
    const jws = await signed(root, past())
    expect(await codeOf(() => openJwkSet(jws, key))).toBe('format-invalid')
  })

  it('a set of a slot is no set of past keys, not even an empty one', async () => {
    const { root, key } = await makeVault()
    const { jwk } = makeKey('ES256')
    const claims = { iss: ISSUER, sub: ISSUER, iat: T0, nbf: T0, exp: T0 + DAY }
    for (const keys of [[], [publishedJwk({ kid: thumbprint(jwk), spec: 'ES256', jwk }, DEFAULT_POLICY)]]) {
      const jws = await signJwkSet({ ...claims, keys }, root)
      expect((await openJwkSet(jws, key)).keys).toEqual(keys)
      expect(await codeOf(() => openHistoricalSet(jws, key))).toBe('format-invalid')
    }
  })

  it('nothing in between passes as either: each claim that tells them apart counts by itself', async () => {
    const { root, key } = await makeVault()
    const { keys } = await openHistoricalSet(await signed(root, past()), key)
    const [{ iat: _, exp: __, ...bare } = { iat: 0, exp: 0 }] = keys
    const between: object[] = [
      { iss: ISSUER, sub: ISSUER, iat: T0, keys },
      { iss: ISSUER, iat: T0, exp: T0 + DAY, keys },
      { iss: ISSUER, iat: T0, nbf: T0, keys },
      { iss: ISSUER, sub: ISSUER, iat: T0, nbf: T0, exp: T0 + DAY, keys },
      { iss: ISSUER, iat: T0, keys: [bare] },
    ]
    for (const claims of between) {
      const jws = await signStatement(JWK_SET_TYP, claims, root)
      expect(await codeOf(() => openJwkSet(jws, key))).toBe('format-invalid')
      expect(await codeOf(() => openHistoricalSet(jws, key))).toBe('format-invalid')
    }
  })
})

describe('a set that the root signed, but that cannot be', () => {
  const cases: [string, (said: HistoricalSet) => object][] = [
    ['no key', (said) => ({ ...said, keys: [] })],
    ['a key twice', ({ keys, ...said }) => ({ ...said, keys: [...keys, ...keys] })],
    [
      'an id that is not the thumbprint',
      ({ keys, ...said }) => ({ ...said, keys: [{ ...keys[0], kid: digest('x') }] }),
    ],
    ['a key that has not ended', ({ keys, ...said }) => ({ ...said, keys: [{ ...keys[0], exp: said.iat + 1 }] })],
    ['a key that ended before it began', ({ keys, ...said }) => ({ ...said, keys: [{ ...keys[0], exp: 1 }] })],
    [
      'a compromise in the future',
      ({ keys, ...said }) => ({
        ...said,
        keys: [{ ...keys[0], revoked: { revoked_at: said.iat + 1, reason: 'compromised' } }],
      }),
    ],
    [
      'another reason',
      ({ keys, ...said }) => ({ ...said, keys: [{ ...keys[0], revoked: { revoked_at: T0 - 9, reason: 'lost' } }] }),
    ],
    ['a certificate', ({ keys, ...said }) => ({ ...said, keys: [{ ...keys[0], x5c: ['AAAA'] }] })],
    ['a private member', ({ keys, ...said }) => ({ ...said, keys: [{ ...keys[0], d: 'AAAA' }] })],
    ['an algorithm that is none', ({ keys, ...said }) => ({ ...said, keys: [{ ...keys[0], alg: 'none' }] })],
    ['an unknown claim', (said) => ({ ...said, aud: 'x' })],
  ]
  it.each(cases)('%s is refused', async (_, spoil) => {
    const { root, key } = await makeVault()
    const said = await openHistoricalSet(await signed(root, past()), key)
    const jws = await signStatement(JWK_SET_TYP, spoil(said), root)
    expect(await codeOf(() => openHistoricalSet(jws, key))).toBe('format-invalid')
  })

  it('another root, another type and another header are refused', async () => {
    const [mine, other] = [await makeVault(), await makeVault()]
    const jws = await signed(other.root, past())
    expect(await codeOf(() => openHistoricalSet(jws, mine.key))).toBe('signature-invalid')
    const said = await openHistoricalSet(jws, other.key)
    const { kid } = other.root
    for (const header of [
      { alg: 'ES256', kid, typ: 'JWT' },
      { alg: 'ES256', kid },
      { alg: 'ES256', kid, typ: JWK_SET_TYP, jku: 'https://evil.example' },
    ])
      expect(await codeOf(async () => openHistoricalSet(await signRaw(header, said, other.root.key), other.key))).toBe(
        'jose-refused',
      )
  })
})
