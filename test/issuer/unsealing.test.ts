import { createCipheriv, createPublicKey, diffieHellman, generateKeyPairSync, hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unsealWith } from '../../electron/issuer/unsealing.ts'
import { toBase64url, toHex, utf8 } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { openSealed, sealTo } from '../../shared/formats/jwe.ts'
import { p256JwkSchema } from '../../shared/formats/jws.ts'
import { codeOf } from './fixtures.ts'

const typ = 'keyrite-key'
const binding = { tenant: 'acme', key: 'kid', runtime: 'eu-one', number: '1' }

/** A transport key, as jose takes it and as the runtime does. */
async function recipient() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = p256JwkSchema.parse(publicKey.export({ format: 'jwk' }))
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' }
  const slow = await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), ecdh, false, ['deriveBits'])
  return { kid: thumbprint(jwk), jwk, keys: [slow, unsealWith(privateKey)] as const, privateKey }
}
type Recipient = Awaited<ReturnType<typeof recipient>>

/** What jose says of a sealed part, and what the fast road says. */
const both = ({ kid, keys }: Recipient, jwe: string) =>
  Promise.all(keys.map((key) => codeOf(() => openSealed(jwe, { typ, kid, key, binding }))))

describe('a sealed key', () => {
  it('of any length opens as with jose, which sealed it', async () => {
    const one = await recipient()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (secret) => {
        const jwe = await sealTo(one, typ, secret, binding)
        for (const key of one.keys) {
          const opened = await openSealed(jwe, { typ, kid: one.kid, key, binding })
          expect(toHex(opened)).toBe(toHex(secret))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('for another key does not open, also under the name of this one', async () => {
    const [one, two] = [await recipient(), await recipient()]
    const jwe = await sealTo({ ...two, kid: one.kid }, typ, utf8('secret'), binding)
    expect(await both(one, jwe)).toEqual(['decryption-failed', 'decryption-failed'])
  })

  const OFF_CURVE = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }
  const cut = (text: string, bytes: number) => toBase64url(Buffer.from(text, 'base64url').subarray(0, bytes))
  const header = (parts: string[], change: object) => {
    const given = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString())
    return [toBase64url(utf8(canonicalText({ ...given, ...change }))), ...parts.slice(1)]
  }
  const at = (parts: string[], place: number, change: (part: string) => string) =>
    parts.map((part, index) => (index === place ? change(part) : part))
  const flip = (part: string) => `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`

  const table: [string, (parts: string[]) => string[], string][] = [
    ['an encrypted key, which ECDH-ES has not', (parts) => at(parts, 1, () => 'AAAA'), 'decryption-failed'],
    ['another nonce', (parts) => at(parts, 2, flip), 'decryption-failed'],
    ['a shorter nonce', (parts) => at(parts, 2, (part) => cut(part, 8)), 'decryption-failed'],
    ['no nonce', (parts) => at(parts, 2, () => ''), 'decryption-failed'],
    ['a longer nonce', (parts) => at(parts, 2, (part) => `${part}AAAA`), 'decryption-failed'],
    ['another text', (parts) => at(parts, 3, flip), 'decryption-failed'],
    ['a shorter text', (parts) => at(parts, 3, (part) => cut(part, 3)), 'decryption-failed'],
    ['no text', (parts) => at(parts, 3, () => ''), 'decryption-failed'],
    ['another tag', (parts) => at(parts, 4, flip), 'decryption-failed'],
    ...[0, 4, 8, 12, 13, 14, 15].map((length): [string, (parts: string[]) => string[], string] => [
      `the first ${length} bytes of its tag`,
      (parts) => at(parts, 4, (part) => cut(part, length)),
      'decryption-failed',
    ]),
    [
      'a longer tag',
      (parts) => at(parts, 4, (part) => toBase64url(Buffer.concat([Buffer.from(part, 'base64url'), Buffer.alloc(4)]))),
      'decryption-failed',
    ],
    [
      'a header with another order',
      (parts) =>
        at(parts, 0, (part) =>
          toBase64url(utf8(canonicalText(JSON.parse(Buffer.from(part, 'base64url').toString())).replace('{', '{ '))),
        ),
      'decryption-failed',
    ],
    ['an ephemeral key that is not on the curve', (parts) => header(parts, { epk: OFF_CURVE }), 'decryption-failed'],
    [
      'an ephemeral key of another curve',
      (parts) => header(parts, { epk: { ...OFF_CURVE, crv: 'P-384' } }),
      'jose-refused',
    ],
    [
      'a private member in the ephemeral key',
      (parts) => header(parts, { epk: { ...OFF_CURVE, d: 'AAAA' } }),
      'jose-refused',
    ],
    ['compression', (parts) => header(parts, { zip: 'DEF' }), 'jose-refused'],
    ['party information', (parts) => header(parts, { apu: 'QWxpY2U' }), 'jose-refused'],
    ['another algorithm', (parts) => header(parts, { alg: 'ECDH-ES+A256KW' }), 'jose-refused'],
    ['another encryption', (parts) => header(parts, { enc: 'A128GCM' }), 'jose-refused'],
    ['another tenant', (parts) => header(parts, { tenant: 'beta' }), 'decryption-failed'],
    ['padding', (parts) => at(parts, 4, (part) => `${part}==`), 'jose-refused'],
    ['four parts', (parts) => parts.slice(0, 4), 'jose-refused'],
  ]
  it.each(table)('with %s is refused as by jose', async (_, spoil, code) => {
    const one = await recipient()
    const parts = (await sealTo(one, typ, utf8('secret'), binding)).split('.')
    expect(await both(one, parts.join('.'))).toEqual([null, null])
    expect(await both(one, spoil(parts).join('.'))).toEqual([code, code])
  })

  it('whose header was rewritten by whoever sealed it anew for another tenant names that tenant', async () => {
    const one = await recipient()
    const jwe = await sealTo(one, typ, utf8('secret'), { ...binding, tenant: 'beta' })
    expect(await both(one, jwe)).toEqual(['decryption-failed', 'decryption-failed'])
  })

  it('with a short tag would open for whoever did not look at its length: Node takes it', async () => {
    const one = await recipient()
    const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const epk = p256JwkSchema.parse(ephemeral.publicKey.export({ format: 'jwk' }))
    const protectedHeader = toBase64url(
      utf8(JSON.stringify({ alg: 'ECDH-ES', enc: 'A256GCM', typ, kid: one.kid, epk, ...binding })),
    )
    const info = Buffer.from(`00000007${Buffer.from('A256GCM').toString('hex')}000000000000000000000100`, 'hex')
    const publicKey = createPublicKey({ key: { ...one.jwk }, format: 'jwk' })
    const shared = diffieHellman({ publicKey, privateKey: ephemeral.privateKey })
    const key = hash('sha256', Buffer.concat([Buffer.from([0, 0, 0, 1]), shared, info]), 'buffer')
    const sealed = (authTagLength: number) => {
      const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12, 7), { authTagLength })
      cipher.setAAD(Buffer.from(protectedHeader))
      const text = Buffer.concat([cipher.update('secret'), cipher.final()])
      return [protectedHeader, '', ...[Buffer.alloc(12, 7), text, cipher.getAuthTag()].map(toBase64url)].join('.')
    }
    expect(await both(one, sealed(16))).toEqual([null, null])
    expect(await both(one, sealed(12))).toEqual(['decryption-failed', 'decryption-failed'])
  })
})
