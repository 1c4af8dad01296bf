import { beforeAll, describe, expect, it } from 'vitest'
import { asKeyriteError } from '../../shared/errors.ts'
import { openTrustPolicy } from '../../shared/trust/policy.ts'
import { makeVault, type TestVault } from '../issuer/fixtures.ts'
import { example, issuerPolicy, policyOf } from './world.ts'

/** The policy file: strict, capped, and exact about what is wrong. */

async function refusal(policy: unknown): Promise<[string, string]> {
  const text = typeof policy === 'string' ? policy : JSON.stringify(policy)
  try {
    await openTrustPolicy(text)
  } catch (error) {
    const { code, message } = asKeyriteError(error)
    return [code, message]
  }
  throw new Error('The policy was taken.')
}

const withIssuer = (changes: Record<string, unknown>) => policyOf(issuerPolicy(changes))
const withRule = (rule: Record<string, unknown>) => withIssuer({ claims: [rule] })
const jwks = (changes: Record<string, unknown>) =>
  withIssuer({ keys: { source: 'jwks', jwksUri: 'https://a.example.com/jwks', ...changes } })

describe('refused: trust-policy-invalid, naming the place', () => {
  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /cannot be read/],
    ['a member twice', '{"format":1,"format":1,"issuers":[]}', /duplicate member/],
    ['more than 1 MB', ' '.repeat(1024 * 1024 + 1), /more than/],
    ['another format', { ...policyOf(issuerPolicy()), format: 2 }, /at format/],
    ['no issuer', policyOf(), /at issuers/],
    ['an unknown member', { ...policyOf(issuerPolicy()), allowAll: true }, /allowAll/],
    ['an unknown member of an issuer', withIssuer({ audience: 'a' }), /at issuers\.0.*audience/],
    ['the same issuer twice', policyOf(issuerPolicy(), issuerPolicy({ maxAge: '1h' })), /every issuer stands once/],
    ['an empty issuer', withIssuer({ issuer: '' }), /issuers\.0\.issuer/],
    ['an issuer with a space', withIssuer({ issuer: 'https://a.example.com ' }), /issuers\.0\.issuer/],
    ['an issuer that is not ASCII', withIssuer({ issuer: 'https://аcme.example.com' }), /issuers\.0\.issuer/],
    ['no audience', withIssuer({ audiences: [] }), /audiences/],
    ['no audiences at all', withIssuer({ audiences: undefined }), /audiences/],
    ['no algorithm', withIssuer({ algorithms: [] }), /algorithms/],
    ['the algorithm none', withIssuer({ algorithms: ['none'] }), /algorithms\.0/],
    ['a shared secret', withIssuer({ algorithms: ['HS256'] }), /algorithms\.0/],
    ['no type', withIssuer({ types: [] }), /types/],
    ['a type in capitals', withIssuer({ types: ['JWT'] }), /types\.0/],
    ['a type with application/', withIssuer({ types: ['application/at+jwt'] }), /types\.0/],
    ['no greatest age', withIssuer({ maxAge: undefined }), /maxAge/],
    ['a greatest age of nothing', withIssuer({ maxAge: '0s' }), /maxAge.*1s to 7d/],
    ['a greatest age of a month', withIssuer({ maxAge: '30d' }), /maxAge.*1s to 7d/],
    ['an age as a number', withIssuer({ maxAge: 600 }), /maxAge/],
    ['a skew of ten minutes', withIssuer({ clockSkew: '10m' }), /clockSkew.*0s to 300s/],
    ['no keys', withIssuer({ keys: undefined }), /keys/],
    ['another source', withIssuer({ keys: { source: 'any' } }), /keys\.source/],
    ['both sources', jwks({ trustAnchors: ['a.b.c'] }), /keys.*trustAnchors/],
    ['plain http', jwks({ jwksUri: 'http://a.example.com/jwks' }), /jwksUri.*https/],
    ['plain http by the name localhost', jwks({ jwksUri: 'http://localhost:8080/jwks' }), /jwksUri/],
    ['plain http to a host that looks like this one', jwks({ jwksUri: 'http://127.0.0.1.example.com/' }), /jwksUri/],
    ['plain http to a user that looks like this host', jwks({ jwksUri: 'http://127.0.0.1:1@example.com/' }), /jwksUri/],
    ['a file', jwks({ jwksUri: 'file:///etc/passwd' }), /jwksUri/],
    ['a user in the address', jwks({ jwksUri: 'https://user@a.example.com/jwks' }), /jwksUri/],
    ['a fragment', jwks({ jwksUri: 'https://a.example.com/jwks#keys' }), /jwksUri/],
    ['an address that is not in its normal form', jwks({ jwksUri: 'https://A.example.com/x/../jwks' }), /jwksUri/],
    ['a cache of ten seconds', jwks({ cacheFor: '10s' }), /cacheFor.*30s to 1d/],
    ['a cache of two days', jwks({ cacheFor: '2d' }), /cacheFor/],
    ['stale for two days', jwks({ staleFor: '2d' }), /staleFor/],
    ['a rule without a test', withRule({ claim: 'sub' }), /claims\.0.*exactly one of/],
    ['a rule with two', withRule({ claim: 'sub', present: true, equals: 'x' }), /exactly one of/],
    ['a rule that wants a claim absent', withRule({ claim: 'sub', present: false }), /present/],
    ['a rule that is no rule', withRule({ claim: 'sub', matches: '.*' }), /matches/],
    ['a rule for the issuer', withRule({ claim: 'iss', equals: 'x' }), /its own member/],
    ['a rule for the audience', withRule({ claim: 'aud', contains: 'x' }), /its own member/],
    ['a list of nothing', withRule({ claim: 'sub', oneOf: [] }), /oneOf/],
    ['equal to what steers a terminal', withRule({ claim: 'sub', equals: '\u001b[2J' }), /equals/],
    ['equal to nothing', withRule({ claim: 'sub', equals: '' }), /equals/],
    ['a beginning without an end', withRule({ claim: 'sub', startsWith: 'repo:acme' }), /startsWith.*":" or "\/"/],
    ['two words in one', withRule({ claim: 'scope', contains: 'orders:read orders:write' }), /contains/],
  ])('%s', async (_, policy, message) => {
    expect(await refusal(policy)).toEqual(['trust-policy-invalid', expect.stringMatching(message)])
  })

  it('201 issuers', async () => {
    const issuers = Array.from({ length: 201 }, (_, at) => issuerPolicy({ issuer: `https://t${at}.example.com` }))
    expect((await refusal(policyOf(...issuers)))[0]).toBe('trust-policy-invalid')
    expect((await openTrustPolicy(JSON.stringify(policyOf(...issuers.slice(1))))).issuers.size).toBe(200)
  })
})

