import { SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KEY_SPECS } from '../../../shared/domain/algorithms.ts'
import {
  API,
  assertionForm,
  makeAssertion,
  makeKey,
  SPECS,
  startIssuer,
  type TestIssuer,
  type TestTenant,
  tokenOf,
} from './service.ts'

const NAMES = Object.keys(SPECS) as (keyof typeof SPECS)[]
const bad: string[] = []
let issuer: TestIssuer
let tenant: TestTenant
beforeAll(async () => {
  const observer = {
    issued() {},
    refused() {},
    served() {},
    took() {},
    badSignature: (...all: string[]) => bad.push(all.join()),
  }
  issuer = await startIssuer(NAMES, {}, { observer })
  for (const name of NAMES) allow(issuer.tenant(name))
  tenant = issuer.tenant('initech')
})
afterAll(() => issuer.server.close())

function allow(at: TestTenant): TestTenant {
  const client = at.clients.get('post')
  if (client) client.introspects = true
  return at
}

type Form = Record<string, string>
async function ask(at: TestTenant, form: Form, headers: Form = {}) {
  const response = await fetch(`${at.issuer}/introspect`, { method: 'POST', headers, body: new URLSearchParams(form) })
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, headers: response.headers, body }
}

const asPost = (at: TestTenant): Form => ({ client_id: 'post', client_secret: at.secretOf('post') })
const introspect = (token: string, at = tenant) => ask(at, { ...asPost(at), token })

async function inactive(token: string, at = tenant): Promise<void> {
  const { status, body } = await introspect(token, at)
  expect([status, body]).toEqual([200, { active: false }])
}

/** A token as the tenant makes them, with what `claims` and `header` change about it. */
function forge(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = tenant.keys[0]) {
  if (!key) throw new Error('no key')
  const now = issuer.service.now()
  const whole = {
    iss: tenant.issuer,
    sub: 'basic',
    aud: API,
    exp: now + 60,
    iat: now,
    jti: 'one',
    client_id: 'basic',
    ...claims,
  }
  return new SignJWT(whole)
    .setProtectedHeader({ alg: KEY_SPECS[key.spec].alg, typ: 'at+jwt', kid: key.published.kid, ...header })
    .sign(key.privateKey)
}

describe('an active token (RFC 7662 section 2.2)', () => {
  it.each(NAMES)('%s: exactly these members', async (name) => {
    const at = issuer.tenant(name)
    const { status, headers, body } = await introspect(await tokenOf(at), at)
    expect(status).toBe(200)
    expect(body).toEqual({
      active: true,
      iss: at.issuer,
      sub: 'basic',
      aud: API,
      client_id: 'basic',
      scope: 'orders:read orders:write',
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
      token_type: 'Bearer',
    })
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual(['application/json', 'no-store'])
  })

  it('an independent library introspects it, found by discovery', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true }
    const url = new URL(tenant.issuer)
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
    const auth = oauth.ClientSecretPost(tenant.secretOf('post'))
    const client = { client_id: 'post' }
    const answer = await oauth.introspectionRequest(server, client, auth, await tokenOf(tenant), insecure)
    const { active, sub } = await oauth.processIntrospectionResponse(server, client, answer)
    expect([active, sub]).toEqual([true, 'basic'])
  })

  it('both types of tokens, no scope, and an unknown hint are taken', async () => {
    for (const token of [await forge({}, { typ: 'JWT' }), await forge({ scope: 'a b' }), await forge({ nbf: 1 })])
      expect((await introspect(token)).body.active).toBe(true)
    const hinted = await ask(tenant, { ...asPost(tenant), token: await forge(), token_type_hint: 'refresh_token' })
    expect(hinted.body.active).toBe(true)
    expect(hinted.body).not.toHaveProperty('scope')
  })

  it('stays so after its key stopped signing, until the key is not published any more', async () => {
    const at = allow(issuer.add('retiring', 'ES256'))
    const token = await tokenOf(at)
    at.maySign = false
    expect((await introspect(token, at)).body.active).toBe(true)
    at.keys = [makeKey('ES256')]
    await inactive(token, at)
  })

  it('goes by the name of the published key: EdDSA', async () => {
    const at = allow(issuer.add('older', 'Ed25519'))
    at.keys = at.keys.map((key) => ({ ...key, published: { ...key.published, alg: 'EdDSA' } }))
    expect((await introspect(await tokenOf(at), at)).body.active).toBe(true)
  })
})

