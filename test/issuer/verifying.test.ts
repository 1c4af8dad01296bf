import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSigner, toDer, verifySignature } from '../../electron/issuer/signing.ts'
import { signedBy } from '../../electron/issuer/verifying.ts'
import { selfSigned } from '../../electron/keys/certificate.ts'
import { KEY_SPEC_NAMES } from '../../shared/domain/algorithms.ts'
import { DAY } from '../../shared/domain/policy.ts'
import { type SignedSlot, signJwkSet, type TenantLine } from '../../shared/formats/bundle.ts'
import { checkTenantLine, keySet, type TenantEntry } from '../../shared/formats/bundle-check.ts'
import { toBase64url, toHex, utf8 } from '../../shared/formats/bytes.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import {
  codeOf,
  entryOf,
  makeKey,
  makeTenant,
  makeVault,
  policyWith,
  signSlots,
  T0,
  type TestVault,
} from './fixtures.ts'

describe('an ECDSA signature in DER', () => {
  const table: [string, string, string, string][] = [
    ['small numbers lose their leading zeros', '01', '02', '3006020101020102'],
    ['a leading bit that is set gets a zero before it', '80', 'ff', '300802020080020200ff'],
    ['zero stays one byte', '00', '7f', '300602010002017f'],
    [
      'full numbers stay as they are',
      '7f'.repeat(32),
      '01'.repeat(32),
      `3044022${0}${'7f'.repeat(32)}0220${'01'.repeat(32)}`,
    ],
    [
      'full numbers with the leading bit',
      'ff'.repeat(32),
      '80'.repeat(32),
      `3046022100${'ff'.repeat(32)}022100${'80'.repeat(32)}`,
    ],
  ]
  it.each(table)('%s', (_, r, s, der) => {
    const bytes = Buffer.from(r.padStart(64, '0') + s.padStart(64, '0'), 'hex')
    expect(toHex(toDer(bytes))).toBe(der)
  })

  it.each([
    ['P-256', 'sha256'],
    ['P-384', 'sha384'],
  ])('of %s is what Node makes of the form of JOSE: both verify, or neither', (namedCurve, hash) => {
    const { privateKey, publicKey: key } = generateKeyPairSync('ec', { namedCurve })
    const jose = { dsaEncoding: 'ieee-p1363' } as const
    const bit = fc.option(fc.nat({ max: 511 }))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bit, (input, flipped) => {
        const signature = sign(hash, input, { key: privateKey, ...jose })
        if (flipped !== null) signature[flipped >> 3] = (signature[flipped >> 3] ?? 0) ^ (1 << (flipped & 7))
        const expected = verify(hash, input, { key, ...jose }, signature)
        expect(expected).toBe(flipped === null)
        expect(verify(hash, input, key, toDer(signature))).toBe(expected)
      }),
      { numRuns: 300 },
    )
  })

  it.each(KEY_SPEC_NAMES.filter((spec) => !/3072|4096/.test(spec)))(
    'or not: %s signatures verify for their input alone',
    (spec) => {
      const [one, two] = [makeKey(spec), makeKey(spec)]
      const publicKey = createPublicKey({ key: { ...one.jwk }, format: 'jwk' })
      const signed = ({ pkcs8 }: typeof one) =>
        createSigner(spec, 'kid', createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })).sign(
          'a.b',
        )
      expect(verifySignature(spec, publicKey, 'a.b', signed(one))).toBe(true)
      expect(verifySignature(spec, publicKey, 'a.c', signed(one))).toBe(false)
      expect(verifySignature(spec, publicKey, 'a.b', signed(two))).toBe(false)
      for (const wrong of ['', signed(one).slice(4), `AAAA${signed(one)}`])
        expect(verifySignature(spec, publicKey, 'a.b', wrong), wrong).toBe(false)
    },
  )
})

/** What a check of this line says with the strict reader alone, and with the fast road before it. */
async function both(line: TenantLine, { anchor }: TestVault): Promise<(string | null)[]> {
  const isSigned = signedBy(anchor.key)
  return [
    await codeOf(() => checkTenantLine(line, T0, anchor)),
    await codeOf(() => checkTenantLine(line, T0, { ...anchor, isSigned })),
  ]
}

async function signedTenant(changes: Parameters<typeof policyWith>[0] = {}) {
  const vault = await makeVault()
  const tenant = makeTenant('acme', { policy: policyWith({ horizon: 1, ...changes }) })
  for (const key of tenant.keys) {
    const pkcs8 = tenant.secrets.get(key.kid)
    const wanted = { issuer: tenant.issuer, from: key.announceAt, to: key.removeAt }
    if (changes.x509 && key.jwk.kty === 'RSA' && pkcs8) key.x5c = [selfSigned(key.spec, pkcs8, wanted)]
  }
  const entry = entryOf(tenant)
  return { vault, entry, line: await signSlots(vault, entry) }
}

