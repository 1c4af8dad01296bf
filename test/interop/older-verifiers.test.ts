import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { expect, it } from 'vitest'
import { pythonWith, startRelying } from './tools.ts'
import { API, type Interop, partOf, startWorld, tokenOf } from './world.ts'

/** What a tenant's policy can do for verifiers that do not know RFC 9068 (`at+jwt`) or RFC 9864 (`Ed25519`). */

const OLDER = { tokenType: 'JWT', ed25519Name: 'EdDSA' } as const

it('tokenType JWT and ed25519Name EdDSA: in tokens, in keys and in discovery alike', async () => {
  const { tenants, rotate } = await startWorld(['wayne', 'acme'], { policy: OLDER })
  const sets = tenants.map(({ jwksUri }) => createRemoteJWKSet(new URL(jwksUri)))
  for (const at of [0, 1]) {
    for (const [index, tenant] of tenants.entries()) {
      const { issuer, kids, jwksUri } = tenant
      const alg = tenant.tenant === 'wayne' ? 'EdDSA' : 'RS256'
      const token = await tokenOf(tenant)
      expect(partOf(token, 0)).toEqual({ alg, typ: 'JWT', kid: kids[at] })
      const document = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as object
      expect(document).toMatchObject({ id_token_signing_alg_values_supported: [alg] })
      const { keys } = (await (await fetch(jwksUri)).json()) as { keys: object[] }
      expect(keys).toMatchObject([{ alg }, { alg }])
      const signed = await (await fetch(`${issuer}/.well-known/jwks.jwt`)).text()
      expect(partOf(signed, 1)).toMatchObject({ iss: issuer, keys })
      const set = sets[index] ?? createRemoteJWKSet(new URL(jwksUri))
      const options = { issuer, audience: API, typ: 'JWT', algorithms: [alg] }
      expect((await jwtVerify(token, set, options)).protectedHeader.kid).toBe(kids[at])
    }
    await rotate()
  }
})

it.for([
  ['PyJWT', 'jwt', 'relying_pyjwt.py'],
  ['Authlib', 'authlib.jose', 'relying_authlib.py'],
] as const)('%s verifies Ed25519 under the name EdDSA, during a rotation', async ([_name, module, script], ctx) => {
  const python = pythonWith(module)
  if (!python) return ctx.skip(`no Python with the module ${module}`)
  const { tenants, rotate } = await startWorld(['wayne'], { policy: OLDER })
  const ask = startRelying(python, script)
  for (const at of [0, 1]) {
    for (const tenant of tenants) {
      const { issuer, jwksUri, kids } = tenant
      const token = await tokenOf(tenant)
      const said = await ask({ token, jwks: jwksUri, issuer, audience: API, algorithms: ['EdDSA'] })
      expect(said).toMatchObject({ ok: true, kid: kids[at], iss: issuer })
    }
    await rotate()
  }
})

it('oauth4webapi refuses tokens of the type JWT, as RFC 9068 section 4 demands', async () => {
  const { tenant } = await startWorld(['acme'], { policy: OLDER })
  const acme: Interop = tenant('acme')
  const insecure = { [oauth.allowInsecureRequests]: true } as const
  const url = new URL(acme.issuer)
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
  const request = new Request(API, { headers: { authorization: `Bearer ${await tokenOf(acme)}` } })
  const checked = oauth.validateJwtAccessToken(server, request, API, insecure)
  await expect(checked).rejects.toThrow(/"typ"/)
})
