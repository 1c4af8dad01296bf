import { generateKeyPairSync, generatePrimeSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { KeySpec, PublicJwk } from '../../shared/domain/algorithms.ts'
import { publicJwkSchema } from '../../shared/formats/common.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { sealTo } from '../../shared/formats/jwe.ts'
import { materialBinding, materialTyp } from '../../shared/formats/material.ts'
import {
  alarmsOf,
  codeOf,
  entryOf,
  makeHandoff,
  makeKey,
  makeRuntime,
  makeTenant,
  makeVault,
  policyWith,
  rawBundle,
  rawMaterial,
  signSlots,
  stateOf,
  type TestTenant,
} from '../issuer/fixtures.ts'

const encode = (value: bigint) => {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
}
const prime = (bits: number) => generatePrimeSync(bits, { bigint: true, safe: false })
const rsa = (n: bigint, e = 65537n): PublicJwk => ({ kty: 'RSA', n: encode(n), e: encode(e) })

/** A product of two primes with exactly `bits` bits. */
function modulus(bits: number, p = prime(bits / 2)): bigint {
  for (;;) {
    const n = p * prime(bits - p.toString(2).length)
    if (n.toString(2).length === bits) return n
    const m = p * prime(bits - p.toString(2).length + 1)
    if (m.toString(2).length === bits) return m
  }
}

const withKeys = (tenant: string, spec: KeySpec, keys: PublicJwk[]): TestTenant => {
  const made = makeTenant(tenant, { policy: policyWith({ signingAlgorithms: [spec], horizon: 2 }) })
  keys.forEach((jwk, index) => {
    const key = made.keys[index]
    if (key) Object.assign(key, { jwk, kid: thumbprint(jwk) })
  })
  return made
}

const EC = publicJwkSchema.parse(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }))
const offCurve = { ...EC, x: Buffer.from(randomBytes(32).fill(1, 0, 1)).toString('base64url') } as PublicJwk

const WEAK: [string, KeySpec, () => PublicJwk][] = [
  ['an RSA key of 512 bits', 'RS256', () => rsa(modulus(512))],
  ['an RSA key of 1024 bits as RS256', 'RS256', () => rsa(modulus(1024))],
  ['an RSA key with e = 1', 'RS256', () => rsa(modulus(2048), 1n)],
  ['an RSA key with e = 3', 'PS256', () => rsa(modulus(2048), 3n)],
  ['an even modulus', 'RS256', () => rsa(modulus(2048) + 1n)],
  ['a point that is not on P-256', 'ES256', () => offCurve],
  ['a P-256 key as ES384', 'ES384', () => EC],
  ['an Ed25519 point of small order', 'Ed25519', () => ({ kty: 'OKP', crv: 'Ed25519', x: `AQ${'A'.repeat(41)}` })],
]

describe('fault 19, weak keys under a real root signature', () => {
  it.each(WEAK)('%s is refused at import as key-refused, with an alarm', async (_what, spec, key) => {
    const vault = await makeVault()
    const made = await makeRuntime(vault)
    const before = await stateOf(made.runtime)
    const line = await signSlots(vault, entryOf(withKeys('acme', spec, [key()])))
    const { bundle } = await rawBundle(vault, made.folder, [canonicalText(line)])
    expect(await codeOf(() => made.runtime.importFiles([bundle]))).toBe('key-refused')
    expect(await stateOf(made.runtime)).toBe(before)
    expect(await alarmsOf(made)).toEqual(['key-refused'])
  })

  it('the writer refuses the same keys, and leaves no file', async () => {
    const vault = await makeVault()
    const { folder } = await makeRuntime(vault)
    for (const [what, spec, key] of WEAK)
      expect(await codeOf(() => makeHandoff(vault, folder, [withKeys('acme', spec, [key()])])), what).toBe(
        'key-refused',
      )
  })

  it('a factor shared with another tenant of the same bundle, or of an earlier one, is refused', async () => {
    const vault = await makeVault()
    const p = prime(1024)
    const [first, second] = [rsa(modulus(2048, p)), rsa(modulus(2048, p))]
    const [acme, beta] = [withKeys('acme', 'RS256', [first]), withKeys('beta', 'RS256', [second])]
    const { runtime, folder } = await makeRuntime(vault)
    const before = await stateOf(runtime)
    const both = await makeHandoff(vault, folder, [acme, beta])
    expect(await codeOf(() => runtime.importFiles([both.bundle]))).toBe('key-refused')
    expect(await stateOf(runtime)).toBe(before)
    const one = await makeHandoff(vault, folder, [acme])
    await runtime.importFiles([one.bundle])
    const after = await stateOf(runtime)
    const two = await makeHandoff(vault, folder, [beta], { previous: one })
    expect(await codeOf(() => runtime.importFiles([two.bundle]))).toBe('key-refused')
    expect(await stateOf(runtime)).toBe(after)
  })

  it.each([
    ['another private key', () => makeKey('ES256').pkcs8],
    ['a private key of another type', () => makeKey('Ed25519').pkcs8],
    ['no key at all', () => new Uint8Array(100)],
    [
      'a private key whose public half was exchanged',
      (good: Uint8Array) => Uint8Array.from([...makeKey('ES256').pkcs8.slice(0, 70), ...good.slice(70)]),
    ],
  ])('%s in the material is refused as key-refused', async (_what, pkcs8) => {
    const vault = await makeVault()
    const { runtime, folder, transportKey } = await makeRuntime(vault)
    const tenant = makeTenant('acme')
    const handoff = await makeHandoff(vault, folder, [tenant])
    const [[kid, good] = ['', new Uint8Array()]] = [...tenant.secrets]
    const binding = materialBinding({ tenant: 'acme', key: kid, runtimeId: 'eu-one', number: 1 })
    const recipient = { kid: thumbprint(transportKey), jwk: transportKey }
    const jwe = await sealTo(recipient, materialTyp(false), pkcs8(good), binding)
    const material = await rawMaterial(vault, folder, handoff, transportKey, [jwe])
    const before = await stateOf(runtime)
    expect(await codeOf(() => runtime.importFiles([handoff.bundle, material]))).toBe('key-refused')
    expect(await stateOf(runtime)).toBe(before)
  })
})
