import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { KeyriteError } from '../../../shared/errors.ts'
import {
  API,
  askToken,
  GRANT,
  makeKey,
  OTHER_API,
  SPECS,
  startIssuer,
  type TestIssuer,
  type TestTenant,
} from './service.ts'

const NAMES = Object.keys(SPECS) as (keyof typeof SPECS)[]
const insecure = { [oauth.allowInsecureRequests]: true }

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await startIssuer(NAMES)
})
afterAll(() => issuer.server.close())

const ask = (form: Record<string, string> = GRANT, tenant: TestTenant = issuer.tenant('initech')) =>
  askToken(tenant, form, { Authorization: tenant.basic() })

describe.each(NAMES)('%s', (name) => {
  it('an independent library takes the token through discovery and JWKS (RFC 9068 section 4)', async () => {
    const tenant = issuer.tenant(name)
    const url = new URL(tenant.issuer)
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
    const client = { client_id: 'basic' }
    const auth = oauth.ClientSecretBasic(tenant.secretOf('basic'))
    const answer = await oauth.clientCredentialsGrantRequest(server, client, auth, { audience: OTHER_API }, insecure)
    const { access_token } = await oauth.processClientCredentialsResponse(server, client, answer)
    const request = new Request(`${OTHER_API}/orders`, { headers: { Authorization: `Bearer ${access_token}` } })
    const claims = await oauth.validateJwtAccessToken(server, request, OTHER_API, insecure)
    expect(claims).toMatchObject({ iss: tenant.issuer, sub: 'basic', client_id: 'basic', aud: OTHER_API })
  })

  it('jose takes the token through its remote key set', async () => {
    const tenant = issuer.tenant(name)
    const keys = createRemoteJWKSet(new URL(`${tenant.issuer}/.well-known/jwks.json`))
    const { body } = await ask(GRANT, tenant)
    const options = { issuer: tenant.issuer, audience: API, typ: 'at+jwt', algorithms: [SPECS[name]] }
    const { payload } = await jwtVerify(String(body.access_token), keys, options)
    expect(payload.sub).toBe('basic')
  })
})

describe('access tokens (RFC 9068 section 2)', () => {
  it('header and claims are exactly these', async () => {
    const tenant = issuer.tenant('initech')
    const before = issuer.service.now()
    const { body } = await ask()
    const token = String(body.access_token)
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: tenant.keys[0]?.published.kid })
    const { iat = 0, exp = 0, jti = '', ...rest } = decodeJwt(token)
    expect(rest).toEqual({
      iss: tenant.issuer,
      sub: 'basic',
      client_id: 'basic',
      aud: API,
      scope: 'orders:read orders:write',
    })
    expect(iat).toBeGreaterThanOrEqual(before)
    expect(exp - iat).toBe(600)
    expect(jti).toMatch(/^[\w-]{22}$/)
  })

  it('every jti is another one', async () => {
    const tokens = await Promise.all(Array.from({ length: 300 }, () => ask()))
    expect(new Set(tokens.map(({ body }) => decodeJwt(String(body.access_token)).jti)).size).toBe(300)
  })

  it('the policy bounds the lifetime of every client', async () => {
    const tenant = issuer.add('short', 'ES256')
    tenant.accessTokenLifetime = 120
    const { body } = await ask(GRANT, tenant)
    const { iat = 0, exp = 0 } = decodeJwt(String(body.access_token))
    expect([body.expires_in, exp - iat]).toEqual([120, 120])
  })

  it('a client may have another algorithm than the default', async () => {
    const tenant = issuer.add('mixed', 'ES256')
    tenant.keys = [...tenant.keys, makeKey('Ed25519')]
    const client = tenant.clients.get('post')
    if (client) client.algorithm = 'Ed25519'
    const post = await askToken(tenant, { ...GRANT, client_id: 'post', client_secret: tenant.secretOf('post') })
    const basic = await ask(GRANT, tenant)
    const algs = [post, basic].map(({ body }) => decodeProtectedHeader(String(body.access_token)).alg)
    expect(algs).toEqual(['Ed25519', 'ES256'])
  })
})

