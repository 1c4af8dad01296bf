import { randomBytes } from 'node:crypto'
import { importPKCS8 } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  askToken,
  assertionForm,
  GRANT,
  makeAssertion,
  makeKey,
  SPECS,
  startIssuer,
  type TestIssuer,
  type TestTenant,
} from './service.ts'

let issuer: TestIssuer
let tenant: TestTenant
beforeAll(async () => {
  issuer = await startIssuer(['initech'])
  tenant = issuer.tenant('initech')
})
afterAll(() => issuer.server.close())

const encode = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
const refused = { error: 'invalid_client', error_description: 'Client authentication failed.' }

describe('client_secret_basic (RFC 6749 section 2.3.1)', () => {
  it('id and secret are form-urlencoded before they are joined', async () => {
    tenant.addSecretClient('a:b c%+', 'client_secret_basic')
    const secret = tenant.secretOf('a:b c%+')
    const { status } = await askToken(tenant, GRANT, { Authorization: encode(`a%3Ab+c%25%2B:${secret}`) })
    expect(status).toBe(200)
  })

  it('the scheme is compared without regard to case', async () => {
    const Authorization = tenant.basic().replace('Basic', 'bAsIc')
    expect((await askToken(tenant, GRANT, { Authorization })).status).toBe(200)
  })

  it('the same client_id may stand in the body as well, another may not', async () => {
    const headers = { Authorization: tenant.basic() }
    expect((await askToken(tenant, { ...GRANT, client_id: 'basic' }, headers)).status).toBe(200)
    expect((await askToken(tenant, { ...GRANT, client_id: 'post' }, headers)).body.error).toBe('invalid_request')
  })

  it.each([
    ['a wrong secret', () => tenant.basic('basic', 'wrong')],
    ['an empty secret', () => tenant.basic('basic', '')],
    ['an unknown client', () => tenant.basic('nobody', 'wrong')],
    ['a client registered for another method', () => tenant.basic('post')],
    ['another scheme', () => 'Bearer abc'],
    ['no credentials', () => 'Basic'],
    ['an id of 300 characters', () => tenant.basic('x'.repeat(300), 'x')],
    ['an id with a control character', () => encode('a\u0001b:x')],
    ['__proto__', () => tenant.basic('__proto__', 'x')],
  ])('%s: the same invalid_client, 401 with WWW-Authenticate', async (_what, authorization) => {
    const { status, headers, body } = await askToken(tenant, GRANT, { Authorization: authorization() })
    expect([status, body]).toEqual([401, refused])
    expect(headers.get('www-authenticate')).toBe(`Basic realm="${tenant.issuer}", charset="UTF-8"`)
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it.each([
    ['base64 with stray bits', 'Basic YTpiYQ=='.replace('YQ', 'YR')],
    ['base64 without its padding', 'Basic YTpi'.concat('Yw')],
    ['no colon', encode('abc')],
    ['no id', encode(':secret')],
    ['a malformed percent-encoding', encode('a%zz:secret')],
  ])('%s: invalid_request', async (_what, Authorization) => {
    expect((await askToken(tenant, GRANT, { Authorization })).body.error).toBe('invalid_request')
  })
})

describe('client_secret_post', () => {
  it('is taken from the client registered for it, by an independent library', async () => {
    const url = new URL(tenant.issuer)
    const insecure = { [oauth.allowInsecureRequests]: true }
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
    const auth = oauth.ClientSecretPost(tenant.secretOf('post'))
    const client = { client_id: 'post' }
    const answer = await oauth.clientCredentialsGrantRequest(server, client, auth, {}, insecure)
    expect((await oauth.processClientCredentialsResponse(server, client, answer)).token_type).toBe('bearer')
  })

  it.each([
    ['a wrong secret', () => ({ client_id: 'post', client_secret: 'wrong' })],
    ['an unknown client', () => ({ client_id: 'nobody', client_secret: 'wrong' })],
    ['a client registered for Basic', () => ({ client_id: 'basic', client_secret: tenant.secretOf('basic') })],
    ['no client_id', () => ({ client_secret: tenant.secretOf('post') })],
    ['no authentication at all', () => ({ client_id: 'post' })],
    ['an empty secret', () => ({ client_id: 'post', client_secret: '' })],
  ])('%s: the same invalid_client', async (_what, form) => {
    const { status, body } = await askToken(tenant, { ...GRANT, ...form() })
    expect([status, body]).toEqual([401, refused])
  })
})

describe('private_key_jwt (RFC 7523)', () => {
  it.each(Object.values(SPECS))('%s assertions are taken', async (spec) => {
    const key = tenant.addKeyClient(`jwt-${spec}`, spec)
    const { status } = await askToken(tenant, assertionForm(await makeAssertion(tenant, `jwt-${spec}`, key)))
    expect(status).toBe(200)
  })

  it('an independent library makes assertions that are taken', async () => {
    const key = tenant.addKeyClient('library', 'ES256')
    const url = new URL(tenant.issuer)
    const insecure = { [oauth.allowInsecureRequests]: true }
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
    const pem = key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    const auth = oauth.PrivateKeyJwt({ key: await importPKCS8(pem, 'ES256'), kid: key.published.kid })
    const answer = await oauth.clientCredentialsGrantRequest(server, { client_id: 'library' }, auth, {}, insecure)
    expect(answer.status).toBe(200)
  })

  it('section 3: the audience is the issuer, the token endpoint, or both', async () => {
    const key = tenant.addKeyClient('audience', 'ES256')
    const endpoint = `${tenant.issuer}/token`
    for (const aud of [tenant.issuer, endpoint, [tenant.issuer], [tenant.issuer, endpoint]])
      expect(
        (await askToken(tenant, assertionForm(await makeAssertion(tenant, 'audience', key, { aud })))).status,
      ).toBe(200)
  })

  it('the jti is remembered for as long as the assertion could be taken', async () => {
    const key = tenant.addKeyClient('memory', 'ES256')
    const exp = issuer.service.now() + 300
    await askToken(tenant, assertionForm(await makeAssertion(tenant, 'memory', key, { exp, jti: 'one' })))
    expect(tenant.used.get('["memory","one"]')).toBeGreaterThanOrEqual(exp)
  })

  it('without a kid, the one key of that algorithm is meant', async () => {
    const key = tenant.addKeyClient('kidless', 'ES256')
    const assertion = () => makeAssertion(tenant, 'kidless', key, {}, { kid: undefined })
    expect((await askToken(tenant, assertionForm(await assertion()))).status).toBe(200)
    const client = tenant.clients.get('kidless')
    client?.jwks.push(makeKey('ES256').published)
    expect((await askToken(tenant, assertionForm(await assertion()))).status).toBe(401)
  })

  const now = () => issuer.service.now()
  it.each([
    ['iss is another', () => ({ iss: 'basic' })],
    ['sub is another', () => ({ sub: 'basic' })],
    ['both are an unknown client', () => ({ iss: 'nobody', sub: 'nobody' })],
    ['both are a client with a secret', () => ({ iss: 'basic', sub: 'basic' })],
    ['no aud', () => ({ aud: undefined })],
    ['aud of another server', () => ({ aud: 'https://other.example' })],
    ['aud also of another server', () => ({ aud: [tenant.issuer, 'https://other.example'] })],
    ['aud with a trailing slash', () => ({ aud: `${tenant.issuer}/` })],
    ['an empty aud', () => ({ aud: [] })],
    ['no exp', () => ({ exp: undefined })],
    ['exp as text', () => ({ exp: String(now() + 60) })],
    ['exp in the past', () => ({ exp: now() - 61 })],
    ['exp more than 10 minutes ahead', () => ({ exp: now() + 605 })],
    ['nbf ahead', () => ({ nbf: now() + 120 })],
    ['iat ahead', () => ({ iat: now() + 120 })],
    ['iat long ago', () => ({ iat: now() - 3600 })],
    ['no jti', () => ({ jti: undefined })],
    ['an empty jti', () => ({ jti: '' })],
    ['a jti of 1 MB', () => ({ jti: 'x'.repeat(2000) })],
  ])('%s: invalid_client, and no jti is used up', async (_what, claims) => {
    const key = tenant.addKeyClient('strict', 'ES256')
    const used = tenant.used.size
    const { status, body } = await askToken(tenant, assertionForm(await makeAssertion(tenant, 'strict', key, claims())))
    expect([status, body]).toEqual([401, refused])
    expect(tenant.used.size).toBe(used)
  })

  it.each([
    ['another assertion type', { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }],
    ['no assertion type', { client_assertion_type: '' }],
    ['no assertion', { client_assertion: '' }],
    ['a client_id that is not the subject', { client_id: 'basic' }],
    ['something that is not a JWT', { client_assertion: 'abc' }],
    ['something huge', { client_assertion: 'A'.repeat(12_000) }],
  ])('%s: invalid_client', async (_what, change) => {
    const key = tenant.addKeyClient('typed', 'ES256')
    const form = assertionForm(await makeAssertion(tenant, 'typed', key))
    const { status, body } = await askToken(tenant, { ...form, ...change })
    expect([status, body]).toEqual([401, refused])
  })

  it('a client registered for private_key_jwt cannot use a secret', async () => {
    tenant.addKeyClient('no-secret', 'ES256')
    for (const secret of ['', 'null', 'A'.repeat(43), randomBytes(32).toString('base64url')]) {
      const { status } = await askToken(tenant, GRANT, { Authorization: tenant.basic('no-secret', secret) })
      expect(status).toBe(401)
    }
  })

  it('an unknown client costs about what a known one does', async () => {
    const key = tenant.addKeyClient('timed', 'PS256')
    const times: Record<string, number[]> = { timed: [], nobody: [] }
    for (let round = 0; round < 40; round++)
      for (const [clientId, all] of Object.entries(times)) {
        const form = assertionForm(await makeAssertion(tenant, clientId, key))
        const started = performance.now()
        await askToken(tenant, { ...form, scope: 'not-granted' })
        all.push(performance.now() - started)
      }
    const middle = (all: number[] = []) => all.toSorted((a, b) => a - b)[20] ?? 0
    const ratio = middle(times.nobody) / middle(times.timed)
    expect(ratio).toBeGreaterThan(0.4)
    expect(ratio).toBeLessThan(2.5)
  })
})
