import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkSchedule } from '../../shared/domain/schedule.ts'
import { keysOf } from '../../shared/domain/state.ts'
import type { Code } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { parseRecord } from '../../shared/formats/record.ts'
import { type Genesis, makeGenesis, type Ran, type Room, T0, tenantPlan } from './fixtures.ts'

const DAY = 86_400

let genesis: Genesis
let acme: Room
let onboarded: Ran
beforeAll(async () => {
  genesis = await makeGenesis()
  acme = genesis.room()
  onboarded = await acme.onboard(tenantPlan('acme'), tenantPlan('globex', { specs: ['Ed25519'] }))
})
afterAll(() => genesis.remove())

/** The room after acme and globex were onboarded. */
const onboardedRoom = () => acme.copy(genesis.folder())

describe('onboard', () => {
  it('gives every tenant its issuer, policy and first keys, as far as its horizon', () => {
    const { state } = onboarded
    expect([...state.tenants.keys()]).toEqual(['acme', 'globex'])
    for (const tenant of state.tenants.values()) {
      const keys = keysOf(state, tenant.tenant)
      expect(keys).toHaveLength(1 + tenant.policy.horizon)
      expect(keys.map((key) => key.times.propagation)).toEqual(['none (first key)', 'full', 'full'])
      expect(
        checkSchedule(
          tenant.policy,
          keys.map((key) => ({ ...key, ...key.times })),
          new Set(),
        ),
      ).toEqual([])
    }
  })

  it('seals each key with its own row and wrap; each opens to the private half of its public key', async () => {
    const room = onboardedRoom()
    await room.withVault(async (vault) => {
      const { state } = vault
      for (const kid of state.keys.keys())
        expect([state.sealed.has(`key:${kid}`), state.sealed.has(`wrap:${kid}`)]).toEqual([true, true])
      const act = { ceremony: 'T-2026-001', planDigest: digest('x'), step: 'look', objects: digest('x') }
      await vault.withQuorum(act, await vault.approve(act), async (quorum) => {
        for (const key of state.keys.values()) {
          const half = createPrivateKey({ key: Buffer.from(quorum.unseal(key.kid)), format: 'der', type: 'pkcs8' })
          expect(createPublicKey(half).export({ format: 'jwk' })).toMatchObject(key.jwk)
          expect(thumbprint(key.jwk)).toBe(key.kid)
        }
      })
    })
  })

  it('no two keys are alike and none is derived: every public key is its own', () => {
    const keys = [...onboarded.state.keys.values()]
    expect(new Set(keys.map((key) => key.kid)).size).toBe(6)
    expect(new Set(keys.map((key) => JSON.stringify(key.jwk))).size).toBe(6)
    expect(keys.every((key) => key.generator?.process === 'fresh')).toBe(true)
  })

  it('the record says how many keys were made, and the M approvals name the plan', () => {
    const { record, signatures } = parseRecord(readFileSync(join(onboarded.result.recordFolder, 'record.json')))
    expect(record.steps.map(({ step }) => step)).toEqual(['check-machine', 'check-plan', 'make-keys'])
    expect(record.steps.at(-1)?.observed).toMatch(/^6 keys made for 2 tenants, linted and sealed\./)
    expect(record.approvals.map(({ step, approvals }) => [step, approvals.length])).toEqual([['make-keys', 2]])
    expect(Object.keys(signatures).sort()).toEqual(['ada', 'blaise', 'emmy', 'grace'])
    expect(JSON.parse(record.plan)).toMatchObject({ kind: 'onboard' })
  })

  const REJECTED: [string, object, Code, RegExp][] = [
    [
      'announcement shorter than 24 hours',
      { policy: { propagationTime: '23h' } },
      'policy-rejected',
      /Announce keys for 1 day or more\. This plan says 23 hours\./,
    ],
    [
      'announcement shorter than the longest cache and its sum',
      { relyingParties: [{ name: 'gateway', cache: '14d' }] },
      'policy-rejected',
      /Announce keys for 14 days, 1 hour, 5 minutes or more\. This plan says 14 days\./,
    ],
    [
      'retention shorter than extension, lifetime and skew',
      { policy: { retentionDuration: '7d' } },
      'policy-rejected',
      /Publish retired keys for 7 days, 1 hour, 5 minutes or more\. This plan says 7 days\./,
    ],
    [
      'more than eight keys published',
      { specs: ['RS256', 'PS256', 'ES256', 'ES384'], policy: { rotationInterval: '20d' } },
      'policy-rejected',
      /At most 8 keys may be published at a time\. This plan would publish 12\./,
    ],
    [
      'an issuer with a port',
      { issuer: 'https://new.example.com:8443' },
      'issuer-url-invalid',
      /not of the allowed form/,
    ],
    ['an issuer of another tenant', { issuer: 'https://acme.example.com' }, 'ceremony-conflict', /another tenant/],
  ]

  it.each(REJECTED)('%s is refused with the sum, and nothing is changed', async (_, tenant, code, message) => {
    const room = onboardedRoom()
    const { message: said } = await room.refused(
      { kind: 'onboard', tenants: [tenantPlan('new', tenant as never)] },
      code,
    )
    expect(said).toMatch(message)
  })

  it('a tenant that exists is refused, also twice in one plan', async () => {
    const room = onboardedRoom()
    await room.refused(
      { kind: 'onboard', tenants: [tenantPlan('acme', { issuer: 'https://b.example.com' })] },
      'ceremony-conflict',
    )
    const twice = [tenantPlan('new'), tenantPlan('new', { issuer: 'https://b.example.com' })]
    await room.refused({ kind: 'onboard', tenants: twice }, 'ceremony-conflict')
    await room.refused(
      { kind: 'onboard', tenants: [tenantPlan('one'), tenantPlan('two', { issuer: 'https://one.example.com' })] },
      'ceremony-conflict',
    )
  })

  const TOO_LONG: [string, object][] = [
    ['a rotation interval', { policy: { rotationInterval: '4000d', horizon: 1 } }],
    ['a retention', { policy: { retentionDuration: '4000d' } }],
    ['a cache', { policy: { propagationTime: '60d' }, relyingParties: [{ name: 'gateway', cache: '31d' }] }],
  ]
  it.each(TOO_LONG)('%s longer than any event holds is refused before anything is written', async (_, tenant) => {
    await onboardedRoom().refused({ kind: 'onboard', tenants: [tenantPlan('new', tenant as never)] }, 'policy-rejected')
  })
})

