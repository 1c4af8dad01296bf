import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exchange, request, statusOf } from '../issuer/http/raw.ts'
import { askToken, GRANT, startIssuer, type TestIssuer, type TestTenant, tokenOf } from '../issuer/http/service.ts'
import { respellings } from '../vectors/jose/signatures.ts'

/** Fault 18 at a running server: credentials and tokens in another spelling of the same bytes are no credentials. */

let issuer: TestIssuer
let tenant: TestTenant
beforeAll(async () => {
  issuer = await startIssuer(['initech'])
  tenant = issuer.tenant('initech')
  const client = tenant.clients.get('basic')
  if (client) client.introspects = true
})
afterAll(() => issuer.server.close())

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const credentials = () => tenant.basic().slice('Basic '.length)

const SPELLINGS: [string, (good: string) => string][] = [
  ['without its padding', (good) => good.replace(/=+$/, '')],
  ['with more padding', (good) => `${good}=`],
  ['with much padding', (good) => `${good}====`],
  ['with a space inside', (good) => `${good.slice(0, 8)} ${good.slice(8)}`],
  ['with a tab inside', (good) => `${good.slice(0, 8)}\t${good.slice(8)}`],
  ['in base64url', (good) => `${good.slice(0, 4)}-_${good.slice(6)}`],
  ['with a character too many', (good) => `${good.replace(/=+$/, '')}A`],
  [
    'with bits set after its end',
    (good) => {
      const bare = good.replace(/=+$/, '')
      return `${bare.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(bare.slice(-1)) ^ 1]}${good.slice(bare.length)}`
    },
  ],
  ['twice', (good) => `${good}, Basic ${good}`],
]

describe('Basic credentials (RFC 7617 section 2) at both OAuth endpoints', () => {
  it('as they are, they are taken', async () => {
    // Bits can hide only before padding.
    expect(credentials()).toMatch(/=$/)
    expect((await askToken(tenant, GRANT, { Authorization: `Basic ${credentials()}` })).status).toBe(200)
  })

  it.each(SPELLINGS)('%s', async (_what, respell) => {
    const wrong = respell(credentials())
    expect(wrong).not.toBe(credentials())
    for (const endpoint of ['token', 'introspect']) {
      const body = endpoint === 'token' ? 'grant_type=client_credentials' : 'token=x'
      const lines = [
        `Host: 127.0.0.1:${issuer.server.port}`,
        `Authorization: Basic ${wrong}`,
        'Content-Type: application/x-www-form-urlencoded',
        `Content-Length: ${body.length}`,
      ]
      const response = await exchange(issuer.server.port, request(`POST /t/initech/${endpoint}`, lines) + body)
      expect([400, 401]).toContain(statusOf(response))
      expect(response).toMatch(/"invalid_(?:client|request)"/)
    }
  })
})

describe('access tokens', () => {
  it('in any other spelling of any part they are not active', async () => {
    const token = await tokenOf(tenant)
    const ask = async (given: string) => {
      const headers = { Authorization: tenant.basic() }
      const response = await fetch(`${tenant.issuer}/introspect`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ token: given }),
      })
      return response.json()
    }
    expect(await ask(token)).toMatchObject({ active: true })
    for (const [what, given] of respellings(token)) expect(await ask(given), what).not.toMatchObject({ active: true })
  })
})