describe('the sets of a tenant', () => {
  const policies: [string, Parameters<typeof policyWith>[0]][] = [
    ['P-256 and P-384', { signingAlgorithms: ['ES256', 'ES384'] }],
    ['Ed25519 under its older name', { signingAlgorithms: ['Ed25519'], ed25519Name: 'EdDSA' }],
    ['RSA with certificates', { signingAlgorithms: ['RS256'], x509: true }],
  ]
  it.each(policies)('of %s are all told by their text, signature included, and none is read', async (_, policy) => {
    const { vault, line } = await signedTenant(policy)
    const fast = signedBy(vault.anchor.key)
    const told: boolean[] = []
    const isSigned: typeof fast = (...set) => {
      told.push(fast(...set))
      return told.at(-1) ?? false
    }
    await checkTenantLine(line, T0, { ...vault.anchor, isSigned })
    const sets = line.slots.reduce((sum, { without }) => sum + 1 + Object.keys(without).length, 0)
    expect(told).toEqual(Array.from({ length: sets }, () => true))
    expect(await both(line, vault)).toEqual([null, null])
  })
})

type Text = { header: string; payload: string }
type Spoil = (given: Text, more: { entry: TenantEntry; slot: SignedSlot; kids: string[] }) => Text
const inHeader =
  (change: (header: Record<string, unknown>) => object): Spoil =>
  (given) => ({
    ...given,
    header: JSON.stringify(change(JSON.parse(given.header))),
  })
const inPayload =
  (change: (payload: Record<string, unknown>) => object): Spoil =>
  (given) => ({
    ...given,
    payload: canonicalText(change(JSON.parse(given.payload))),
  })

/** A set truly signed by the root over exactly these texts. */
async function signText({ header, payload }: Text, key: CryptoKey): Promise<string> {
  const input = `${toBase64url(utf8(header))}.${toBase64url(utf8(payload))}`
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, utf8(input))
  return `${input}.${toBase64url(new Uint8Array(signature))}`
}

const textsOf = (jws: string): Text => {
  const [header = '', payload = ''] = jws.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  return { header, payload }
}

const withSet = (line: TenantLine, set: string): TenantLine => ({
  ...line,
  slots: line.slots.map((slot, at) => (at === 0 ? { ...slot, set } : slot)),
})

describe('a set that the root signed is judged as by the strict reader', () => {
  const table: [string, Spoil, string | null][] = [
    ['as it was', (given) => given, null],
    ['another order in the header', inHeader(({ alg, kid, typ }) => ({ typ, kid, alg })), null],
    ['spaces in the payload', (given) => ({ ...given, payload: ` ${given.payload}` }), null],
    [
      'another order in the payload',
      (given) => ({
        ...given,
        payload: JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(given.payload)).reverse())),
      }),
      null,
    ],
    ['no algorithm', inHeader((header) => ({ ...header, alg: 'none' })), 'jose-refused'],
    ['another algorithm', inHeader((header) => ({ ...header, alg: 'ES384' })), 'jose-refused'],
    ['another type', inHeader((header) => ({ ...header, typ: 'JWT' })), 'jose-refused'],
    ['another key named', inHeader((header) => ({ ...header, kid: 'x'.repeat(43) })), 'signature-invalid'],
    ['no key named', inHeader(({ kid: _, ...header }) => header), 'jose-refused'],
    ['a key embedded', inHeader((header) => ({ ...header, jwk: { kty: 'EC' } })), 'jose-refused'],
    ['an address of keys', inHeader((header) => ({ ...header, jku: 'https://example.com' })), 'jose-refused'],
    ['critical members', inHeader((header) => ({ ...header, crit: ['b64'], b64: false })), 'jose-refused'],
    [
      'a member twice in the header',
      (given) => ({ ...given, header: given.header.replace('{', '{"alg":"ES256",') }),
      'jose-refused',
    ],
    [
      'a member twice in the payload',
      (given) => ({ ...given, payload: given.payload.replace('{', '{"exp":1,') }),
      'json-invalid',
    ],
    ['an unknown claim', inPayload((claims) => ({ ...claims, aud: 'x' })), 'format-invalid'],
    ['no JSON', (given) => ({ ...given, payload: 'x' }), 'json-invalid'],
    ['another issuer', inPayload((claims) => ({ ...claims, iss: 'https://globex.example.com' })), 'bundle-refused'],
    ['another subject', inPayload((claims) => ({ ...claims, sub: 'https://globex.example.com' })), 'bundle-refused'],
    ['another bundle', inPayload((claims) => ({ ...claims, iat: T0 - 1 })), 'bundle-refused'],
    ['another start', inPayload((claims) => ({ ...claims, nbf: T0 + 1 })), 'bundle-refused'],
    ['a longer life', inPayload((claims) => ({ ...claims, exp: T0 + 400 * DAY })), 'bundle-refused'],
    ['no keys', inPayload((claims) => ({ ...claims, keys: [] })), 'bundle-refused'],
    [
      'the keys twice',
      inPayload(({ keys, ...claims }) => ({ ...claims, keys: [keys, keys].flat() })),
      'bundle-refused',
    ],
    [
      'a key under another name',
      inPayload(({ keys, ...claims }) => ({
        ...claims,
        keys: [keys].flat().map((key) => Object.assign({}, key, { alg: 'ES384' })),
      })),
      'bundle-refused',
    ],
    [
      'a private member',
      inPayload(({ keys, ...claims }) => ({
        ...claims,
        keys: [keys].flat().map((key) => Object.assign({}, key, { d: 'AAAA' })),
      })),
      'format-invalid',
    ],
    [
      'the keys of another time',
      ({ header, payload }, { entry, kids }) => {
        const others = entry.keys.map(({ kid }) => kid).filter((kid) => !kids.includes(kid))
        return {
          header,
          payload: canonicalText({
            ...JSON.parse(payload),
            keys: keySet(entry.keys, others.slice(0, 1), entry.policy),
          }),
        }
      },
      'bundle-refused',
    ],
  ]
  it.each(table)('%s', async (_, spoil, code) => {
    const { vault, entry, line } = await signedTenant()
    const [slot] = line.slots
    if (!slot) throw new Error('no slot')
    const text = spoil(textsOf(slot.set), { entry, slot, kids: Object.keys(slot.without) })
    expect(await both(withSet(line, await signText(text, vault.root.key)), vault)).toEqual([code, code])
  })
})

