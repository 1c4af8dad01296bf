import { generateKeyPairSync, generatePrimeSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { PublicJwk } from '../../shared/domain/algorithms.ts'
import { auditKeys } from '../../shared/domain/key-audit.ts'
import type { VaultKey } from '../../shared/domain/state.ts'

const keyOf = (kid: string, jwk: PublicJwk, more: Partial<VaultKey> = {}): VaultKey =>
  ({ kid, tenant: 'acme', label: kid, spec: jwk.kty === 'RSA' ? 'RS256' : 'Ed25519', jwk, ...more }) as VaultKey

/** The product of primes of 1024 bits whose first two bits are ones. */
const rsa = (p: bigint, q: bigint): PublicJwk => ({
  kty: 'RSA',
  n: Buffer.from((p * q).toString(16), 'hex').toString('base64url'),
  e: 'AQAB',
})
const prime = (): bigint => {
  const found = generatePrimeSync(1024, { bigint: true })
  return found >> 1022n === 3n ? found : prime()
}
const [p, q, r, s, t] = [prime(), prime(), prime(), prime(), prime()] as const
const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
const sound = [keyOf('one', rsa(p, q)), keyOf('two', rsa(r, s)), keyOf('three', { kty: 'OKP', crv: 'Ed25519', x })]

describe('auditing every key of a vault again', () => {
  it('sound keys are not named', () => {
    expect(auditKeys(sound)).toEqual([])
    expect(auditKeys([])).toEqual([])
  })

  it('keys that share a prime factor are named, a destroyed one too', () => {
    const gone = keyOf('gone', rsa(q, t), { destroyed: { at: 1, reason: 'retired' } })
    const found = auditKeys([...sound, gone])
    expect(found.map(({ key }) => key.kid)).toEqual(['one', 'gone'])
    for (const { findings } of found) expect(findings).toEqual([expect.stringMatching(/shares a prime factor/)])
  })

  it('what lint finds alone and what the comparison finds stand together', () => {
    const weak = { ...rsa(p, t), e: 'Aw' } as PublicJwk
    const found = auditKeys([...sound, keyOf('weak', weak)])
    expect(found.map(({ key, findings }) => [key.kid, findings.length])).toEqual([
      ['one', 1],
      ['weak', 2],
    ])
  })
})
