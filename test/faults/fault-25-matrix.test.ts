import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type JSONWebKeySet, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { crossTenantMatrix } from '../../electron/cli/rehearsal/matrix.ts'
import { RelyingParty } from '../../electron/cli/rehearsal/relying-party.ts'
import type { PublicJwk } from '../../shared/domain/algorithms.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'

/** Fault 25: the rehearsal's matrix would notice. Each kind of broken isolation makes it fail; sound tenants pass. */

const NOW = 1_772_323_200

type Key = { jwk: PublicJwk; kid: string; privateKey: KeyObject; alg: string }

function makeKey(alg: 'ES256' | 'RS256' = 'ES256'): Key {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = publicJwkSchema.parse(pair.publicKey.export({ format: 'jwk' }))
  return { jwk, kid: thumbprint(jwk), privateKey: pair.privateKey, alg }
}

type Tenant = { tenant: string; signs: Key; publishes?: Key[]; holds?: Key[]; issuer?: string; audience?: string }

/** A tenant without a network: it signs and publishes what the test says. */
class Party extends RelyingParty {
  readonly #tenant: Tenant

  constructor(tenant: Tenant) {
    const issuer = tenant.issuer ?? `https://${tenant.tenant}.example.com`
    const audience = tenant.audience ?? `${issuer}/api`
    super(issuer, { tenant: tenant.tenant, client_id: 'app', client_secret: '', audience }, 3600)
    this.#tenant = tenant
  }

  override token(): Promise<string> {
    const { signs } = this.#tenant
    return new SignJWT({})
      .setProtectedHeader({ alg: signs.alg, kid: signs.kid, typ: 'at+jwt' })
      .setIssuer(this.issuer)
      .setAudience(this.client.audience)
      .setIssuedAt(NOW)
      .setExpirationTime(NOW + 3600)
      .sign(signs.privateKey)
  }

  override fetchKeys(): Promise<{ set: JSONWebKeySet; bytes: string }> {
    const keys = (this.#tenant.publishes ?? [this.#tenant.signs]).map(({ jwk, kid, alg }) => ({ ...jwk, kid, alg }))
    return Promise.resolve({ set: { keys }, bytes: '' })
  }
}

function run(...tenants: Tenant[]) {
  const keysOf = (id: string) =>
    tenants.flatMap((one) => (one.tenant === id ? (one.holds ?? [one.signs]).map(({ jwk }) => jwk) : []))
  const progress: number[] = []
  const parties = tenants.map((tenant) => new Party(tenant))
  return { progress, done: crossTenantMatrix(parties, keysOf, NOW + 60, (done) => progress.push(done)) }
}

describe('fault 25: the cross-tenant matrix', () => {
  it('sound tenants: every pair is rejected by policy and by signature, and every key of the other was tried', async () => {
    const later = makeKey()
    const a = { tenant: 'a', signs: makeKey() }
    const b = { tenant: 'b', signs: makeKey('RS256'), holds: [makeKey('RS256'), later] }
    const c = { tenant: 'c', signs: makeKey() }
    const { progress, done } = run(a, { ...b, holds: [b.signs, later] }, c)
    expect(await done).toEqual({
      at: NOW + 60,
      tenants: 3,
      pairs: 6,
      rejectedByPolicy: 6,
      rejectedBySignature: 6,
      signatureChecks: 8,
      accepted: 0,
    })
    expect(progress).toEqual([1, 2, 3])
  })

  const shared = makeKey()
  const BROKEN: [string, Tenant[]][] = [
    [
      'two tenants share their signing key',
      [
        { tenant: 'a', signs: shared },
        { tenant: 'b', signs: shared },
      ],
    ],
    [
      'a key that signs for one is scheduled for another, not published yet',
      [
        { tenant: 'a', signs: shared },
        { tenant: 'b', ...((own) => ({ signs: own, holds: [own, shared] }))(makeKey()) },
      ],
    ],
    [
      'one issuer and audience for two tenants, and a key set with both keys',
      ((one, two) => [
        { tenant: 'a', signs: one, publishes: [one, two], issuer: 'https://x.example.com' },
        { tenant: 'b', signs: two, publishes: [one, two], issuer: 'https://x.example.com' },
      ])(makeKey(), makeKey()),
    ],
  ]
  it.each(BROKEN)('%s: it fails', async (_, tenants) => {
    await expect(run(...tenants).done).rejects.toMatchObject({
      code: 'verification-failed',
      message: expect.stringContaining("accepted by another tenant's verifier"),
    })
  })

  it('a tenant whose own verifier rejects its token proves nothing: it fails', async () => {
    const stale = [
      { tenant: 'a', signs: makeKey(), publishes: [makeKey()] },
      { tenant: 'b', signs: makeKey() },
    ]
    await expect(run(...stale).done).rejects.toMatchObject({ message: expect.stringContaining('at its own tenant') })
  })

  it('a tenant whose token is signed by a key that the vault does not know proves nothing: it fails', async () => {
    const foreign = [
      { tenant: 'a', signs: makeKey(), holds: [makeKey()] },
      { tenant: 'b', signs: makeKey() },
    ]
    await expect(run(...foreign).done).rejects.toMatchObject({ message: expect.stringContaining('at its own tenant') })
  })
})
