import { generatePrimeSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KEY_SPECS, type KeySpec, type PublicJwk } from '../../shared/domain/algorithms.ts'
import { checkTaken, decideImport } from '../../shared/domain/imported.ts'
import { type ScheduledKey, signerAt } from '../../shared/domain/key.ts'
import type { KeyJob } from '../../shared/domain/key-jobs.ts'
import { checkPolicy, DAY, DEFAULT_POLICY, type Policy } from '../../shared/domain/policy.ts'
import { checkSchedule, extendSchedule, firstKey, importedKey } from '../../shared/domain/schedule.ts'
import { emptyState, type VaultKey } from '../../shared/domain/state.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'

const T0 = 1_772_323_200
const tenant = (policy: Policy) => ({
  tenant: 'legacy',
  name: 'Legacy',
  issuer: 'https://legacy.example.com',
  policy,
  relyingParties: [],
})
const scheduled = ({ label, spec, times, standby }: KeyJob): ScheduledKey => ({ kid: label, spec, standby, ...times })
const code = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (isKeyriteError(error)) return error.code
    throw error
  }
  return 'none'
}

/** Policies that are allowed, whatever they are. */
const policies = fc
  .record({
    rotationInterval: fc.integer({ min: 14, max: 400 }).map((days) => days * DAY),
    propagationTime: fc.integer({ min: 1, max: 30 }).map((days) => days * DAY),
    extension: fc.integer({ min: 0, max: 14 }).map((days) => days * DAY),
    retentionDuration: fc.integer({ min: 8, max: 40 }).map((days) => days * DAY),
    horizon: fc.integer({ min: 1, max: 4 }),
    signingAlgorithms: fc.subarray(['ES256', 'RS256', 'Ed25519'] as KeySpec[], { minLength: 1 }),
  })
  .map((some): Policy => ({ ...DEFAULT_POLICY, ...some, materialAhead: 0 }))
  .filter((policy) => code(() => checkPolicy(policy)) === 'none')

describe('an imported key', () => {
  it('property: whatever the policy, it signs first, its successors are announced in full, and the schedule has no gap', () => {
    fc.assert(
      fc.property(policies, fc.nat(100), (policy, part) => {
        const { rotationInterval, propagationTime } = policy
        const signFor = propagationTime + Math.floor(((rotationInterval - propagationTime) * part) / 100)
        const [spec] = policy.signingAlgorithms
        if (!spec) return
        const { places, jobs } = decideImport(emptyState(''), tenant(policy), [spec], signFor, T0)
        const keys = [...places, ...jobs].map(scheduled)
        expect(checkSchedule(policy, keys, new Set())).toEqual([])
        const same = keys.filter((key) => KEY_SPECS[key.spec].alg === KEY_SPECS[spec].alg)
        expect(same.filter((key) => key.propagation === 'none (imported key)')).toHaveLength(1)
        expect(keys.every((key) => key.propagation !== 'none (first key)')).toBe(true)
        const ready = () => ({ hasPrivate: true, tainted: false, firstPublishedAt: null })
        for (let at = T0; at < T0 + signFor + rotationInterval; at += Math.max(DAY, Math.floor(rotationInterval / 50)))
          expect(signerAt(same, ready, propagationTime, at)).not.toBeNull()
      }),
      { numRuns: 200 },
    )
  })

  it('comes before all others: one that follows another key is a finding', () => {
    const first = firstKey(DEFAULT_POLICY, T0)
    const late = importedKey(DEFAULT_POLICY, first.signUntil, 30 * DAY)
    const keys = [first, late].map((times, at): ScheduledKey => ({ kid: `k${at}`, spec: 'RS256', ...times }))
    expect(checkSchedule(DEFAULT_POLICY, keys, new Set())).toEqual([
      { kid: 'k1', message: 'an imported key comes before all others' },
    ])
  })

  it('lint: a key twice in one plan, another size, and a weak one are refused in one voice', () => {
    const jwk: PublicJwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    const one = { file: 'a.pem', spec: 'Ed25519', kid: 'k', jwk } as const
    expect(code(() => checkTaken(emptyState(''), [one]))).toBe('none')
    expect(code(() => checkTaken(emptyState(''), [one, one]))).toBe('key-refused')
    expect(code(() => checkTaken(emptyState(''), [{ ...one, spec: 'ES256' }]))).toBe('key-refused')
  })
})

describe('a shared factor', () => {
  const [shared, one, two] = [0, 1, 2].map(() => generatePrimeSync(1024, { bigint: true }))
  const modulus = (a = 1n, b = 1n): PublicJwk => {
    const bytes = Buffer.from((a * b).toString(16), 'hex')
    return { kty: 'RSA', n: bytes.toString('base64url'), e: 'AQAB' }
  }
  const taken = (jwk: PublicJwk) => ({ file: 'a.pem', spec: 'RS256' as const, kid: thumbprint(jwk), jwk })

  it('with a key of the vault, or of the same plan, is refused; alone the same keys pass', () => {
    const [first, second] = [taken(modulus(shared, one)), taken(modulus(shared, two))]
    const state = emptyState('')
    expect(code(() => checkTaken(state, [first]))).toBe('none')
    expect(code(() => checkTaken(state, [second]))).toBe('none')
    expect(code(() => checkTaken(state, [first, second]))).toBe('key-refused')
    state.keys.set(first.kid, { tenant: 'acme', kid: first.kid, label: 'acme', jwk: first.jwk } as VaultKey)
    expect(code(() => checkTaken(state, [second]))).toBe('key-refused')
    expect(code(() => checkTaken(state, [first]))).toBe('key-refused')
    state.keys.set(first.kid, { ...state.keys.get(first.kid), destroyed: { at: 1, reason: 'x' } } as VaultKey)
    expect(code(() => checkTaken(state, [first]))).toBe('tombstone-hit')
    expect(code(() => checkTaken(state, [second]))).toBe('key-refused')
  })
})

describe('the announcement of keys that exist', () => {
  const keys = extendSchedule(DEFAULT_POLICY, [], T0).map(
    (times, at): ScheduledKey => ({ kid: `k${at}`, spec: 'RS256', ...times }),
  )
  const slower = { ...DEFAULT_POLICY, propagationTime: 20 * DAY }

  it('is judged by the policy of its time once a key signs, and by the new one before', () => {
    const wrong = (from: number) => checkSchedule(slower, keys, new Set(), from).map(({ kid }) => kid)
    expect(wrong(T0)).toEqual(['k1', 'k2'])
    expect(wrong(keys[1]?.signFrom ?? 0)).toEqual(['k2'])
    expect(wrong(keys[2]?.signFrom ?? 0)).toEqual([])
    expect(checkSchedule(slower, keys, new Set()).map(({ kid }) => kid)).toEqual(['k1', 'k2'])
  })
})