describe('pinned roots', () => {
  let vault: TestVault
  beforeAll(async () => {
    vault = await makeVault()
  })
  const pinning = (trustAnchors: string[], more = {}) => ({
    ...withIssuer({ keys: { source: 'pinned-root', signedJwksUri: 'https://a.example.com/jwks.jwt', trustAnchors } }),
    ...more,
  })

  it('are opened, and known by their fingerprint', async () => {
    const { issuers } = await openTrustPolicy(JSON.stringify(pinning([vault.anchor.jws])))
    expect([...issuers.values()].flatMap(({ anchors }) => anchors.map(({ key }) => key.kid))).toEqual([vault.root.kid])
  })

  it('none is no pin', async () => {
    expect(await refusal(pinning([]))).toEqual(['trust-policy-invalid', expect.stringMatching(/trustAnchors/)])
  })

  it('an anchor that was changed is none', async () => {
    const [header, payload] = vault.anchor.jws.split('.')
    const [, , signature] = (await makeVault()).anchor.jws.split('.')
    const wrong = await refusal(pinning([`${header}.${payload}.${signature}`]))
    expect(wrong).toEqual([
      'trust-policy-invalid',
      expect.stringMatching(/^A trust anchor of https:\/\/acme.* is none/),
    ])
  })

  it('another statement of the root is no anchor', async () => {
    expect((await refusal(pinning([vault.checkpoint])))[0]).toBe('trust-policy-invalid')
  })

  it('a second root must be the successor of the first', async () => {
    const wrong = await refusal(pinning([vault.anchor.jws, (await makeVault()).anchor.jws]))
    expect(wrong).toEqual(['trust-policy-invalid', expect.stringMatching(/not the successor/)])
    expect((await refusal(pinning([vault.anchor.jws, vault.anchor.jws])))[0]).toBe('trust-policy-invalid')
  })

  it('practice and production never mix', async () => {
    const practice = await makeVault({ practice: true })
    expect((await refusal(pinning([practice.anchor.jws])))[0]).toBe('practice-refused')
    expect((await refusal(pinning([vault.anchor.jws], { practice: true })))[0]).toBe('practice-refused')
    const policy = pinning([practice.anchor.jws], { practice: true })
    expect((await openTrustPolicy(JSON.stringify(policy))).issuers.size).toBe(1)
  })
})

it('what is not written has careful defaults', async () => {
  const { issuers } = await openTrustPolicy(JSON.stringify(policyOf(issuerPolicy())))
  expect([...issuers.values()]).toMatchObject([
    { clockSkew: 60, claims: [], otherAudiences: [], keys: { cacheFor: 3600, staleFor: 0 } },
  ])
})

it.each(['workload', 'ci', 'partner', 'mesh'])('the example %s is a policy as it stands', async (name) => {
  expect((await openTrustPolicy(JSON.stringify(example(name)))).issuers.size).toBe(1)
})

it('http is for this machine, by number', async () => {
  for (const jwksUri of ['http://127.0.0.1:8080/jwks', 'http://[::1]:8080/jwks', 'http://127.0.0.1/jwks'])
    expect((await openTrustPolicy(JSON.stringify(jwks({ jwksUri })))).issuers.size).toBe(1)
})