describe('a new key is refused', () => {
  const others = () => [...onboarded.state.keys.values()]

  it('when the vault made it before: nothing is sealed', async () => {
    const room = onboardedRoom()
    const old = others().find((key) => key.spec === 'ES256')
    const plan = { kind: 'onboard', tenants: [tenantPlan('new', { policy: { horizon: 1, materialAhead: 0 } })] }
    const work = room.run(plan, {
      ports: (ports) => ({
        ...ports,
        makeKeys: async (jobs, onProgress) => {
          const made = await ports.makeKeys(jobs, onProgress)
          const [first] = made.get('new')?.keys ?? []
          if (first && old) first.jwk = old.jwk
          return made
        },
      }),
    })
    await expect(work).rejects.toMatchObject({ code: 'key-refused', message: expect.stringContaining('made before') })
    const state = await room.state()
    expect(state.tenants.has('new')).toBe(false)
    expect(state.sealed.size).toBe(onboarded.state.sealed.size)
  })

  it('when the generator answers with another kind than was asked for', async () => {
    const room = onboardedRoom()
    const work = room.run(
      { kind: 'onboard', tenants: [tenantPlan('new')] },
      {
        ports: (ports) => ({
          ...ports,
          makeKeys: (jobs, done) =>
            ports.makeKeys(
              jobs.map((job) => ({ ...job, specs: ['Ed25519'] })),
              done,
            ),
        }),
      },
    )
    await expect(work).rejects.toMatchObject({ code: 'generator-failed' })
    expect((await room.state()).tenants.has('new')).toBe(false)
  })
})

describe('rotate', () => {
  it('makes the keys that the horizon lacks, in their place, and only for tenants whose horizon runs out', async () => {
    const room = onboardedRoom()
    const before = await room.state()
    room.clock.to(T0 + 100 * DAY)
    const { state } = await room.run({ kind: 'rotate', tenants: ['acme'] })
    const keys = keysOf(state, 'acme')
    expect(keys).toHaveLength(4)
    expect(keys[3]?.times).toMatchObject({ signFrom: keys[2]?.times.signUntil, propagation: 'full' })
    expect(keysOf(state, 'globex')).toEqual(keysOf(before, 'globex'))
  })

  it('a horizon that is full needs no key: refused, nothing changed', async () => {
    const room = onboardedRoom()
    await room.refused({ kind: 'rotate', tenants: 'all' }, 'ceremony-conflict')
    room.clock.to(T0 + 100 * DAY)
    await room.refused({ kind: 'rotate', tenants: 'all', endingWithin: '30d' }, 'ceremony-conflict')
  })

  it('chooses by the end of the schedule with endingWithin', async () => {
    const room = onboardedRoom()
    const slow = { policy: { rotationInterval: '200d' } }
    await room.onboard(tenantPlan('slow', slow))
    room.clock.to(T0 + 210 * DAY)
    const { state } = await room.run({ kind: 'rotate', tenants: 'all', endingWithin: '120d' })
    expect(keysOf(state, 'acme')).toHaveLength(5)
    expect(keysOf(state, 'slow')).toHaveLength(3)
  })

  it('that comes some days late announces at once and in full, while the last key goes on within its extension', async () => {
    const room = onboardedRoom()
    const end = T0 + 270 * DAY
    const last = keysOf(await room.state(), 'acme').at(-1)
    const signUntil = last?.times.signUntil ?? 0
    expect(Math.abs(signUntil - end)).toBeLessThan(DAY)
    room.clock.to(signUntil - 14 * DAY + 5 * DAY)
    const { state } = await room.run({ kind: 'rotate', tenants: ['acme'] })
    const next = keysOf(state, 'acme')[3]?.times
    if (!next) throw new Error('no next key')
    expect(next.signFrom - next.announceAt).toBe(14 * DAY)
    expect(next.signFrom).toBeGreaterThan(signUntil)
    expect(next.signFrom).toBeLessThanOrEqual(last?.times.extendUntil ?? 0)
    expect(next.propagation).toBe('full')
  })

  it('that comes later than the extension allows is refused with the time that is missing, and points to an emergency', async () => {
    const room = onboardedRoom()
    const signUntil = keysOf(await room.state(), 'acme').at(-1)?.times.signUntil ?? 0
    room.clock.to(signUntil - 6 * DAY)
    const { message } = await room.refused({ kind: 'rotate', tenants: ['acme'] }, 'policy-rejected')
    expect(message).toMatch(/needs 14 days of announcement.*emergency ceremony/)
  })
})
