import { expect, it, onTestFinished } from 'vitest'
import { signJwkSet } from '../../shared/formats/bundle.ts'
import { openTrustPolicy } from '../../shared/trust/policy.ts'
import { createTrustContext, verify } from '../../shared/trust/verify.ts'
import { makeVault } from '../issuer/fixtures.ts'
import { API, askToken, GRANT, makeKey, OTHER_API, startIssuer, tokenOf } from '../issuer/http/service.ts'

/** Keyrite's own issuer, over the network as it is, and a relying party with its own clock and the system's fetch. */

const now = () => Math.floor(Date.now() / 1000)

it('tokens of the issuer are allowed under both sources; those of another tenant and of an added key are not', async () => {
  const issuer = await startIssuer(['acme', 'initech'])
  onTestFinished(() => issuer.server.close())
  const vault = await makeVault()
  const [acme, initech] = [issuer.tenant('acme'), issuer.tenant('initech')]
  const sign = (name: string, keys = acme.keys.map((key) => key.published)) =>
    signJwkSet({ iss: name, sub: name, iat: now() - 60, nbf: now() - 60, exp: now() + 3600, keys }, vault.root)
  acme.signed = await sign(acme.issuer)

  const common = { issuer: acme.issuer, audiences: [API], algorithms: ['RS256'], types: ['at+jwt'], maxAge: '10m' }
  const sources = {
    jwks: { source: 'jwks', jwksUri: `${acme.issuer}/.well-known/jwks.json` },
    pinned: {
      source: 'pinned-root',
      signedJwksUri: `${acme.issuer}/.well-known/jwks.jwt`,
      trustAnchors: [vault.anchor.jws],
    },
  }
  const partyWith = async (keys: object) => {
    const policy = { format: 1, issuers: [{ ...common, keys, claims: [{ claim: 'scope', contains: 'orders:read' }] }] }
    const context = createTrustContext(await openTrustPolicy(JSON.stringify(policy)), { fetch, now })
    return async (token: string) => {
      const decision = await verify(token, context)
      return decision.allow ? 'allow' : decision.reason
    }
  }
  const [jwks, pinned] = [await partyWith(sources.jwks), await partyWith(sources.pinned)]
  const asking = { ...GRANT, resource: API, scope: 'orders:read orders:write' }
  const good = await tokenOf(acme, asking)
  const elsewhere = await tokenOf(acme, { ...asking, resource: OTHER_API })
  const lessScope = await tokenOf(acme, { ...asking, scope: 'orders:write' })
  const foreign = await tokenOf(initech, asking)
  for (const check of [jwks, pinned]) {
    expect(await check(good)).toBe('allow')
    expect(await check(elsewhere)).toBe('audience-wrong')
    expect(await check(lessScope)).toBe('claim-wrong')
    expect(await check(foreign)).toBe('issuer-unknown')
  }

  // Whoever holds the server publishes a key of their own; the vault has signed no set with it.
  const added = makeKey('RS256')
  acme.keys = [added]
  const forged = await tokenOf(acme, asking)
  expect((await askToken(acme, asking, { Authorization: acme.basic() })).status).toBe(200)
  expect(await (await partyWith(sources.jwks))(forged)).toBe('allow')
  expect(await (await partyWith(sources.pinned))(forged)).toBe('key-unknown')
  acme.signed = await sign(initech.issuer, [added.published])
  expect(await (await partyWith(sources.pinned))(forged)).toBe('key-set-invalid')
  acme.signed = null
  expect(await (await partyWith(sources.pinned))(forged)).toBe('key-set-unavailable')
})
