import { describe, expect, it, type TestContext } from 'vitest'
import { pythonWith, type Said, startRelying } from './tools.ts'
import { API, type Interop, NAMES, spoiled, startWorld, tokenOf, type World } from './world.ts'

/** Libraries of Python, as their distribution packages them, against a real runtime. */

/** Both name Ed25519 as RFC 8037 does (`EdDSA`) and know nothing of the name of RFC 9864. */
const KNOWN = NAMES.filter((name) => name !== 'wayne')
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']

type Relying = (token: string, at: Interop, change?: { issuer: string }) => Promise<Said>

/** The relying party, or the end of the test where the module is not installed. */
function relying(ctx: TestContext, module: string, script: string): Relying {
  const python = pythonWith(module)
  if (!python) return ctx.skip(`no Python with the module ${module}`)
  const ask = startRelying(python, script)
  return (token, { jwksUri, issuer }, change) =>
    ask({ token, jwks: jwksUri, issuer, audience: API, algorithms: ALGORITHMS, ...change })
}

async function throughARotation({ tenants, rotate }: World, ask: Relying): Promise<void> {
  const old: string[] = []
  for (const at of [0, 1]) {
    for (const [index, tenant] of tenants.entries()) {
      const token = await tokenOf(tenant)
      old.push(token)
      const said = await ask(token, tenant)
      expect(said).toMatchObject({ ok: true, kid: tenant.kids[at], iss: tenant.issuer, client: 'basic' })
      expect(await ask(old[index] ?? '', tenant)).toMatchObject({ ok: true, kid: tenant.kids[0] })
      // The set that was fetched before the rotation had the new key already.
      if (at === 1) expect(said.fetches).toBe(tenants.length)
    }
    await rotate()
  }
}

async function refused({ tenants, other }: World, ask: Relying, errors: Record<'kid' | 'issuer' | 'bytes', string>) {
  for (const tenant of tenants) {
    const token = await tokenOf(tenant)
    const there = other(tenant)
    expect(await ask(token, there)).toMatchObject({ ok: false, error: errors.kid })
    expect(await ask(token, tenant, { issuer: there.issuer })).toMatchObject({ ok: false, error: errors.issuer })
    expect(await ask(spoiled(token), tenant)).toMatchObject({ ok: false, error: errors.bytes })
  }
}

/** The name of RFC 9864, which a tenant's policy may change. */
async function unknownName(ask: Relying, error: string) {
  const { tenants } = await startWorld(['wayne', 'acme'])
  const said = await Promise.all(tenants.map(async (tenant) => ask(await tokenOf(tenant), tenant)))
  expect(said).toMatchObject([{ ok: false, error }, { ok: true }])
}

describe('PyJWT', () => {
  it('PyJWKClient: accepted through a rotation, with one fetch for each issuer', async (ctx) => {
    const ask = relying(ctx, 'jwt', 'relying_pyjwt.py')
    await throughARotation(await startWorld(KNOWN), ask)
  })

  it('PyJWKClient: refused at another tenant, with another issuer, and with another signature', async (ctx) => {
    const ask = relying(ctx, 'jwt', 'relying_pyjwt.py')
    const errors = { kid: 'PyJWKClientError', issuer: 'InvalidIssuerError', bytes: 'InvalidSignatureError' }
    await refused(await startWorld(KNOWN), ask, errors)
  })

  it('does not know the name Ed25519 of RFC 9864', async (ctx) => {
    await unknownName(relying(ctx, 'jwt', 'relying_pyjwt.py'), 'PyJWKSetError')
  })
})

describe('Authlib', () => {
  it('JsonWebToken with a key set: accepted through a rotation, with one fetch for each issuer', async (ctx) => {
    const ask = relying(ctx, 'authlib.jose', 'relying_authlib.py')
    await throughARotation(await startWorld(KNOWN), ask)
  })

  it('JsonWebToken: refused at another tenant, with another issuer, and with another signature', async (ctx) => {
    const ask = relying(ctx, 'authlib.jose', 'relying_authlib.py')
    const errors = { kid: 'ValueError', issuer: 'InvalidClaimError', bytes: 'BadSignatureError' }
    await refused(await startWorld(KNOWN), ask, errors)
  })
  it('does not know the name Ed25519 of RFC 9864', async (ctx) => {
    await unknownName(relying(ctx, 'authlib.jose', 'relying_authlib.py'), 'UnsupportedAlgorithmError')
  })
})
