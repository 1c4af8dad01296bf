import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SPECS, startIssuer, type TestIssuer, type TestTenant } from './service.ts'

let issuer: TestIssuer
beforeAll(async () => {
  issuer = await startIssuer(['acme', 'initech'])
})
afterAll(() => issuer.server.close())

const insecure = { [oauth.allowInsecureRequests]: true }

describe('discovery', () => {
  it.each(['oidc', 'oauth2'] as const)('an independent library discovers each tenant by %s', async (algorithm) => {
    for (const name of ['acme', 'initech'] as const) {
      const url = new URL(issuer.tenant(name).issuer)
      const response = await oauth.discoveryRequest(url, { algorithm, ...insecure })
      const server = await oauth.processDiscoveryResponse(url, response)
      expect(server.issuer).toBe(issuer.tenant(name).issuer)
      expect(server.id_token_signing_alg_values_supported).toEqual([SPECS[name]])
    }
  })

  it('OpenID Connect Discovery section 3 and RFC 8414 section 2: exactly these members', async () => {
    const { issuer: iss } = issuer.tenant('acme')
    const openid = await fetch(`${iss}/.well-known/openid-configuration`)
    const oauth2 = await fetch(`${issuer.server.url}/.well-known/oauth-authorization-server/t/acme`)
    const document = await openid.json()
    expect(document).toEqual({
      issuer: iss,
      jwks_uri: `${iss}/.well-known/jwks.json`,
      signed_jwks_uri: `${iss}/.well-known/jwks.jwt`,
      token_endpoint: `${iss}/token`,
      introspection_endpoint: `${iss}/introspect`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      introspection_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519'],
    })
    expect(await oauth2.json()).toEqual(document)
    expect(openid.headers.get('content-type')).toBe('application/json')
    expect(openid.headers.get('access-control-allow-origin')).toBe('*')
  })

  const read = async (tenant: TestTenant, headers: Record<string, string> = {}) =>
    fetch(`${tenant.issuer}/.well-known/openid-configuration`, { headers })

  it('OpenID Federation section 5.1.1: the historical keys endpoint stands there as soon as there is one', async () => {
    const tenant = issuer.add('history', 'ES256')
    expect(await (await read(tenant)).json()).not.toHaveProperty('federation_historical_keys_endpoint')
    tenant.historicalSet = async () => 'e30.e30.e30'
    expect((await (await read(tenant)).json()).federation_historical_keys_endpoint).toBe(
      `${tenant.issuer}/.well-known/historical-keys.jwt`,
    )
  })

  it('names Ed25519 as the published key does', async () => {
    const tenant = issuer.add('older', 'Ed25519')
    const names = async () => (await (await read(tenant)).json()).id_token_signing_alg_values_supported
    expect(await names()).toEqual(['Ed25519'])
    tenant.keys = tenant.keys.map((key) => ({ ...key, published: { ...key.published, alg: 'EdDSA' } }))
    expect(await names()).toEqual(['EdDSA'])
  })

  it('has an ETag, and the one of another tenant does not match', async () => {
    const [acme, initech] = [issuer.tenant('acme'), issuer.tenant('initech')]
    const etag = (await read(acme)).headers.get('etag') ?? ''
    expect((await read(acme, { 'If-None-Match': etag })).status).toBe(304)
    expect((await read(initech, { 'If-None-Match': etag })).status).toBe(200)
  })

  it('an issuer that is a bare host has its documents at the root', async () => {
    const tenant = issuer.add('root', 'ES256')
    issuer.service.tenants.set(issuer.server.url, tenant)
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const response = await fetch(`${issuer.server.url}/.well-known/${name}`)
      expect((await response.json()).issuer).toBe(tenant.issuer)
    }
  })
})
