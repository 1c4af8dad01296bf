import { createHmac, createPublicKey, sign } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  askToken,
  assertionForm,
  makeAssertion,
  makeKey,
  startIssuer,
  type TestIssuer,
  type TestKey,
  type TestTenant,
} from '../issuer/http/service.ts'

/** Fault 13 at the token endpoint: every forged form of a client assertion is the same invalid_client. */

let issuer: TestIssuer
let tenant: TestTenant
let rsa: TestKey
let ec: TestKey
const foreign = makeKey('ES256')
beforeAll(async () => {
  issuer = await startIssuer(['initech'])
  tenant = issuer.tenant('initech')
  rsa = tenant.addKeyClient('rsa', 'RS256')
  ec = tenant.addKeyClient('ec', 'ES256')
})
afterAll(() => issuer.server.close())
beforeEach(() => tenant.used.clear())

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const claimsOf = (clientId: string) => {
  const now = issuer.service.now()
  return { iss: clientId, sub: clientId, aud: tenant.issuer, iat: now, exp: now + 60, jti: 'the-one' }
}
const input = (header: unknown, clientId: string, claims: unknown = claimsOf(clientId)) =>
  `${encode(header)}.${encode(claims)}`
const rsSigned = (text: string) => `${text}.${sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64url')}`
const esSigned = (text: string, key = ec) =>
  `${text}.${sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`

async function refused(assertion: string): Promise<void> {
  const answer = await askToken(tenant, assertionForm(assertion))
  expect(answer).toMatchObject({
    status: 401,
    body: { error: 'invalid_client', error_description: 'Client authentication failed.' },
  })
  expect(answer.body).not.toHaveProperty('access_token')
  expect(tenant.used.size).toBe(0)
}

const rs = () => ({ alg: 'RS256', kid: rsa.published.kid })
const es = () => ({ alg: 'ES256', kid: ec.published.kid })

