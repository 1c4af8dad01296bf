import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { expect, it, type TestContext } from 'vitest'
import { DAY } from '../../shared/domain/policy.ts'
import { policyWith } from '../issuer/fixtures.ts'
import { type Fetch, startNginx } from './nginx-proxy.ts'
import { programOf } from './tools.ts'
import { API, type Interop, moveTo, partOf, serve, startWorld } from './world.ts'

/** nginx in front of a production runtime: TLS ends there, documents are cached there, and it decides nothing. */

/** One issuer with a host of its own, two on one host by path. */
const HOSTS = { acme: 'acme.example.com', initech: 'id.example.com', wayne: 'id.example.com' }
const issuerOf = (tenant: string) =>
  tenant === 'acme' ? 'https://acme.example.com' : `https://id.example.com/t/${tenant}`
const production = { practice: false, issuerOf }

function nginxOf(ctx: TestContext): string {
  const nginx = programOf(['/usr/sbin/nginx', 'nginx'], ['-v'])
  if (!nginx) return ctx.skip('no nginx')
  return programOf(['openssl'], ['version']) ? nginx : ctx.skip('no openssl command to make a certificate')
}

const start = (ctx: TestContext, url: string, change?: (configuration: string) => string) =>
  startNginx(nginxOf(ctx), new URL(url).host, [...new Set(Object.values(HOSTS))], change)

/** Asks the runtime itself, as nginx does. */
const direct = (url: string, { host, pathname }: URL): Promise<{ headers: Record<string, unknown>; body: string }> =>
  new Promise((resolve, reject) => {
    const sent = request(new URL(pathname, url), { headers: { host } }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => resolve({ headers: answer.headers, body }))
    })
    sent.on('error', reject).end()
  })

async function tokenThrough(fetchThrough: Fetch, { issuer, secret }: Interop): Promise<string> {
  const url = new URL(issuer)
  const options = { [oauth.customFetch]: fetchThrough }
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options))
  const client = { client_id: 'basic' }
  const auth = oauth.ClientSecretBasic(secret)
  const answer = await oauth.clientCredentialsGrantRequest(server, client, auth, {}, options)
  return (await oauth.processClientCredentialsResponse(server, client, answer)).access_token
}

const remote = ({ jwksUri }: Interop, fetchThrough: Fetch) =>
  createRemoteJWKSet(new URL(jwksUri), { [customFetch]: (url, options) => fetchThrough(url, options) })

it('discovery, key sets and signed key sets are byte-identical, fresh and from its cache', async (ctx) => {
  const { tenants, url } = await startWorld(['acme', 'initech', 'wayne'], production)
  const fetchThrough = await start(ctx, url)
  for (const { issuer } of tenants) {
    const { origin, pathname } = new URL(issuer)
    const inserted = `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`
    const names = ['openid-configuration', 'jwks.json', 'jwks.jwt'].map((name) => `${issuer}/.well-known/${name}`)
    for (const address of [...names, inserted]) {
      const own = await direct(url, new URL(address))
      for (const from of ['MISS', 'HIT']) {
        const answer = await fetchThrough(address)
        expect([address, answer.status, answer.headers.get('x-cache')]).toEqual([address, 200, from])
        expect(await answer.text()).toBe(own.body)
        for (const name of ['content-type', 'cache-control', 'etag', 'access-control-allow-origin'])
          expect([name, answer.headers.get(name)]).toEqual([name, own.headers[name] ?? null])
      }
    }
    const etag = (await fetchThrough(`${issuer}/.well-known/jwks.json`)).headers.get('etag') ?? ''
    const again = await fetchThrough(`${issuer}/.well-known/jwks.json`, { headers: { 'if-none-match': etag } })
    expect([again.status, again.headers.get('etag')]).toEqual([304, etag])
  }
})

it('tokens are asked for and verified through it, during a rotation; none is cached', async (ctx) => {
  const { tenants, url, rotate } = await startWorld(['acme', 'initech', 'wayne'], production)
  const fetchThrough = await start(ctx, url)
  const old: string[] = []
  for (const at of [0, 1]) {
    for (const [index, tenant] of tenants.entries()) {
      const keys = remote(tenant, fetchThrough)
      const token = await tokenThrough(fetchThrough, tenant)
      old.push(token)
      expect(await tokenThrough(fetchThrough, tenant)).not.toBe(token)
      const options = { issuer: tenant.issuer, audience: API, typ: 'at+jwt' }
      const { protectedHeader } = await jwtVerify(token, keys, options)
      expect(protectedHeader.kid).toBe(tenant.kids[at])
      expect((await jwtVerify(old[index] ?? '', keys, options)).payload.iss).toBe(tenant.issuer)
      for (const other of tenants.filter((one) => one !== tenant))
        await expect(jwtVerify(token, remote(other, fetchThrough), options)).rejects.toThrow(errors.JWKSNoMatchingKey)
    }
    await rotate()
  }
})

