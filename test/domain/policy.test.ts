import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KEY_SPEC_NAMES, KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import { amendedObjects, madeObjects } from '../../shared/domain/objects.ts'
import {
  algorithmName,
  checkPolicy,
  DAY,
  DEFAULT_POLICY,
  HOUR,
  LATER_POLICY,
  leastPropagation,
  leastRetention,
  MAX_SLOTS,
  MINUTE,
  type Policy,
  spellDuration,
} from '../../shared/domain/policy.ts'
import { cutSlots } from '../../shared/domain/slots.ts'
import { policySchema, writtenPolicySchema } from '../../shared/formats/common.ts'
import { accepted, anyPolicy, POLICIES, policyOf, START, scheduleOf } from './world.ts'

const WEEK = 7 * DAY

describe('the default policy (lifecycle.md, "Policy")', () => {
  it('is 90 days of signing, 14 of announcement, 14 of retention, 7 of extension, tokens of 1 hour, RS256', () => {
    expect(DEFAULT_POLICY).toEqual({
      rotationInterval: 90 * DAY,
      propagationTime: 14 * DAY,
      retentionDuration: 14 * DAY,
      extension: 7 * DAY,
      accessTokenLifetime: HOUR,
      destroyPrivateAtRetirement: true,
      destructionCoolingOff: 0,
      signingAlgorithms: ['RS256'],
      slotLength: 30 * DAY,
      horizon: 2,
      materialAhead: 1,
      standby: 'none',
      tokenType: 'at+jwt',
      ed25519Name: 'Ed25519',
      x509: false,
    })
    expect(() => checkPolicy(DEFAULT_POLICY)).not.toThrow()
  })

  it('a destruction waits 30 days at most: while it does, the vault holds no other ceremony', () => {
    expect(() => checkPolicy(policyOf({ destructionCoolingOff: 30 * DAY }))).not.toThrow()
    expect(() => checkPolicy(policyOf({ destructionCoolingOff: 30 * DAY + 1 }))).toThrow(
      expect.objectContaining({ code: 'policy-rejected' }),
    )
  })

  it.each(Object.keys(POLICIES))('the policy of these tests %s is accepted', (name) => {
    expect(() => checkPolicy(POLICIES[name] ?? policyOf())).not.toThrow()
  })
})

describe('members that came later', () => {
  const { tokenType, ed25519Name, x509, ...older } = DEFAULT_POLICY

  it('a policy from before reads with their defaults, and what was written stays as it was', () => {
    expect(policySchema.parse(older)).toEqual(DEFAULT_POLICY)
    expect(writtenPolicySchema.parse(older)).toEqual(older)
    expect({ tokenType, ed25519Name, x509 }).toEqual(LATER_POLICY)
  })

  it('what an approval covers is the same for a policy that leaves them out, and another where they differ', () => {
    const event = {
      type: 'tenant-amended',
      tenant: 'acme',
      name: 'A',
      policy: DEFAULT_POLICY,
      relyingParties: [],
    } as const
    const approved = (policy: Policy) => amendedObjects([{ ...event, relyingParties: [], policy }])
    expect(approved(DEFAULT_POLICY)).toEqual({ amend: [{ ...event, policy: older }] })
    for (const change of [{ tokenType: 'JWT' }, { ed25519Name: 'EdDSA' }, { x509: true }] as const) {
      const said = { amend: [{ ...event, policy: { ...older, ...change } }] }
      expect(approved({ ...DEFAULT_POLICY, ...change })).toEqual(said)
    }
    const added = { ...event, type: 'tenant-added' as const, issuer: 'https://acme.example.com', relyingParties: [] }
    expect(madeObjects([added], []).tenants).toEqual([{ ...added, policy: older }])
  })

  it('only the name of Ed25519 keys is chosen; every other algorithm has one name', () => {
    for (const ed25519Name of ['Ed25519', 'EdDSA'] as const)
      for (const spec of KEY_SPEC_NAMES)
        expect(algorithmName(spec, { ed25519Name })).toBe(spec === 'Ed25519' ? ed25519Name : KEY_SPECS[spec].alg)
  })

  it('certificates count: a policy whose signed key sets would not fit into a bundle is rejected', () => {
    const many = policyOf({ slotLength: DAY, horizon: 3 })
    expect(accepted(many)).toBe(true)
    expect(() => checkPolicy({ ...many, x509: true })).toThrow(
      expect.objectContaining({ code: 'policy-rejected', message: expect.stringContaining('With certificates') }),
    )
    expect(accepted({ ...many, x509: true, slotLength: 10 * DAY })).toBe(true)
    expect(accepted({ ...many, x509: true, signingAlgorithms: ['ES256'] })).toBe(true)
    expect(accepted({ ...DEFAULT_POLICY, x509: true })).toBe(true)
  })
})

describe('propagationTime is at least 24 h, and at least the longest registered cache + JWKS max-age + skew', () => {
  it.each([
    ['nobody registered', [], DAY],
    ['no cache', [0], DAY],
    ['a cache of 22 h 55 min: still 24 h', [23 * HOUR - 5 * MINUTE], DAY],
    ['one second more', [23 * HOUR - 5 * MINUTE + 1], DAY + 1],
    ['the longest of several counts', [60, WEEK, DAY], WEEK + HOUR + 5 * MINUTE],
  ])('%s', (_what, caches, least) => {
    const parties = caches.map((cacheSeconds, index) => ({
      name: `party ${index}`,
      cacheSeconds,
      refreshesOnUnknownKid: false,
    }))
    expect(leastPropagation(parties)).toBe(least)
    const wide = { rotationInterval: 30 * DAY }
    expect(accepted(policyOf({ ...wide, propagationTime: least }), parties)).toBe(true)
    expect(accepted(policyOf({ ...wide, propagationTime: least - 1 }), parties)).toBe(false)
  })
})

