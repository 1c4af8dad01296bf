import { createPublicKey, verify } from 'node:crypto'
import * as oidc from 'oidc-provider'
import { describe, expect, it } from 'vitest'
import { signingKey } from '../../electron/adapters/signing-key.ts'
import type { Issued, IssuerService, TenantService } from '../../electron/issuer/service.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { codeOf, makeServing, makeTenant, makeVault, policyWith } from '../issuer/fixtures.ts'

const WALL = () => Math.floor(Date.now() / 1000)

/** The key that signs for acme, as oidc-provider holds it. `tenant` and `service` replace what the runtime says. */
async function makeKey(tenant: Partial<TenantService> = {}, service: Partial<IssuerService> = {}) {
  const at = await makeServing(await makeVault(), [
    makeTenant('acme', { policy: policyWith({ accessTokenLifetime: 600 }) }),
  ])
  const runtime = at.runtime
  const find = async () => {
    const found = await runtime.find('acme.example.com', '')
    if (!found) return null
    return new Proxy(found, {
      get(target, name) {
        const value: unknown = Reflect.get(name in tenant ? tenant : target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  const [jwk] = (await find())?.published(runtime.now()).keys ?? []
  if (!jwk) throw new Error('No key is published.')
  const key = signingKey(oidc.ExternalSigningKey, { ...runtime, ...service }, find, jwk)
  const input = (claims: object = {}, header: object = {}) => {
    const parts = [
      { alg: jwk.alg, kid: jwk.kid, ...header },
      { iss: 'https://acme.example.com', aud: 'shop', sub: 'alice', exp: WALL() + 600, ...claims },
    ]
    return Buffer.from(parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.'))
  }
  return { ...at, jwk, key, input, sign: async (data: Uint8Array) => key.sign(data) }
}

describe('a key as oidc-provider holds it', () => {
  it('has the public half and nothing else, and signs what verifies under it', async () => {
    const { key, jwk, input, sign } = await makeKey()
    const { kty, kid, alg, use, crv, x, y } = key
    expect({ kty, kid, alg, use, crv, x, y }).toEqual(jwk)
    const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    expect((await key.keyObject()).type).toBe('public')
    const data = input()
    expect(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(await sign(data)))).toBe(
      true,
    )
  })

  it.each<[string, object, object?]>([
    ['another issuer', { iss: 'https://globex.example.com' }],
    ['a longer life than the key is published for', { exp: WALL() + 1000 }],
    ['no end', { exp: undefined }],
    ['nobody it is for', { aud: undefined }],
    ['another key in its header', {}, { kid: 'other' }],
    ['another algorithm in its header', {}, { alg: 'RS256' }],
  ])('signs no token with %s', async (_, claims, header) => {
    const { input, sign } = await makeKey()
    expect(await codeOf(() => sign(input(claims, header)))).toBe('signing-refused')
  })

  it('signs nothing that is not a token', async () => {
    const { sign } = await makeKey()
    for (const text of ['', 'a.b', 'e30.e30', 'e30.e30.e30'])
      expect(await codeOf(() => sign(Buffer.from(text)))).not.toBeNull()
  })

  it('signs nothing while the runtime may not, and nothing for a tenant that is gone', async () => {
    const cut = await makeKey({}, { cannotSign: () => 'The store is silent.' })
    await expect(cut.sign(cut.input())).rejects.toThrow('Nothing is signed now: The store is silent.')
    const { runtime, jwk, input } = await makeKey()
    const gone = signingKey(oidc.ExternalSigningKey, runtime, async () => null, jwk)
    expect(await codeOf(async () => gone.sign(input()))).toBe('signing-refused')
  })

  it('signs while its time lasts and never again once it is tainted', async () => {
    const { runtime, jwk, input, sign } = await makeKey()
    expect(await sign(input())).toHaveLength(64)
    await runtime.taint('acme', jwk.kid, { withdraw: false, actor: 'test' })
    expect(await codeOf(() => sign(input()))).toBe('signing-refused')
  })

  it('every signature stands in the issuance log before it is given out', async () => {
    const log: Issued[] = []
    const { clock, jwk, input, sign } = await makeKey({ record: async (issued) => void log.push(issued) })
    const [plain, full] = [input({ exp: 5 }), input({ exp: 5, jti: 'id', client_id: 'app', scope: 'read', aud: ['a'] })]
    await sign(plain)
    await sign(full)
    const same = { at: clock.now(), kid: jwk.kid, exp: 5 }
    const jti = digest(plain.toString())
    expect(log).toEqual([
      { ...same, jti, clientId: 'shop', audience: 'shop', scope: '' },
      { ...same, jti: 'id', clientId: 'app', audience: 'a', scope: 'read' },
    ])
    const full2 = await makeKey({ record: () => Promise.reject(new Error('full')) })
    await expect(full2.sign(full2.input())).rejects.toThrow('full')
  })
})
