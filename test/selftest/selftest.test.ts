import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { assertSelfTest, runSelfTest, SELF_TESTS, type SelfTest } from '../../electron/selftest/selftest.ts'
import { ALGORITHM_NAMES } from '../../shared/domain/algorithms.ts'

describe('the start-up self-test', () => {
  it('passes on this platform', () => {
    expect(runSelfTest().filter(({ passed }) => !passed)).toEqual([])
    expect(() => assertSelfTest()).not.toThrow()
  })

  it('covers every algorithm that Keyrite offers: a known answer and a round for each that signs', () => {
    const covered = SELF_TESTS.map(({ algorithm }) => algorithm)
    for (const algorithm of ALGORITHM_NAMES) {
      expect(covered.filter((name) => name === algorithm).length, algorithm).toBeGreaterThanOrEqual(2)
    }
    for (const name of ['SHA-256', 'HMAC-SHA-256', 'HKDF-SHA-256', 'AES-256-GCM', 'ECDH P-256', 'canonical JSON']) {
      expect(covered).toContain(name)
    }
  })

  it.each(SELF_TESTS.map((test, at) => [at, test.algorithm] as const))(
    'test %i: a wrong answer names %s',
    (at, algorithm) => {
      const broken = SELF_TESTS.map(
        (test, i): SelfTest => (i === at ? { ...test, expected: `${test.expected}0` } : test),
      )
      expect(runSelfTest(broken).filter(({ passed }) => !passed)).toEqual([{ algorithm, passed: false }])
      expect(() => assertSelfTest(broken)).toThrow(
        expect.objectContaining({ code: 'self-test-failed', message: expect.stringContaining(`: ${algorithm}.`) }),
      )
    },
  )

  it('a platform without the algorithm counts as failed, and its own words are not repeated', () => {
    const missing: SelfTest = {
      algorithm: 'SHA-256',
      expected: '',
      run: () => createHash('no such hash').update('').digest('hex'),
    }
    expect(() => assertSelfTest([missing, missing])).toThrow(/failed for: SHA-256\.$/)
  })

  it('takes less than 100 ms', () => {
    const times = Array.from({ length: 3 }, () => {
      const start = performance.now()
      runSelfTest()
      return performance.now() - start
    })
    expect(Math.min(...times)).toBeLessThan(100)
  })
})