describe('faults 13, 17, 18: a token that is not one is {"active":false} and nothing else, never an error', () => {
  const now = () => issuer.service.now()
  it.each([
    ['iss of another tenant', () => forge({ iss: issuer.tenant('acme').issuer })],
    ['iss with a trailing slash', () => forge({ iss: `${tenant.issuer}/` })],
    ['expired this second', () => forge({ exp: now() })],
    ['not valid yet', () => forge({ nbf: now() + 60 })],
    ['exp as text', () => forge({ exp: `${now() + 60}` as unknown as number })],
    ['exp as a fraction', () => forge({ exp: now() + 60.5 })],
    ['an unknown claim', () => forge({ act: 'x' })],
    ['no client_id', () => forge({ client_id: undefined })],
    ['two audiences', () => forge({ aud: [API, API] })],
    ['another typ', () => forge({}, { typ: 'client-authentication+jwt' })],
    ['no typ', () => forge({}, { typ: undefined })],
    ['an unknown header member', () => forge({}, { jku: 'https://evil.example' })],
    ['the alg of another key', () => forge({}, { alg: 'ES256' }, issuer.tenant('acme').keys[0]).catch(() => 'x')],
    ['an unknown kid', () => forge({}, { kid: '__proto__' })],
    ['a foreign key under its own kid', () => forge({}, {}, makeKey('ES256'))],
    ['nothing like a token', async () => 'abc'],
    ['dots', async () => '..'],
    ['9 KB', async () => 'a'.repeat(9000)],
    ['a NUL in base64url', async () => `${Buffer.from('\0').toString('base64url')}.e30.AA`],
  ])('%s', async (_what, token) => inactive(await token()))

  it('a signature that is cut, swapped, non-canonical or missing', async () => {
    const [head, payload, signature = ''] = (await forge()).split('.')
    const other = (await forge({ jti: 'two' })).split('.')[2]
    for (const wrong of ['', other, signature.slice(0, -4), `${signature}AAAA`, `${signature}=`, 'A'.repeat(86)])
      await inactive(`${head}.${payload}.${wrong}`)
  })

  it('alg none, and HS256 with the public key', async () => {
    const [, payload, signature] = (await forge()).split('.')
    for (const alg of ['none', 'HS256', 'ES384', 'Ed25519']) {
      const header = { alg, typ: 'at+jwt', kid: tenant.keys[0]?.published.kid }
      await inactive(`${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`)
    }
  })

  const signed = (header: string, claims: string) => {
    const input = [header, claims].map((text) => Buffer.from(text).toString('base64url')).join('.')
    return `${input}.${tenant.keys[0]?.signer.sign(input)}`
  }
  const header = () => `{"alg":"ES256","typ":"at+jwt","kid":"${tenant.keys[0]?.published.kid}"}`
  const claims = () =>
    JSON.stringify({
      iss: tenant.issuer,
      sub: 'a',
      aud: API,
      exp: now() + 60,
      iat: now(),
      jti: 'one',
      client_id: 'a',
    })

  it('signed by the right key: the untouched token is active', async () => {
    expect((await introspect(signed(header(), claims()))).body.active).toBe(true)
  })

  it.each([
    ['a duplicate member in the header', () => signed(header().replace('{', '{"alg":"ES256",'), claims())],
    ['a duplicate claim', () => signed(header(), claims().replace('{', '{"sub":"b",'))],
    ['trailing bytes', () => signed(header(), `${claims()}x`)],
    ['a byte order mark', () => signed(header(), `\ufeff${claims()}`)],
    ['a number over 2^53', () => signed(header(), claims().replace(/"exp":\d+/, '"exp":9007199254740993'))],
    ['claims that are a list', () => signed(header(), '[]')],
    ['claims that are nested', () => signed(header(), claims().replace('"one"', '{"a":{"b":1}}'))],
    ['no claims', () => signed(header(), '')],
  ])('signed by the right key: %s', async (_what, token) => inactive(token()))

  it('issued before the instant from which the tenant takes tokens', async () => {
    const at = allow(issuer.add('rejecting', 'ES256'))
    const token = await tokenOf(at)
    const { iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    for (const [instant, active] of [
      [iat, true],
      [iat + 1, false],
      [null, true],
    ] as const) {
      at.rejectIssuedBefore = instant
      expect((await introspect(token, at)).body.active).toBe(active)
    }
  })

  it('a signature that does not verify under a key of the tenant is observed; what is no such token is not', async () => {
    bad.length = 0
    const own = tenant.keys[0]?.published.kid
    await inactive(await forge({}, { kid: own }, makeKey('ES256')))
    expect(bad).toEqual(['initech,introspection'])
    await inactive(await forge({}, {}, makeKey('ES256')))
    await inactive('abc')
    await inactive(await forge({ exp: 1 }))
    expect(bad).toEqual(['initech,introspection'])
  })
})

describe('who may ask', () => {
  it('RFC 7662 section 2.1: without or with wrong authentication, 401 and nothing about the token', async () => {
    const token = await tokenOf(tenant)
    const headers = { Authorization: tenant.basic('basic', 'wrong') }
    for (const answer of [await ask(tenant, { token }), await ask(tenant, { token }, headers)]) {
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
      expect(answer.headers.get('www-authenticate')).toContain('Basic')
    }
  })

  it('a client that may not introspect: 403, also for its own token', async () => {
    const answer = await ask(tenant, { token: await tokenOf(tenant) }, { Authorization: tenant.basic() })
    expect(answer).toMatchObject({ status: 403, body: { error: 'unauthorized_client' } })
    expect(answer.body).not.toHaveProperty('active')
  })

  it('private_key_jwt as at the token endpoint, single use', async () => {
    const key = tenant.addKeyClient('checker', 'ES256')
    const client = tenant.clients.get('checker')
    if (client) client.introspects = true
    const form = { ...assertionForm(await makeAssertion(tenant, 'checker', key)), token: await tokenOf(tenant) }
    expect((await ask(tenant, form)).body.active).toBe(true)
    expect((await ask(tenant, form)).status).toBe(401)
  })

  it('no token, a query, or another media type is invalid_request', async () => {
    expect(await ask(tenant, asPost(tenant))).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    const url = `${tenant.issuer}/introspect`
    const body = new URLSearchParams({ ...asPost(tenant), token: 'x' })
    expect((await fetch(`${url}?a=b`, { method: 'POST', body })).status).toBe(400)
    const json = { 'Content-Type': 'application/json' }
    expect((await fetch(url, { method: 'POST', headers: json, body: '{}' })).status).toBe(400)
    expect((await fetch(url, { method: 'POST', body: 'a'.repeat(20_000) })).status).toBe(413)
  })
})