describe('a set whose signature does not hold is refused as by the strict reader', () => {
  const table: [string, (jws: string, signature: string) => string, string][] = [
    [
      'a bit of the signature',
      (jws) => jws.replace(/.{5}$/, (end) => (end.startsWith('A') ? 'B' : 'A') + end.slice(1)),
      'signature-invalid',
    ],
    ['no signature', (jws, signature) => jws.slice(0, -signature.length), 'signature-invalid'],
    ['only zeros', (jws, signature) => `${jws.slice(0, -signature.length)}${'A'.repeat(86)}`, 'signature-invalid'],
    [
      'a shorter one',
      (jws, signature) =>
        jws.slice(0, -signature.length) + toBase64url(Buffer.from(signature, 'base64url').subarray(0, 63)),
      'signature-invalid',
    ],
    ['a longer one', (jws) => `${jws}AAAA`, 'signature-invalid'],
    [
      'the same in another spelling',
      (jws) => jws.slice(0, -1) + ({ A: 'B', Q: 'R', g: 'h', w: 'x' }[jws.at(-1) ?? ''] ?? ''),
      'jose-refused',
    ],
    ['padding', (jws) => `${jws}==`, 'jose-refused'],
    ['a line feed after it', (jws) => `${jws}\n`, 'jose-refused'],
    [
      'the same in DER',
      (jws, signature) => jws.slice(0, -signature.length) + toBase64url(toDer(Buffer.from(signature, 'base64url'))),
      'signature-invalid',
    ],
    ['a fourth part', (jws) => `${jws}.AAAA`, 'jose-refused'],
    ['only the payload', (jws) => jws.split('.')[1] ?? '', 'jose-refused'],
    ['nothing', () => '', 'jose-refused'],
  ]
  it.each(table)('%s', async (_, spoil, code) => {
    const { vault, line } = await signedTenant()
    const set = line.slots[0]?.set ?? ''
    expect(await both(withSet(line, spoil(set, set.split('.')[2] ?? '')), vault)).toEqual([code, code])
  })

  it('of another root that writes the same words, also under the name of this one', async () => {
    const { vault, entry, line } = await signedTenant()
    const other = await makeVault()
    const foreign = (await signSlots(other, entry)).slots[0]?.set ?? ''
    expect(await both(withSet(line, foreign), vault)).toEqual(['signature-invalid', 'signature-invalid'])
    const claims = JSON.parse(textsOf(line.slots[0]?.set ?? '').payload)
    const forged = await signJwkSet(claims, { ...other.root, kid: vault.root.kid })
    expect(textsOf(forged)).toEqual(textsOf(line.slots[0]?.set ?? ''))
    expect(await both(withSet(line, forged), vault)).toEqual(['signature-invalid', 'signature-invalid'])
  })

  it('and the set of another slot, or of this one without a key, in its place', async () => {
    const { vault, line } = await signedTenant()
    const { slots } = line
    const without = Object.values(slots[0]?.without ?? {})[0] ?? ''
    for (const set of [slots[1]?.set ?? '', without])
      expect(await both(withSet(line, set), vault)).toEqual(['bundle-refused', 'bundle-refused'])
  })

  it('a root that is not of P-256 is left to the strict reader', () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const { x = '' } = publicKey.export({ format: 'jwk' })
    expect(signedBy({ kid: 'x', jwk: { kty: 'OKP', crv: 'Ed25519', x } })('a.b.c', '', '')).toBe(false)
  })
})
