import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import * as oidc from 'oidc-provider'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTenantProvider, type TenantProviderOptions } from '../../electron/adapters/oidc-provider.ts'
import { codeOf, makeServing, makeTenant, makeVault, policyWith } from '../issuer/fixtures.ts'
import { storage } from './storage.ts'

/** Around one provider whose issuer is a bare host, as in production. */

const ISSUER = 'https://acme.example.com'
const configuration = { adapter: storage(), features: { devInteractions: { enabled: false } } }

async function make(options: Partial<TenantProviderOptions> = {}) {
  const { runtime, clock, tenants } = await makeAcme()
  const said: string[] = []
  const log = (line: string) => void said.push(line)
  const provider = await createTenantProvider({
    oidc,
    runtime,
    issuer: ISSUER,
    configuration,
    log,
    ...options,
  })
  const server = createServer(provider.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const get = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path, headers: { host: 'acme.example.com', ...headers } })
      asked.once('error', reject).once('response', async (response) => {
        let body = ''
        for await (const chunk of response.setEncoding('utf8')) body += chunk
        resolve({ status: response.statusCode, body })
      })
      asked.end()
    })
  return { runtime, provider, clock, tenants, said, get }
}

async function makeAcme() {
  const tenants = [makeTenant('acme')]
  return { ...(await makeServing(await makeVault(), tenants)), tenants }
}

describe('a provider', () => {
  it('takes an issuer of the runtime, storage, and no keys of its own', async () => {
    const { runtime } = await makeAcme()
    const codeFor = (issuer: string, changes: object = {}) =>
      codeOf(() => createTenantProvider({ oidc, runtime, issuer, configuration: { ...configuration, ...changes } }))
    expect(await codeFor(ISSUER)).toBeNull()
    expect(await codeFor('https://globex.example.com')).toBe('tenant-unknown')
    for (const issuer of [`${ISSUER}/`, 'acme.example.com', `${ISSUER}?a`, `${ISSUER}#a`, 'ftp://acme.example.com'])
      expect(await codeFor(issuer)).toBe('config-invalid')
    expect(await codeFor(ISSUER, { jwks: { keys: [] } })).toBe('config-invalid')
    expect(await codeFor(ISSUER, { adapter: undefined })).toBe('config-invalid')
  })

  it('behind a proxy that ends TLS, every link is the issuer with its scheme', async () => {
    const { get } = await make()
    const { status, body } = await get('/.well-known/openid-configuration', { 'x-forwarded-proto': 'http' })
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/jwks`,
      token_endpoint: `${ISSUER}/token`,
    })
    expect((await get('/jwks', { host: 'evil.example' })).status).toBe(404)
  })

  it('is made anew when the keys change and only then, and is prepared each time', async () => {
    const made: oidc.Provider[] = []
    const { provider, clock, tenants, get } = await make({ prepare: (one) => void made.push(one) })
    await get('/jwks')
    await get('/.well-known/openid-configuration')
    expect(made).toHaveLength(1)
    const [, next] = tenants[0]?.keys ?? []
    clock.to(next?.announceAt ?? 0)
    await Promise.all([get('/jwks'), get('/jwks')])
    expect(made).toHaveLength(2)
    clock.to(next?.signFrom ?? 0)
    expect(await provider.current()).toBe(made[2])
    expect(made).toHaveLength(3)
  })

  it('a fetch of the key set counts as evidence of propagation, with who says so', async () => {
    const noted: unknown[] = []
    const { runtime, tenants, get } = await make()
    const noteFetch = (party: string | null, kids: readonly string[]) => void noted.push([party, kids])
    Object.assign((await runtime.find('acme.example.com', '')) ?? {}, { noteFetch })
    await get('/jwks', { 'keyrite-relying-party': 'shop' })
    expect(noted).toEqual([['shop', [tenants[0]?.keys[0]?.kid]]])
  })

  it('an Ed25519 key goes by the name that it is published with', async () => {
    const made = [makeTenant('acme', { policy: policyWith({ signingAlgorithms: ['Ed25519'], ed25519Name: 'EdDSA' }) })]
    const { runtime } = await makeServing(await makeVault(), made)
    const clients = [{ client_id: 'shop', client_secret: 'a secret', redirect_uris: ['https://shop.example'] }]
    const options = { oidc, runtime, issuer: ISSUER, configuration: { ...configuration, clients } }
    const provider = await (await createTenantProvider(options)).current()
    const client = await provider.Client.find('shop')
    const token = await new provider.IdToken({ sub: 'alice' }, client && { client }).issue({ use: 'idtoken' })
    const { keys } = (await runtime.find('acme.example.com', ''))?.published(runtime.now()) ?? { keys: [] }
    const { protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys }), {
      issuer: ISSUER,
      audience: 'shop',
    })
    expect(protectedHeader.alg).toBe('EdDSA')
  })

  it('of a tenant that is gone answers 404, and has no Provider to give', async () => {
    let gone = false
    const { runtime, provider, get } = await make()
    const { find } = runtime
    Object.assign(runtime, { find: (host: string, path: string) => (gone ? null : find(host, path)) })
    expect((await get('/jwks')).status).toBe(200)
    gone = true
    for (const path of ['/jwks', '/.well-known/openid-configuration', '/token'])
      expect((await get(path)).status).toBe(404)
    expect(await codeOf(() => provider.current())).toBe('tenant-unknown')
  })

  it('answers 500 when the store fails, and says so without what a request carried', async () => {
    const { runtime, get, said } = await make()
    Object.assign(runtime, { find: () => Promise.reject(new Error('canary')) })
    expect(await get('/jwks?canary')).toMatchObject({ status: 500, body: '{"error":"server_error"}' })
    expect(said).toEqual(['A request failed: Something failed that Keyrite did not expect (Error). (internal)'])
  })
})

it('the guide shows the example as it is', () => {
  const textOf = (path: string) => readFileSync(join(import.meta.dirname, '../../docs', path), 'utf8')
  const packed = (text: string) => text.replace(/\s+/g, ' ').trim()
  const shown = [...textOf('guides/existing-issuers.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)
  expect(shown).toHaveLength(1)
  for (const code of shown) expect(packed(textOf('examples/oidc-provider.ts'))).toContain(packed(code))
})