describe('fault 13: client assertions', () => {
  it('made by the same helpers, the untouched assertion is taken', async () => {
    for (const [assertion, used] of [
      [rsSigned(input(rs(), 'rsa')), 1],
      [esSigned(input(es(), 'ec')), 2],
    ] as const) {
      expect((await askToken(tenant, assertionForm(assertion))).status).toBe(200)
      expect(tenant.used.size).toBe(used)
    }
  })

  it.each(['none', 'None', 'NONE', ''])(
    'alg "%s" (RFC 8725 section 3.1), with and without a signature',
    async (alg) => {
      await refused(`${input({ ...rs(), alg }, 'rsa')}.`)
      await refused(rsSigned(input({ ...rs(), alg }, 'rsa')))
    },
  )

  it('HS256 with the public key as the secret (RFC 8725 section 2.1), in every spelling of that key', async () => {
    const publicKey = createPublicKey({ key: { ...rsa.published }, format: 'jwk' })
    const secrets = [
      publicKey.export({ format: 'pem', type: 'spki' }),
      publicKey.export({ format: 'der', type: 'spki' }),
      publicKey.export({ format: 'pem', type: 'pkcs1' }),
      JSON.stringify(rsa.published),
      Buffer.from(rsa.published.kty === 'RSA' ? rsa.published.n : '', 'base64url'),
    ]
    const text = input({ ...rs(), alg: 'HS256' }, 'rsa')
    for (const secret of secrets)
      await refused(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`)
  })

  it('RS256 and PS256 swapped for one key', async () => {
    await refused(rsSigned(input({ ...rs(), alg: 'PS256' }, 'rsa')))
    await refused(await makeAssertion(tenant, 'rsa', rsa, {}, { alg: 'PS256' }))
  })

  it('the algorithm of another curve, and of another kind of key', async () => {
    await refused(esSigned(input({ ...es(), alg: 'ES384' }, 'ec')))
    await refused(esSigned(input({ ...es(), alg: 'Ed25519' }, 'ec')))
    await refused(esSigned(input({ ...es(), alg: 'EdDSA' }, 'ec')))
    await refused(rsSigned(input({ ...rs(), alg: 'RS512' }, 'rsa')))
  })

  it("a key of the sender's own: embedded, linked, or under the client's kid (RFC 7515 section 4.1)", async () => {
    const jwk = foreign.published
    const own = { ...es(), kid: jwk.kid }
    for (const header of [
      { ...own, jwk },
      { ...own, jku: 'http://127.0.0.1:1/jwks.json' },
      { ...own, x5u: 'http://127.0.0.1:1/cert.pem' },
      { ...own, x5c: ['MIIB'] },
      { ...own, x5t: 'abc' },
      { ...own, 'x5t#S256': 'abc' },
      own,
      es(),
      { alg: 'ES256' },
    ])
      await refused(esSigned(input(header, 'ec'), foreign))
  })

  it.each([
    ['jwk, even the right one', () => ({ jwk: ec.published })],
    ['jku', () => ({ jku: `${tenant.issuer}/.well-known/jwks.json` })],
    ['x5u', () => ({ x5u: 'https://example.com/cert' })],
    ['crit with an unknown extension', () => ({ crit: ['exp'], exp: 1 })],
    ['an empty crit', () => ({ crit: [] })],
    ['b64', () => ({ b64: false, crit: ['b64'] })],
    ['zip', () => ({ zip: 'DEF' })],
    ['an unknown member', () => ({ foo: 'bar' })],
    ['typ of an access token', () => ({ typ: 'at+jwt' })],
    ['typ of a key set', () => ({ typ: 'jwk-set+jwt' })],
    ['cty', () => ({ cty: 'JWT' })],
    ['a kid that is no text', () => ({ kid: 1 })],
    ['a kid of another key', () => ({ kid: foreign.published.kid })],
    ['a hostile kid', () => ({ kid: '__proto__' })],
  ])('header with %s, signed by the right key', (_what, extra) =>
    refused(esSigned(input({ ...es(), ...extra() }, 'ec'))),
  )

  it('a compressed payload is not unpacked', async () => {
    const payload = deflateRawSync(JSON.stringify(claimsOf('ec'))).toString('base64url')
    await refused(esSigned(`${encode({ ...es(), zip: 'DEF' })}.${payload}`))
    await refused(esSigned(`${encode(es())}.${payload}`))
  })

  it('signatures stripped, cut, swapped, or of another assertion', async () => {
    const [header, payload, signature = ''] = esSigned(input(es(), 'ec')).split('.')
    const other = esSigned(input(es(), 'ec', { ...claimsOf('ec'), jti: 'another' })).split('.')[2]
    for (const wrong of ['', signature.slice(0, -4), `${signature}AAAA`, other, 'A'.repeat(86)])
      await refused(`${header}.${payload}.${wrong}`)
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), ec.privateKey).toString('base64url')
    await refused(`${header}.${payload}.${der}`)
    await refused(`${header}.${payload}.${signature}.${signature}`)
    await refused(`${header}.${payload}`)
  })

  it('non-canonical base64url (fault 18: jose itself accepts it)', async () => {
    const [header = '', payload, signature = ''] = esSigned(input(es(), 'ec')).split('.')
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(signature.slice(-1))
    const twin = signature.slice(0, -1) + alphabet[last + 1]
    expect(Buffer.from(twin, 'base64url')).toEqual(Buffer.from(signature, 'base64url'))
    for (const wrong of [twin, `${signature}==`, ` ${signature}`, signature.replace(/^./, '+')])
      await refused(`${header}.${payload}.${wrong}`)
  })

  it.each([
    ['a duplicate member in the header', (h: string) => h.replace('{', '{"alg":"ES256",'), (c: string) => c],
    ['a duplicate claim', (h: string) => h, (c: string) => c.replace('{', '{"aud":"x",')],
    ['trailing bytes', (h: string) => h, (c: string) => `${c}x`],
    ['a byte order mark', (h: string) => `\ufeff${h}`, (c: string) => c],
    ['a lone surrogate', (h: string) => h, (c: string) => c.replace('the-one', '\\ud800')],
    ['a number over 2^53', (h: string) => h, (c: string) => c.replace(/"exp":\d+/, '"exp":9007199254740993')],
    [
      'claims nested too deep',
      (h: string) => h,
      (c: string) => c.replace('{', `{"a":${'['.repeat(50)}${']'.repeat(50)},`),
    ],
    ['claims that are a list', (h: string) => h, () => '[]'],
    ['claims that are null', (h: string) => h, () => 'null'],
  ])('fault 17: %s, signed by the right key', (_what, header, claims) =>
    refused(esSigned(input(header(JSON.stringify(es())), 'ec', claims(JSON.stringify(claimsOf('ec')))))),
  )

  it('JWS in JSON serialisation, and a JWE, are no assertions', async () => {
    const [header, payload, signature] = esSigned(input(es(), 'ec')).split('.')
    await refused(JSON.stringify({ protected: header, payload, signature }))
    await refused(`${encode({ alg: 'ECDH-ES', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`)
  })
})