it('its cache ends with max-age, which ends at the next change of the key set', async (ctx) => {
  const { made, url, tenants, entries } = await serve([{ tenant: 'initech', policy: policyWith() }], production)
  const [tenant] = tenants
  const next = entries[0]?.keys[1]
  if (!tenant || !next) throw new Error('no tenant')
  const fetchThrough = await start(ctx, url)
  const kids = async () => {
    const answer = await fetchThrough(tenant.jwksUri)
    const { keys } = (await answer.json()) as { keys: { kid: string }[] }
    return [answer.headers.get('x-cache'), ...keys.map((key) => key.kid)]
  }
  await moveTo(made, next.announceAt - DAY)
  await moveTo(made, next.announceAt - 6)
  expect(await kids()).toEqual(['MISS', tenant.kids[0]])
  await moveTo(made, next.announceAt)
  expect(await kids()).toEqual(['HIT', tenant.kids[0]])
  await sleep(6500)
  expect(await kids()).toEqual(['EXPIRED', tenant.kids[0], tenant.kids[1]])
  expect(await kids()).toEqual(['HIT', tenant.kids[0], tenant.kids[1]])
})

it('no header moves a request to another issuer: it is the Host that nginx passes on, or 404', async (ctx) => {
  const { tenants, url } = await startWorld(['acme', 'initech'], production)
  const fetchThrough = await start(ctx, url)
  const [acme, initech] = tenants
  if (!acme || !initech) throw new Error('no tenants')
  const headers = {
    'x-forwarded-host': 'id.example.com',
    'x-forwarded-proto': 'http',
    'x-forwarded-prefix': '/t/initech',
    'x-original-url': '/t/initech/.well-known/openid-configuration',
    forwarded: 'host=id.example.com;proto=http',
  }
  for (const from of ['MISS', 'HIT']) {
    const answer = await fetchThrough(`${acme.issuer}/.well-known/openid-configuration`, { headers })
    expect(answer.headers.get('x-cache')).toBe(from)
    expect(await answer.json()).toMatchObject({ issuer: acme.issuer, jwks_uri: acme.jwksUri })
  }
  for (const host of ['evil.example.com', 'acme.example.com.evil.example', '127.0.0.1']) {
    const answer = await fetchThrough(acme.jwksUri, { headers: { host } })
    expect([host, answer.status]).toEqual([host, 404])
  }
  // The Host of another tenant gets that tenant's documents, and nothing of this one.
  const moved = await fetchThrough(`${acme.issuer}/t/initech/.well-known/jwks.json`, {
    headers: { host: 'id.example.com' },
  })
  expect(await moved.text()).toBe((await direct(url, new URL(initech.jwksUri))).body)
  expect(partOf(await tokenThrough(fetchThrough, acme), 1).iss).toBe(acme.issuer)
})

it('without the host in the cache key one issuer gets the set of another: tokens are refused, never mixed', async (ctx) => {
  const { url, tenants } = await startWorld(['acme', 'initech'], {
    practice: false,
    issuerOf: (tenant) => (tenant === 'acme' ? 'https://acme.example.com' : 'https://id.example.com'),
  })
  const fetchThrough = await start(ctx, url, (text) => text.replace(/proxy_cache_key [^;]+;/, ''))
  const [acme, initech] = tenants
  if (!acme || !initech) throw new Error('no tenants')
  const set = async ({ jwksUri }: Interop) => (await fetchThrough(jwksUri)).text()
  expect(await set(initech)).toBe(await set(acme))
  const refused = oauth.discoveryRequest(new URL(acme.issuer), { [oauth.customFetch]: fetchThrough })
  await oauth.processDiscoveryResponse(new URL(acme.issuer), await refused)
  await expect(tokenThrough(fetchThrough, initech)).rejects.toMatchObject({
    code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  })
})
