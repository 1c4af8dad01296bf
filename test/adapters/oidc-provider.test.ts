import { describe, expect, it } from 'vitest'
import { DAY } from '../../shared/domain/policy.ts'
import { Browser } from './browser.ts'
import {
  type Attempt,
  authorize,
  exchange,
  fetchKeys,
  keyOf,
  logIn,
  makeLogins,
  refusal,
  verifies,
} from './fixtures.ts'

const SERVER_ERROR = { status: 500, error: 'server_error' }

describe('logins of tenants on one host', () => {
  it('each signs with its own key, whatever the algorithm, and no token of one is taken by another', async () => {
    const { issuers, published } = await makeLogins({
      acme: { signingAlgorithms: ['ES256'] },
      globex: { signingAlgorithms: ['RS256'] },
      initech: { signingAlgorithms: ['PS256'] },
      umbrella: { signingAlgorithms: ['ES384'] },
      hooli: { signingAlgorithms: ['Ed25519'] },
    })
    const tokens = new Map<string, string>()
    for (const issuer of issuers) {
      const { idToken, kid, sub } = await logIn(issuer)
      expect(sub).toBe('alice')
      expect(await fetchKeys(issuer)).toEqual({ keys: await published(issuer) })
      expect((await published(issuer)).map((key) => key.kid)).toEqual([kid])
      tokens.set(issuer, idToken)
    }
    for (const [from, token] of tokens)
      for (const issuer of issuers) expect(await verifies(token, issuer)).toBe(from === issuer)
  })

  it('a session of one is none at another, and goes on at its own', async () => {
    const { issuers } = await makeLogins({ acme: {}, globex: {} })
    const [acme = '', globex = ''] = issuers
    const browser = new Browser()
    await logIn(acme, browser)
    expect(browser.cookiesFor(new URL(`${acme}/auth`))).toContain('_session')
    expect(browser.cookiesFor(new URL(`${globex}/auth`))).toEqual([])
    expect((await authorize(acme, browser)).pages).toBe(0)
    expect((await authorize(globex, browser)).pages).toBe(1)
    // Taken there by force, it is still none.
    const cookie = browser.headerFor(new URL(`${acme}/auth`))
    const { url } = await authorize(globex, new Browser(cookie), { answer: false })
    expect(url.pathname).toMatch(/^\/t\/globex\/login\//)
  })

  it('links and cookies follow from the issuer: no header changes them, and other hosts get 404', async () => {
    const { issuers, port } = await makeLogins({ acme: {} })
    const [acme = ''] = issuers
    const headers = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', Forwarded: 'host=evil.example' }
    const found = await (await fetch(`${acme}/.well-known/openid-configuration`, { headers })).json()
    expect(found).toMatchObject({
      issuer: acme,
      jwks_uri: `${acme}/jwks`,
      authorization_endpoint: `${acme}/auth`,
      token_endpoint: `${acme}/token`,
      id_token_signing_alg_values_supported: ['ES256'],
    })
    const status = async (url: string) => (await fetch(url)).status
    expect(await status(`http://localhost:${port}/t/acme/jwks`)).toBe(404)
    expect(await status(`http://127.0.0.1:${port}/t/other/jwks`)).toBe(404)
    expect(await status(`http://127.0.0.1:${port}/t/acmejwks`)).toBe(404)
    expect(await status(`${acme}/jwks`)).toBe(200)
  })

  it('an identity token never outlives the time that its key is published for', async () => {
    const ttl = { IdToken: 30 * DAY }
    const { issuers } = await makeLogins({ acme: { accessTokenLifetime: 600 } }, { ttl })
    const { claims } = await logIn(issuers[0] ?? '')
    expect(claims.exp - claims.iat).toBe(600)
  })
})

describe('the key set at jwks_uri', () => {
  it('is what Keyrite itself answers: with a name for it, and until when it holds', async () => {
    const { issuers, tenants, clock } = await makeLogins({ acme: {} })
    const [acme = ''] = issuers
    const { announceAt } = keyOf(tenants, 1)
    clock.to(announceAt - 60)
    const answer = await fetch(`${acme}/jwks`)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(Number(/^public, max-age=(\d+)$/.exec(answer.headers.get('cache-control') ?? '')?.[1])).toBeLessThan(61)
    const etag = answer.headers.get('etag') ?? ''
    const again = () => fetch(`${acme}/jwks`, { headers: { 'If-None-Match': etag } })
    expect((await again()).status).toBe(304)
    clock.to(announceAt)
    expect((await again()).status).toBe(200)
    expect(await (await fetch(`${acme}/jwks`, { method: 'HEAD' })).text()).toBe('')
  })
})

describe('a rotation under way', () => {
  it('logins go on before, during and after the switch; old tokens verify until their key is removed', async () => {
    const { issuers, tenants, clock, here, published } = await makeLogins({ acme: {}, globex: {} })
    const [acme = ''] = issuers
    const [old, next] = [keyOf(tenants, 0), keyOf(tenants, 1)]
    const browser = new Browser()
    const first = await logIn(acme, browser)
    expect(first.kid).toBe(old.kid)

    clock.to(next.announceAt)
    expect((await fetchKeys(acme)).keys.map((key) => key.kid).sort()).toEqual([old.kid, next.kid].sort())
    expect((await logIn(acme)).kid).toBe(old.kid)

    clock.to(next.signFrom - 1)
    const crossing = await authorize(acme)
    const logins = Array.from({ length: 12 }, () => logIn(acme))
    clock.to(next.signFrom)
    const kids = (await Promise.all(logins)).map((one) => one.kid)
    expect(kids.filter((kid) => kid !== old.kid && kid !== next.kid)).toEqual([])
    await here.tick()
    const after = await exchange(crossing)
    expect(after.kid).toBe(next.kid)
    expect((await logIn(acme)).kid).toBe(next.kid)
    // The session of before the switch still stands: no page is shown.
    expect((await authorize(acme, browser)).pages).toBe(0)

    for (const at of [old.removeAt - 1, old.removeAt]) {
      clock.to(at)
      await here.tick()
      expect(await fetchKeys(acme)).toEqual({ keys: await published(acme) })
      expect(await verifies(first.idToken, acme)).toBe(at < old.removeAt)
      expect(await verifies(after.idToken, acme)).toBe(true)
      expect((await logIn(acme, browser)).kid).toBe(next.kid)
    }
  })

  it('a request that the switch overtakes is finished with the key that it began with', async () => {
    let meanwhile = () => {}
    const before = (model: string) => model === 'AccessToken' && meanwhile()
    const { issuers, tenants, clock } = await makeLogins({ acme: {} }, { before })
    const [old, next] = [keyOf(tenants, 0), keyOf(tenants, 1)]
    clock.to(next.signFrom - 1)
    meanwhile = () => clock.to(next.signFrom)
    expect((await logIn(issuers[0] ?? '')).kid).toBe(old.kid)
    meanwhile = () => {}
    expect((await logIn(issuers[0] ?? '')).kid).toBe(next.kid)
  })

  it('one that takes longer fails, and signs nothing', async () => {
    let meanwhile = () => {}
    const before = (model: string) => model === 'AccessToken' && meanwhile()
    const { issuers, tenants, clock, said } = await makeLogins({ acme: {} }, { before })
    const next = keyOf(tenants, 1)
    clock.to(next.signFrom - 1)
    meanwhile = () => clock.to(next.signFrom + 2)
    expect(await refusal(logIn(issuers[0] ?? ''))).toEqual(SERVER_ERROR)
    expect(said.join()).toContain('may not sign now')
  })
})

describe('a taint', () => {
  const policy = { destroyPrivateAtRetirement: false }

  it('is in force with the next request: another key that may sign takes over, without one logins fail', async () => {
    const { issuers, tenants, clock, runtime: elsewhere, said } = await makeLogins({ acme: policy, globex: {} })
    const [acme = '', globex = ''] = issuers
    const [old, next] = [keyOf(tenants, 0), keyOf(tenants, 1)]
    clock.to(next.signFrom)
    const before = await logIn(acme)
    expect(before.kid).toBe(next.kid)
    const codes: Attempt[] = await Promise.all([authorize(acme), authorize(acme)])

    const [first, second] = codes
    if (!first || !second) throw new Error('There are two codes.')
    await elsewhere.taint('acme', next.kid, { withdraw: false, actor: 'test' })
    const { kid } = await exchange(first)
    expect(kid).toBe(old.kid)
    expect(await verifies(before.idToken, acme)).toBe(true)

    await elsewhere.taint('acme', old.kid, { withdraw: false, actor: 'test' })
    expect(await refusal(exchange(second))).toEqual(SERVER_ERROR)
    expect(said).toEqual([`A login at ${acme} failed: Key ${old.kid} of acme may not sign now.`])
    expect((await logIn(globex)).sub).toBe('alice')
  })

  it('in the middle of a request: nothing is signed', async () => {
    let meanwhile = async () => {}
    const before = (model: string) => (model === 'AccessToken' ? meanwhile() : undefined)
    const { issuers, tenants, runtime: elsewhere } = await makeLogins({ acme: policy }, { before })
    const [acme = ''] = issuers
    meanwhile = async () =>
      void (await elsewhere.taint('acme', keyOf(tenants, 0).kid, { withdraw: false, actor: 'test' }))
    expect(await refusal(logIn(acme))).toEqual(SERVER_ERROR)
  })

  it('a withdrawal leaves the key set and the logins within milliseconds', async () => {
    const { issuers, tenants, clock, runtime: elsewhere, published } = await makeLogins({ acme: policy })
    const [acme = ''] = issuers
    const [old, next] = [keyOf(tenants, 0), keyOf(tenants, 1)]
    clock.to(next.signFrom)
    const { idToken } = await logIn(acme)
    const code = await authorize(acme)
    await elsewhere.taint('acme', next.kid, { withdraw: true, actor: 'test' })
    const from = performance.now()
    const { keys } = await fetchKeys(acme)
    const took = performance.now() - from
    expect(keys.map((key) => key.kid)).toEqual([old.kid])
    expect(keys).toEqual(await published(acme))
    expect(took).toBeLessThan(1000)
    expect((await exchange(code)).kid).toBe(old.kid)
    expect(await verifies(idToken, acme)).toBe(false)

    await elsewhere.taint('acme', old.kid, { withdraw: true, actor: 'test' })
    expect(await fetchKeys(acme)).toEqual({ keys: [] })
    expect((await fetch(`${acme}/auth?client_id=shop`)).status).toBe(503)
  })
})