describe('the answer (RFC 6749 section 5)', () => {
  it('section 5.1: members, application/json, no-store, no-cache', async () => {
    const { status, headers, body } = await ask()
    expect(status).toBe(200)
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'orders:read orders:write',
    })
    expect(headers.get('content-type')).toBe('application/json')
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
  })

  it('section 3.3: a subset of the scopes, in the order asked for', async () => {
    for (const scope of ['orders:read', 'orders:write orders:read']) {
      const { body } = await ask({ ...GRANT, scope })
      expect([body.scope, decodeJwt(String(body.access_token)).scope]).toEqual([scope, scope])
    }
  })

  it('a client without scopes gets a token without the claim', async () => {
    const tenant = issuer.add('scopeless', 'ES256')
    const client = tenant.clients.get('basic')
    if (client) client.scopes = []
    const { body } = await ask(GRANT, tenant)
    expect(body).not.toHaveProperty('scope')
    expect(decodeJwt(String(body.access_token))).not.toHaveProperty('scope')
    expect((await ask({ ...GRANT, scope: 'orders:read' }, tenant)).body.error).toBe('invalid_scope')
  })

  it("RFC 8707 section 2: audience or resource, one of the client's", async () => {
    for (const name of ['audience', 'resource']) {
      const { body } = await ask({ ...GRANT, [name]: OTHER_API })
      expect(decodeJwt(String(body.access_token)).aud).toBe(OTHER_API)
    }
  })

  it('parameters that are not known are ignored (section 3.2), also ones that objects have', async () => {
    expect((await ask({ ...GRANT, __proto__x: '1', constructor: 'x', foo: 'bar' })).status).toBe(200)
  })

  it('no key may sign: 503, temporarily_unavailable, Retry-After; discovery and JWKS keep serving', async () => {
    const tenant = issuer.add('expired', 'ES256')
    tenant.maySign = false
    const { status, headers, body } = await ask(GRANT, tenant)
    expect([status, body.error]).toEqual([503, 'temporarily_unavailable'])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    for (const path of ['jwks.json', 'openid-configuration'])
      expect((await fetch(`${tenant.issuer}/.well-known/${path}`)).status).toBe(200)
    expect((await ask()).status).toBe(200)
  })
})

describe('the issuance log', () => {
  it('says of each token what was granted to whom, with its jti, and never the token', async () => {
    const tenant = issuer.add('logged', 'ES256')
    const { body } = await ask({ ...GRANT, scope: 'orders:read' }, tenant)
    const { iat, exp, jti } = decodeJwt(String(body.access_token))
    const kid = tenant.keys[0]?.published.kid
    expect(tenant.log).toEqual([{ at: iat, jti, clientId: 'basic', audience: API, scope: 'orders:read', kid, exp }])
  })

  it('a token is handed out only after it is in the log', async () => {
    const tenant = issuer.add('waiting', 'ES256')
    let written = () => {}
    tenant.record = () => new Promise((resolve) => (written = resolve))
    let answered = false
    const answer = ask(GRANT, tenant).finally(() => (answered = true))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(answered).toBe(false)
    written()
    expect((await answer).status).toBe(200)
  })

  it('many requests wait for one write together', async () => {
    const tenant = issuer.add('grouped', 'ES256')
    const waiting: (() => void)[] = []
    tenant.record = () => new Promise((resolve) => waiting.push(resolve))
    const answers = Array.from({ length: 30 }, () => ask(GRANT, tenant))
    await expect.poll(() => waiting.length).toBe(30)
    for (const resolve of waiting) resolve()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(30).fill(200))
  })

  it('what cannot be recorded is not handed out: 503, the log is told, nothing of the failure', async () => {
    const tenant = issuer.add('full', 'ES256')
    tenant.record = async () => {
      throw new KeyriteError('medium-full', 'The disk is full.')
    }
    const { status, headers, body } = await ask(GRANT, tenant)
    expect([status, body.error]).toEqual([503, 'temporarily_unavailable'])
    expect(JSON.stringify(body)).not.toMatch(/eyJ|disk/)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(issuer.log.at(-1)).toBe('full token: The disk is full. (medium-full)')
    for (const one of await Promise.all(Array.from({ length: 50 }, () => ask(GRANT, tenant))))
      expect(one.status).toBe(503)
  })
})

