import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fromUtf8, toBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { openSealed, sealTo } from '../../shared/formats/jwe.ts'
import {
  ed25519JwkSchema,
  openStatement,
  p256JwkSchema,
  readStatementHeader,
  signStatement,
  splitCompact,
} from '../../shared/formats/jws.ts'
import { openReceipt, signReceipt } from '../../shared/formats/receipt.ts'
import { parseStatementFile, statementFile } from '../../shared/formats/statement-file.ts'
import { codeOf, makeRoot, T0 } from '../issuer/fixtures.ts'

/** The Ed25519 key of RFC 8037 appendix A.1. */
const RFC8037 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
} as const
/** The P-256 public key of RFC 7515 appendix A.3, and its statement. */
const RFC7515_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
} as const
const RFC7515_A3 =
  'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q'

const schema = z.strictObject({ b: z.int(), a: z.string() })

describe('signed statements', () => {
  it('are canonical JSON in compact JWS with exactly alg, kid and typ', async () => {
    const { root, jwk } = await makeRoot()
    const jws = await signStatement('keyrite-test', { b: 1, a: 'x' }, root)
    expect(decodeProtectedHeader(jws)).toEqual({ alg: 'ES256', kid: root.kid, typ: 'keyrite-test' })
    expect(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()).toBe('{"a":"x","b":1}')
    const key = { kid: root.kid, jwk }
    expect(await openStatement(jws, { typ: 'keyrite-test', key, schema, what: 'test' })).toEqual({ a: 'x', b: 1 })
    expect(readStatementHeader(jws)).toEqual({ alg: 'ES256', kid: root.kid, typ: 'keyrite-test' })
  })

  it('with the key of RFC 8037 are what node:crypto signs and verifies', async () => {
    const key = await crypto.subtle.importKey('jwk', { ...RFC8037 }, 'Ed25519', false, ['sign'])
    const { d: _, ...jwk } = RFC8037
    const jws = await signStatement('keyrite-test', { a: 'x', b: 1 }, { kid: 'rfc', alg: 'Ed25519', key })
    const [header = '', payload = '', signature = ''] = jws.split('.')
    const { createPublicKey } = await import('node:crypto')
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
    expect(verify(null, Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
    const good = { typ: 'keyrite-test', key: { kid: 'rfc', jwk }, schema, what: 'test' }
    expect(await openStatement(jws, good)).toEqual({ a: 'x', b: 1 })
  })

  it('RFC 7515 appendix A.3 is a good JWS and no statement of ours: it lacks kid and typ', async () => {
    const key = { kid: 'rfc', jwk: p256JwkSchema.parse(RFC7515_KEY) }
    expect(await codeOf(() => openStatement(RFC7515_A3, { typ: 'JWT', key, schema, what: 'test' }))).toBe(
      'jose-refused',
    )
    expect(splitCompact(RFC7515_A3, 3, 1000).header).toEqual({ alg: 'ES256' })
  })

  it('larger than the cap are refused before anything is decoded', async () => {
    expect(await codeOf(() => splitCompact('a'.repeat(1001), 3, 1000))).toBe('file-too-large')
  })

  it('of one file stand alone with one line feed', async () => {
    expect(parseStatementFile(utf8(statementFile(RFC7515_A3)))).toBe(RFC7515_A3)
    for (const text of [
      RFC7515_A3,
      `${RFC7515_A3}\n\n`,
      `${RFC7515_A3}\r\n`,
      `\n${RFC7515_A3}\n`,
      'a.b\n',
      'a.b.c.d\n',
      '\n',
    ])
      expect(await codeOf(() => parseStatementFile(utf8(text))), text).toBe('format-invalid')
  })

  it('of a runtime are receipts that the asynchronous reader opens', async () => {
    const pair = generateKeyPairSync('ed25519')
    const jwk = ed25519JwkSchema.parse(pair.publicKey.export({ format: 'jwk' }))
    const signer = { kid: thumbprint(jwk), jwk, sign: (input: Uint8Array) => sign(null, input, pair.privateKey) }
    const receipt = {
      runtimeId: 'eu-one',
      seq: 1,
      prev: null,
      at: T0,
      stated: { type: 'clock-confirmed', actor: 'Zoë' },
    } as const
    const jws = signReceipt(receipt, true, signer)
    expect(await openReceipt(jws, signer, true)).toEqual(receipt)
    expect(await codeOf(() => openReceipt(jws, signer, false))).toBe('practice-refused')
  })
})

describe('sealed parts', () => {
  const typ = 'keyrite-key'
  const binding = { tenant: 'acme', key: 'kid', runtime: 'eu-one', number: '1' }
  async function recipient() {
    const pair = (await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, [
      'deriveBits',
    ])) as CryptoKeyPair
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
    const jwk = p256JwkSchema.parse({ kty, crv, x, y })
    return { kid: thumbprint(jwk), jwk, key: pair.privateKey }
  }

  it('open for their recipient with the same binding, and for nobody else', async () => {
    const [one, two] = [await recipient(), await recipient()]
    const jwe = await sealTo(one, typ, utf8('secret'), binding)
    expect(fromUtf8(await openSealed(jwe, { typ, kid: one.kid, key: one.key, binding }))).toBe('secret')
    const wrong = [
      { kid: two.kid },
      { key: two.key },
      { binding: { ...binding, tenant: 'beta' } },
      { binding: { ...binding, number: '2' } },
    ]
    for (const change of wrong)
      expect(await codeOf(() => openSealed(jwe, { typ, kid: one.kid, key: one.key, binding, ...change }))).toBe(
        'decryption-failed',
      )
    const { tenant: _, ...less } = binding
    for (const change of [{ typ: 'keyrite-other' }, { binding: less }, { binding: { ...binding, more: 'x' } }])
      expect(await codeOf(() => openSealed(jwe, { typ, kid: one.kid, key: one.key, binding, ...change }))).toBe(
        'jose-refused',
      )
  })

  it('with any part changed, or a header rewritten after sealing, do not open', async () => {
    const one = await recipient()
    const jwe = await sealTo(one, typ, utf8('secret'), binding)
    const parts = jwe.split('.')
    const header = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString())
    const beta = { ...binding, tenant: 'beta' }
    const forged = [toBase64url(utf8(canonicalText({ ...header, tenant: 'beta' }))), ...parts.slice(1)].join('.')
    expect(await codeOf(() => openSealed(forged, { typ, kid: one.kid, key: one.key, binding: beta }))).toBe(
      'decryption-failed',
    )
    for (const index of [2, 3, 4]) {
      const changed = parts.map((part, at) =>
        at === index ? `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}` : part,
      )
      const open = () => openSealed(changed.join('.'), { typ, kid: one.kid, key: one.key, binding })
      expect(await codeOf(open)).toBe('decryption-failed')
    }
  })

  it('RFC 7520 section 5.5 (ECDH-ES with A128CBC-HS256) is no sealed part of ours', async () => {
    const header = {
      alg: 'ECDH-ES',
      kid: 'meriadoc.brandybuck@buckland.example',
      epk: {
        kty: 'EC',
        crv: 'P-256',
        x: 'mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYoA',
        y: '8BQAsImGeAS46fyWw5MhYfGTT0IjBpFw2SS34Dv4Irs',
      },
      enc: 'A128CBC-HS256',
    }
    const jwe = `${toBase64url(utf8(JSON.stringify(header)))}..yc9N8v5sYyv3iGQT926IUg.BoDlwPnTypYq-ivjmQvAYJLb5Q6l-F3LIgQomlz87yW4OPKbWE1zSTEFjDfhU9IPIOSA9Bml4m7iDFwA-1ZXvHteLDtw4R1XRGMEsDIqAYtskTTmzmzNa-_q4F_evAPUmwlO-ZG45Mnq4uhM1fm_D9rBtWolqZSF3xGNNkpOMQKF1Cl8i8wjzRli7-IXgyirlKQsbhhqRzkv8IcY6aHl24j03C-AR2le1r7URUhArM79BY8soZU0lzwI-sD5PZ3l4NDCCei9XkoIAfsXJWmySPoeRb2Ni5UZL4mYpvKDiwmyzGd65KqVw7MsFfI_K767G9C9Azp73gKZD0DyUn1mn0WW5LmyX_yJ-3AROq8p1WZBfG-ZyJ6195_JGG2m9Csg.WCCkNa-x4BeB9hIDIfFuhg`
    const one = await recipient()
    expect(await codeOf(() => openSealed(jwe, { typ, kid: one.kid, key: one.key, binding }))).toBe('jose-refused')
  })
})