describe('retentionDuration is at least extension + accessTokenLifetime + 300 s', () => {
  it('the sum is exact and one second less is rejected', () =>
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const least = leastRetention(policy)
        expect(least).toBe(policy.extension + policy.accessTokenLifetime + 300)
        expect(accepted({ ...policy, retentionDuration: least })).toBe(true)
        expect(accepted({ ...policy, retentionDuration: least - 1 })).toBe(false)
      }),
    ))

  it('the rejection shows the sum', () => {
    expect(() => checkPolicy(policyOf({ retentionDuration: DAY }))).toThrow(
      expect.objectContaining({
        code: 'policy-rejected',
        message: 'Publish retired keys for 7 days, 1 hour, 5 minutes or more. This plan says 1 day.',
      }),
    )
  })
})

describe('each rule has its edge: the last value that holds and the first that does not', () => {
  const four: KeySpec[] = ['RS256', 'PS256', 'ES256', 'Ed25519']
  it.each<[string, Partial<Policy>, Partial<Policy>]>([
    [
      'a key signs at least as long as its successor is announced',
      { rotationInterval: 14 * DAY },
      { rotationInterval: 14 * DAY - 1 },
    ],
    ['a slot lasts at least a day', { slotLength: DAY }, { slotLength: DAY - 1 }],
    ['a slot lasts at most 30 days', { slotLength: 30 * DAY }, { slotLength: 30 * DAY + 1 }],
    ['a token lives at least a minute', { accessTokenLifetime: MINUTE }, { accessTokenLifetime: MINUTE - 1 }],
    ['a token lives at most a day', { accessTokenLifetime: DAY }, { accessTokenLifetime: DAY + 1 }],
    ['no extension is allowed', { extension: 0 }, { extension: -1 }],
    [
      'an extension is at most one rotation',
      { extension: 90 * DAY, retentionDuration: 100 * DAY },
      { extension: 90 * DAY + 1, retentionDuration: 100 * DAY },
    ],
    ['at least one future key', { horizon: 1 }, { horizon: 0, materialAhead: 0 }],
    ['at most twelve future keys', { horizon: 12 }, { horizon: 13 }],
    ['no more material ahead than keys are made', { materialAhead: 2 }, { materialAhead: 3 }],
    ['no material ahead is allowed', { materialAhead: 0 }, { materialAhead: -1 }],
    ['one algorithm at least', { signingAlgorithms: ['ES256'] }, { signingAlgorithms: [] }],
    ['four algorithms at most', { signingAlgorithms: four }, { signingAlgorithms: [...four, 'ES384'] }],
    ['each algorithm once', { signingAlgorithms: ['RS256', 'PS256'] }, { signingAlgorithms: ['RS256', 'RS256-4096'] }],
    [
      'at most 8 published keys',
      { signingAlgorithms: four, propagationTime: 40 * DAY, retentionDuration: 50 * DAY },
      { signingAlgorithms: four, propagationTime: 40 * DAY, retentionDuration: 50 * DAY + 1 },
    ],
  ])('%s', (_rule, holds, fails) => {
    expect(accepted(policyOf(holds))).toBe(true)
    expect(() => checkPolicy(policyOf(fails))).toThrow(expect.objectContaining({ code: 'policy-rejected' }))
  })

  it('a policy that would publish too many keys is rejected with the count', () => {
    const policy = policyOf({ rotationInterval: 14 * DAY, retentionDuration: 90 * DAY })
    expect(() => checkPolicy(policy)).toThrow(
      expect.objectContaining({ message: 'At most 8 keys may be published at a time. This plan would publish 9.' }),
    )
  })
})

describe('an accepted policy can be carried out', () => {
  it('a policy whose bundle would hold more than 400 slots is rejected with the count', () => {
    const policy = policyOf({ rotationInterval: 180 * DAY, slotLength: DAY })
    expect(cutSlots(policy, scheduleOf(policy, [START]), new Set(), START).length).toBeGreaterThan(MAX_SLOTS)
    expect(() => checkPolicy(policy)).toThrow(
      expect.objectContaining({ code: 'policy-rejected', message: expect.stringContaining('567') }),
    )
    expect(accepted({ ...policy, slotLength: 2 * DAY })).toBe(true)
  })

  it('every accepted policy gives a schedule within the limits of a bundle: 64 keys, 400 slots, and its own schema', () =>
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const keys = scheduleOf(policy, [START])
        expect(keys.length).toBeLessThanOrEqual(64)
        expect(cutSlots(policy, keys, new Set(), START).length).toBeLessThanOrEqual(MAX_SLOTS)
        expect(policySchema.safeParse(policy).success).toBe(true)
      }),
    ))
})

describe('spellDuration', () => {
  it.each([
    [0, '0 seconds'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, '1 minute'],
    [3600, '1 hour'],
    [86_400, '1 day'],
    [90_061, '1 day, 1 hour, 1 minute, 1 second'],
    [2 * 86_400 + 120, '2 days, 2 minutes'],
  ])('%i is "%s"', (seconds, text) => expect(spellDuration(seconds)).toBe(text))

  it('says exactly the same length again', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (seconds) => {
        const units: Record<string, number> = { day: DAY, hour: HOUR, minute: MINUTE, second: 1 }
        const sum = spellDuration(seconds)
          .split(', ')
          .map((part) => part.split(' '))
          .reduce(
            (total, [count, unit]) => total + Number(count) * (units[(unit ?? '').replace(/s$/, '')] ?? Number.NaN),
            0,
          )
        expect(sum).toBe(seconds)
      }),
    ))
})
