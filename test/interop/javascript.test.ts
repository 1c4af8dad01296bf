import { createRemoteJWKSet, customFetch, errors, importPKCS8, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { describe, expect, it } from 'vitest'
import { KEY_SPECS } from '../../shared/domain/algorithms.ts'
import { API, type Interop, NAMES, partOf, spoiled, startWorld, tokenOf } from './world.ts'

/** Libraries of JavaScript against a real runtime: a token of each algorithm, before and after its keys changed. */

const insecure = { [oauth.allowInsecureRequests]: true } as const

describe('what libraries need of the documents', () => {
  it('200 without a redirect, the content types, and https-ready names that begin with the issuer', async () => {
    const { tenants } = await startWorld(['acme', 'initech'])
    for (const { issuer, jwksUri } of tenants) {
      const { pathname, origin } = new URL(issuer)
      const types = {
        [`${issuer}/.well-known/openid-configuration`]: 'application/json',
        [`${origin}/.well-known/oauth-authorization-server${pathname}`]: 'application/json',
        [jwksUri]: 'application/json',
        [`${issuer}/.well-known/jwks.jwt`]: 'application/jwk-set+jwt',
      }
      for (const [url, type] of Object.entries(types)) {
        const response = await fetch(url, { redirect: 'manual' })
        expect([url, response.status, response.headers.get('content-type')]).toEqual([url, 200, type])
      }
      const document = (await (
        await fetch(`${issuer}/.well-known/openid-configuration`)
      ).json()) as oauth.AuthorizationServer
      expect(document).toMatchObject({ issuer, jwks_uri: jwksUri, token_endpoint: `${issuer}/token` })
    }
  })

  it('a token says at+jwt, its kid and exactly its issuer; the key of that kid says alg and use', async () => {
    const { tenants } = await startWorld()
    for (const tenant of tenants) {
      const token = await tokenOf(tenant)
      const { alg } = KEY_SPECS[tenant.spec]
      expect(partOf(token, 0)).toEqual({ alg, typ: 'at+jwt', kid: tenant.kids[0] })
      expect(partOf(token, 1)).toMatchObject({ iss: tenant.issuer, aud: API, client_id: 'basic', sub: 'basic' })
      const set = (await (await fetch(tenant.jwksUri)).json()) as { keys: Record<string, string>[] }
      expect(set.keys.map(({ kid, use, alg }) => ({ kid, use, alg }))).toEqual(
        tenant.kids.map((kid) => ({ kid, use: 'sig', alg })),
      )
    }
  })
})

describe('jose', () => {
  /** Counts what the key set is asked for. */
  function remote({ jwksUri }: Interop) {
    let fetches = 0
    const counted = (url: string, options: RequestInit) => {
      fetches++
      return fetch(url, options)
    }
    return { keys: createRemoteJWKSet(new URL(jwksUri), { [customFetch]: counted }), fetches: () => fetches }
  }
  const options = ({ issuer }: Interop) => ({ issuer, audience: API, typ: 'at+jwt' })

  it('createRemoteJWKSet and jwtVerify: accepted at its issuer through a rotation, with one fetch', async () => {
    const { tenants, rotate } = await startWorld()
    const sets = tenants.map(remote)
    const old = await Promise.all(tenants.map((tenant) => tokenOf(tenant)))
    const check = async (tokens: string[], at: number) => {
      for (const [index, tenant] of tenants.entries()) {
        const { keys, fetches } = sets[index] ?? remote(tenant)
        const token = tokens[index] ?? ''
        const { payload, protectedHeader } = await jwtVerify(token, keys, options(tenant))
        expect([payload.iss, protectedHeader.kid, fetches()]).toEqual([tenant.issuer, tenant.kids[at], 1])
        await expect(jwtVerify(spoiled(token), keys, options(tenant))).rejects.toThrow(
          errors.JWSSignatureVerificationFailed,
        )
      }
    }
    await check(old, 0)
    await rotate()
    await check(await Promise.all(tenants.map((tenant) => tokenOf(tenant))), 1)
    await check(old, 0)
  })

  it('refused at every other tenant: no such key there; with its own key, not its issuer', async () => {
    const { tenants } = await startWorld()
    for (const tenant of tenants) {
      const token = await tokenOf(tenant)
      for (const other of tenants.filter((one) => one !== tenant)) {
        await expect(jwtVerify(token, remote(other).keys, options(other))).rejects.toThrow(errors.JWKSNoMatchingKey)
        await expect(jwtVerify(token, remote(tenant).keys, options(other))).rejects.toThrow(
          errors.JWTClaimValidationFailed,
        )
      }
    }
  })
})

describe('openid-client', () => {
  const execute = [client.allowInsecureRequests]
  async function grants(tenant: Interop): Promise<string[]> {
    const url = new URL(tenant.issuer)
    const { alg } = KEY_SPECS[tenant.spec]
    const pem = tenant.key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    const auth = client.PrivateKeyJwt({ key: await importPKCS8(pem, alg), kid: tenant.key.kid })
    const configurations = [
      await client.discovery(url, 'basic', undefined, client.ClientSecretBasic(tenant.secret), { execute }),
      await client.discovery(url, 'signed', undefined, auth, { execute }),
      await client.discovery(url, 'signed', undefined, auth, { execute, algorithm: 'oauth2' }),
    ]
    const answers = await Promise.all(
      configurations.map((one) => client.clientCredentialsGrant(one, { scope: 'orders:read', resource: API })),
    )
    for (const answer of answers) expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 3600 })
    return answers.map((answer) => answer.access_token)
  }

  it.each(NAMES)('%s: discovery and clientCredentialsGrant, with a secret and with private_key_jwt', async (name) => {
    const world = await startWorld([name, name === 'acme' ? 'initech' : 'acme'])
    const tenant = world.tenant(name)
    const keys = createRemoteJWKSet(new URL(tenant.jwksUri))
    for (const kid of tenant.kids) {
      const tokens = await grants(tenant)
      expect(tokens.map((token) => partOf(token, 1).client_id)).toEqual(['basic', 'signed', 'signed'])
      for (const token of tokens) {
        const { protectedHeader } = await jwtVerify(token, keys, { issuer: tenant.issuer, audience: API })
        expect(protectedHeader.kid).toBe(kid)
      }
      await world.rotate()
    }
  })

  it('a client of one tenant is nobody at another; a document of another issuer is refused', async () => {
    const world = await startWorld(['acme', 'initech'])
    const [tenant, other] = [world.tenant('acme'), world.tenant('initech')]
    const auth = client.ClientSecretBasic(tenant.secret)
    const there = await client.discovery(new URL(other.issuer), 'basic', undefined, auth, { execute })
    await expect(client.clientCredentialsGrant(there)).rejects.toMatchObject({ status: 401 })
    const swapped = client.discovery(new URL(tenant.issuer), 'basic', undefined, auth, {
      execute,
      [client.customFetch]: (_url: string, options: object) =>
        fetch(`${other.issuer}/.well-known/openid-configuration`, options),
    })
    await expect(swapped).rejects.toMatchObject({ code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' })
  })
})

describe('oauth4webapi', () => {
  const discover = async ({ issuer }: Interop, algorithm: 'oidc' | 'oauth2' = 'oidc') => {
    const url = new URL(issuer)
    return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm, ...insecure }))
  }
  const resource = (token: string) => new Request(`${API}/orders`, { headers: { authorization: `Bearer ${token}` } })
  async function grant(server: oauth.AuthorizationServer, tenant: Interop): Promise<string> {
    const auth = oauth.ClientSecretBasic(tenant.secret)
    const known = { client_id: 'basic' }
    const answer = await oauth.clientCredentialsGrantRequest(server, known, auth, {}, insecure)
    return (await oauth.processClientCredentialsResponse(server, known, answer)).access_token
  }

  it('discovery, grant and validateJwtAccessToken (RFC 9068) through a rotation', async () => {
    const { tenants, rotate } = await startWorld()
    const servers = await Promise.all(
      tenants.map((tenant, index) => discover(tenant, index % 2 === 0 ? 'oidc' : 'oauth2')),
    )
    const old: string[] = []
    for (const at of [0, 1]) {
      for (const [index, tenant] of tenants.entries()) {
        const server = servers[index] ?? (await discover(tenant))
        const token = await grant(server, tenant)
        old.push(token)
        const claims = await oauth.validateJwtAccessToken(server, resource(token), API, insecure)
        expect([claims.iss, claims.client_id, partOf(token, 0).kid]).toEqual([tenant.issuer, 'basic', tenant.kids[at]])
        const before = await oauth.validateJwtAccessToken(server, resource(old[index] ?? ''), API, insecure)
        expect(before.iss).toBe(tenant.issuer)
        await expect(
          oauth.validateJwtAccessToken(server, resource(spoiled(token)), API, insecure),
        ).rejects.toMatchObject({ code: 'OAUTH_INVALID_RESPONSE' })
      }
      await rotate()
    }
  })

  it('refused at every other tenant, and for another audience', async () => {
    const { tenants } = await startWorld()
    for (const tenant of tenants) {
      const token = await tokenOf(tenant)
      const own = await discover(tenant)
      for (const other of tenants.filter((one) => one !== tenant)) {
        const server = await discover(other)
        await expect(oauth.validateJwtAccessToken(server, resource(token), API, insecure)).rejects.toThrow()
      }
      const elsewhere = oauth.validateJwtAccessToken(own, resource(token), 'https://other.example.com', insecure)
      await expect(elsewhere).rejects.toThrow()
    }
  })
})
