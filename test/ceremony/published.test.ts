import { join } from 'node:path'
import { importJWK, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { confirmationFor } from '../../electron/ceremony/destroy.ts'
import { verifyFiles } from '../../electron/evidence/verify.ts'
import { readBundle } from '../../electron/handoff/bundle.ts'
import { keysOf, type VaultState } from '../../shared/domain/state.ts'
import { openJwkSet, type TenantLine } from '../../shared/formats/bundle.ts'
import { openHistoricalSet } from '../../shared/formats/historical.ts'
import { openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { findingOfCertificate, NO_END } from '../../shared/formats/x509.ts'
import {
  filesOf,
  type Genesis,
  issuerOf,
  makeGenesis,
  type Ran,
  type Room,
  type TestRuntime,
  tenantPlan,
} from './fixtures.ts'

/** What a policy says of published keys, from the plan to the bundle: names, certificates, past keys. */

const DAY = 86_400

let genesis: Genesis
let onboarded: Room
beforeAll(async () => {
  genesis = await makeGenesis()
  onboarded = genesis.room()
  const policy = { tokenType: 'JWT', ed25519Name: 'EdDSA', x509: true, standby: 'cold', horizon: 1 }
  await onboarded.onboard(
    tenantPlan('acme', { specs: ['RS256', 'Ed25519'], policy }),
    tenantPlan('globex', { policy: { horizon: 1 } }),
  )
}, 120_000)
afterAll(() => genesis.remove())

const room = () => onboarded.copy(genesis.folder())
const amend = (policy: object) => ({ kind: 'amend', reason: 'Agreed', changes: [{ tenant: 'acme', policy }] })

/** Exports without importing, and gives the bundle's lines. */
async function linesOf(at: Room, anchor: string): Promise<Record<string, TenantLine>> {
  const bundle = at.written.find((path) => path.includes('bundle-')) ?? ''
  const lines: Record<string, TenantLine> = {}
  await readBundle(bundle, await openTrustAnchor(anchor), (line) => {
    lines[line.tenant] = line
  })
  return lines
}
const handedOver = async (at: Room, to: TestRuntime): Promise<{ ran: Ran; lines: Record<string, TenantLine> }> => {
  const ran = await at.handoff(to)
  return { ran, lines: await linesOf(at, ran.state.anchor) }
}
const rsaKeys = (state: VaultState) => keysOf(state, 'acme').filter(({ spec }) => spec === 'RS256')

describe('certificates and names', () => {
  it('RSA keys are made with a certificate for exactly their published time; the history and its record verify', async () => {
    const at = room()
    const state = await at.state()
    expect(state.tenants.get('acme')?.policy).toMatchObject({ tokenType: 'JWT', ed25519Name: 'EdDSA', x509: true })
    expect(state.tenants.get('globex')?.policy).toMatchObject({ tokenType: 'at+jwt', x509: false })
    const rsa = rsaKeys(state)
    expect(rsa).toHaveLength(3)
    for (const { x5c, times, standby, ...key } of rsa) {
      if (!x5c) throw new Error('a key has no certificate')
      const wanted = { issuer: issuerOf('acme'), from: times.announceAt - 300, to: times.removeAt + 300 }
      expect(await findingOfCertificate(x5c, key, wanted)).toBeNull()
      const longer = await findingOfCertificate(x5c, key, { ...wanted, to: NO_END })
      expect(longer === null).toBe(standby === true)
      expect(await findingOfCertificate(x5c, key, { ...wanted, from: wanted.from - 1 })).toMatch(/does not cover/)
    }
    expect([...state.keys.values()].filter(({ spec, x5c }) => spec !== 'RS256' && x5c)).toEqual([])
    expect(await at.verify()).toMatchObject({ tail: null })
    const [anchor = ''] = filesOf(at.media).filter((name) => name.startsWith('trust-anchor-'))
    const records = filesOf(at.records).flatMap((name) =>
      name.endsWith('record.json') ? [join(at.records, name, '..')] : [],
    )
    expect(records.length).toBeGreaterThan(1)
    const { files } = await verifyFiles(records, join(at.media, anchor), at.clock.now())
    expect(files.filter(({ ok }) => !ok)).toEqual([])
  })

  it('a runtime serves what the root signed: certificates too; any verifier reads a token with them', async () => {
    const at = room()
    const to = await at.runtime()
    try {
      const { lines, ran } = await handedOver(at, to)
      const { keys = [], slots = [] } = lines['acme'] ?? {}
      const anchor = await openTrustAnchor(ran.state.anchor)
      const said = await openJwkSet(slots[0]?.set ?? '', anchor.key)
      expect(said.keys.map(({ alg }) => alg).sort()).toEqual(['EdDSA', 'RS256', 'RS256'])
      const service = await to.runtime.find('acme.example.com', '')
      const served = service?.published(at.clock.now()).keys
      expect(served).toEqual(said.keys)
      expect(served?.every(({ x5c, kid }) => x5c?.[0] === keys.find((key) => key.kid === kid)?.x5c?.[0])).toBe(true)
      const signer = await service?.signer('RS256', at.clock.now())
      const jwk = served?.find(({ kid }) => kid === signer?.kid)
      const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const input = `${encoded({ alg: 'RS256', kid: signer?.kid })}.${encoded({ iss: issuerOf('acme') })}`
      await jwtVerify(`${input}.${signer?.sign(input)}`, await importJWK({ ...jwk }))
    } finally {
      await to.runtime.close()
    }
  })

  it('an amendment changes what is published with the next handoff, the slots signed anew, and back again', async () => {
    const at = room()
    const to = await at.runtime()
    try {
      const first = await handedOver(at, to)
      const off = await at.run(amend({ x509: false, ed25519Name: 'Ed25519' }))
      expect(off.result.steps.at(-1)?.observed).toMatch(/called Ed25519:.*no certificate is published/)
      await at.intake(to)
      const second = await handedOver(at, to)
      const without = second.lines['acme']
      expect(without?.keys.filter(({ x5c }) => x5c)).toEqual([])
      const anchor = await openTrustAnchor(second.ran.state.anchor)
      for (const { set } of without?.slots ?? [])
        for (const key of (await openJwkSet(set, anchor.key)).keys) {
          expect('x5c' in key).toBe(false)
          expect(key.alg).not.toBe('EdDSA')
        }
      await at.run(amend({ x509: true }))
      await at.intake(to)
      const third = await handedOver(at, to)
      const certificates = ({ lines }: typeof first) => lines['acme']?.keys.map(({ x5c }) => x5c)
      expect(certificates(third)).toEqual(certificates(first))
    } finally {
      await to.runtime.close()
    }
  })

  it('keys made before the policy asked have none, and the next ones do; an amendment alone makes no key', async () => {
    const at = genesis.room()
    await at.onboard(tenantPlan('acme', { specs: ['RS256'], policy: { horizon: 1 } }))
    const amended = await at.run(amend({ x509: true }))
    expect(amended.result.steps.at(-1)?.observed).toContain('those made before have none')
    at.clock.advance(95 * DAY)
    const { state } = await at.run({ kind: 'rotate', tenants: ['acme'] })
    expect(rsaKeys(state).map(({ x5c }) => x5c !== undefined)).toEqual([false, false, true])
    const to = await at.runtime()
    try {
      const { lines } = await handedOver(at, to)
      expect(lines['acme']?.keys.map(({ x5c }) => x5c !== undefined)).toEqual([false, false, true])
    } finally {
      await to.runtime.close()
    }
  })

  it('after a compromise the standby key that signs, and the new ones, still have a certificate that covers them', async () => {
    const at = room()
    const to = await at.runtime()
    try {
      await handedOver(at, to)
      at.clock.advance(20 * DAY)
      const [stolen] = rsaKeys(await at.state())
      await at.run({ kind: 'emergency', scope: { key: stolen?.kid }, reason: 'A laptop is missing' })
      await at.intake(to)
      const { lines } = await handedOver(at, to)
      const line = lines['acme']
      const called = keysOf(await at.state(), 'acme').find(({ replaces }) => replaces === stolen?.kid)
      expect(called?.times.announceAt).toBeLessThan(at.clock.now() - 19 * DAY)
      const rsa = line?.keys.filter(({ spec }) => spec === 'RS256') ?? []
      expect(rsa.map(({ kid }) => kid)).toContain(called?.kid)
      expect(rsa.every(({ x5c }) => x5c)).toBe(true)
    } finally {
      await to.runtime.close()
    }
  })
})

describe('past keys', () => {
  it('a removed key, a compromised one and a destroyed one: each with its end, none of them in a slot any more', async () => {
    const at = room()
    const to = await at.runtime()
    try {
      const first = await handedOver(at, to)
      expect(first.lines['globex']?.historical).toBeUndefined()
      const [old, next] = keysOf(first.ran.state, 'globex')
      if (!old || !next) throw new Error('globex has no keys')
      at.clock.to(old.times.removeAt + DAY)
      await at.intake(to)
      await at.run({ kind: 'destroy', keys: [old.kid], reason: 'Retired' }, { confirm: [confirmationFor([old.kid])] })
      await at.run({ kind: 'emergency', scope: { key: next.kid }, reason: 'A laptop is missing' })
      const { lines, ran } = await handedOver(at, to)
      const line = lines['globex']
      const anchor = await openTrustAnchor(ran.state.anchor)
      const said = await openHistoricalSet(line?.historical ?? '', anchor.key)
      const since = ran.state.keys.get(next.kid)?.compromised?.at ?? 0
      expect(said.iss).toBe(issuerOf('globex'))
      expect(said.keys).toEqual([
        { ...old.jwk, use: 'sig', alg: 'ES256', kid: old.kid, iat: old.times.signFrom, exp: old.times.removeAt },
        {
          ...next.jwk,
          use: 'sig',
          alg: 'ES256',
          kid: next.kid,
          iat: next.times.signFrom,
          exp: since,
          revoked: { revoked_at: since, reason: 'compromised' },
        },
      ])
      for (const { set } of line?.slots ?? []) {
        const published = (await openJwkSet(set, anchor.key)).keys.map(({ kid }) => kid)
        expect(published.filter((kid) => kid === old.kid || kid === next.kid)).toEqual([])
      }
    } finally {
      await to.runtime.close()
    }
  })
})
