import { describe, expect, it } from 'vitest'
import { T0 } from '../issuer/fixtures.ts'
import { LIBRARIES, type SetFetch, type Verifier, withJose, withOauth4webapi } from './caches.ts'
import { pythonWith, startRelying } from './tools.ts'
import { API, partOf, tokenOf } from './world.ts'
import { startYear, type Year } from './year.ts'

/** For how long the real libraries keep a key set, and when they fetch for an unknown kid. */

/** The token as if another key had signed it. */
function ofUnknownKey(token: string): string {
  const [, claims, signature] = token.split('.')
  const header = Buffer.from(JSON.stringify({ ...partOf(token, 0), kid: 'unknown' })).toString('base64url')
  return `${header}.${claims}.${signature}`
}

describe('what libraries keep is what the document says', () => {
  /** Counts the fetches of a library: for how long it keeps a set, and when it fetches for an unknown kid. */
  async function measure(year: Year, make: (get: SetFetch) => Verifier | Promise<Verifier>, name: string) {
    const { keeps = 0, pause = 0 } = LIBRARIES[name] ?? {}
    let fetches = 0
    const verifier = await make((url) => {
      fetches++
      return fetch(url)
    })
    const seen: [string, number][] = []
    const show = async (what: string, at: number, token: string, accepted: boolean) => {
      await year.to(at)
      expect([what, await verifier.accepts(token, at)]).toEqual([what, accepted])
      seen.push([what, fetches])
    }
    const token = await tokenOf(year.tenant)
    const foreign = ofUnknownKey(token)
    await show('first', T0, token, true)
    await show('kept', T0 + keeps - 1, token, true)
    await show('renewed', T0 + keeps, token, true)
    await show('unknown too soon', T0 + keeps + pause - 1, foreign, false)
    await show('unknown', T0 + keeps + pause, foreign, false)
    expect(seen).toEqual([
      ['first', 1],
      ['kept', 1],
      ['renewed', 2],
      ['unknown too soon', 2],
      ['unknown', 3],
    ])
  }

  it('jose: 10 minutes; for an unknown kid again after 30 seconds', async () => {
    const year = await startYear()
    await measure(year, (get) => withJose(year.tenant, get), 'jose')
  })

  it('oauth4webapi, and so openid-client: 5 minutes; for an unknown kid again after a minute', async () => {
    const year = await startYear()
    await measure(year, (get) => withOauth4webapi(year.tenant, get), 'oauth4webapi')
    expect(LIBRARIES['openid-client']).toEqual(LIBRARIES.oauth4webapi)
  })

  it('PyJWT: 5 minutes; for an unknown kid at once', async (ctx) => {
    const { tenant, to } = await startYear()
    const python = pythonWith('jwt')
    if (!python) return ctx.skip('no Python with the module jwt')
    const ask = startRelying(python, 'relying_pyjwt.py')
    const token = await tokenOf(tenant)
    const foreign = ofUnknownKey(token)
    const fetches = async (one: string, now: number) => {
      await to(now)
      const question = { jwks: tenant.jwksUri, issuer: tenant.issuer, audience: API, algorithms: ['ES256'] }
      return (await ask({ ...question, token: one, now })).fetches
    }
    expect([
      await fetches(token, T0),
      await fetches(token, T0 + 300),
      await fetches(token, T0 + 301),
      await fetches(foreign, T0 + 301),
      await fetches(foreign, T0 + 301),
    ]).toEqual([1, 1, 2, 3, 4])
  })
})