describe('while nothing may be signed', () => {
  afterEach(() => {
    issuer.service.stopped = null
  })

  it('503 with Retry-After for everybody, without the reason; discovery and both key sets keep serving', async () => {
    const tenant = issuer.add('replica', 'ES256')
    issuer.service.stopped = 'canary: the store is away'
    for (const path of ['token', 'introspect']) {
      const response = await fetch(`${tenant.issuer}/${path}`, { method: 'POST', body: new URLSearchParams(GRANT) })
      const text = await response.text()
      expect([response.status, JSON.parse(text).error]).toEqual([503, 'temporarily_unavailable'])
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(text).not.toContain('canary')
    }
    for (const file of ['jwks.json', 'jwks.jwt', 'openid-configuration'])
      expect((await fetch(`${tenant.issuer}/.well-known/${file}`)).status).toBe(200)
    issuer.service.stopped = null
    expect((await ask(GRANT, tenant)).status).toBe(200)
  })

  it('a request that was under way signs nothing any more', async () => {
    const tenant = issuer.add('overtaken', 'ES256')
    const { signer } = tenant
    tenant.signer = async (algorithm) => {
      issuer.service.stopped = 'the store is away'
      return signer.call(tenant, algorithm)
    }
    expect((await ask(GRANT, tenant)).status).toBe(503)
    expect(tenant.log).toEqual([])
  })
})

describe('what is read from the store first', () => {
  it('serves as what is in memory', async () => {
    const tenant = issuer.add('slow', 'ES256')
    const { client, signer } = tenant
    tenant.client = async (clientId) => client.call(tenant, clientId)
    tenant.signer = async (algorithm) => signer.call(tenant, algorithm)
    expect((await ask(GRANT, tenant)).status).toBe(200)
    const unknown = await askToken(tenant, GRANT, { Authorization: tenant.basic('nobody', 'x') })
    expect(unknown.status).toBe(401)
    tenant.maySign = false
    expect((await ask(GRANT, tenant)).status).toBe(503)
  })
})

describe('names that older verifiers want', () => {
  it('typ JWT where the tenant says so, from the next token on', async () => {
    const tenant = issuer.add('frameworks', 'ES256')
    const typ = async () => decodeProtectedHeader(String((await ask(GRANT, tenant)).body.access_token)).typ
    expect(await typ()).toBe('at+jwt')
    tenant.tokenType = 'JWT'
    expect(await typ()).toBe('JWT')
  })

  it('alg EdDSA where the published key says so, and jose takes the token', async () => {
    const tenant = issuer.add('eddsa', 'Ed25519')
    tenant.keys = tenant.keys.map((key) => ({ ...key, published: { ...key.published, alg: 'EdDSA' } }))
    const token = String((await ask(GRANT, tenant)).body.access_token)
    expect(decodeProtectedHeader(token).alg).toBe('EdDSA')
    const keys = createRemoteJWKSet(new URL(`${tenant.issuer}/.well-known/jwks.json`))
    expect((await jwtVerify(token, keys, { issuer: tenant.issuer })).payload.sub).toBe('basic')
  })
})

describe('errors (RFC 6749 section 5.2)', () => {
  it.each([
    ['no grant_type', {}, 'invalid_request'],
    ['an empty grant_type', { grant_type: '' }, 'invalid_request'],
    ['another grant', { grant_type: 'authorization_code' }, 'unsupported_grant_type'],
    ['password', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('%s', async (_what, form, error) => {
    const { status, headers, body } = await ask(form as Record<string, string>)
    expect([status, body.error]).toEqual([400, error])
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
    expect(Object.keys(body)).toEqual(['error', 'error_description'])
  })

  it('another media type, or none, is invalid_request', async () => {
    const tenant = issuer.tenant('initech')
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', ';;;']) {
      const headers = { Authorization: tenant.basic(), 'Content-Type': type }
      const { status, body } = await askToken(tenant, 'grant_type=client_credentials', headers)
      expect([type, status, body.error]).toEqual([type, 400, 'invalid_request'])
    }
  })

  it('section 2.3.1: parameters in the request URI are refused', async () => {
    const tenant = issuer.tenant('initech')
    const response = await fetch(`${tenant.issuer}/token?scope=orders:read`, {
      method: 'POST',
      headers: { Authorization: tenant.basic(), 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    })
    expect([response.status, (await response.json()).error]).toEqual([400, 'invalid_request'])
  })
})
