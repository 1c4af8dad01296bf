import { generateKeyPairSync } from 'node:crypto'
import { CompactEncrypt, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../shared/formats/bytes.ts'
import { verify } from '../../shared/trust/verify.ts'
import {
  AUDIENCE,
  claimsAt,
  ISSUER,
  issuerPolicy,
  JWKS,
  jwksOf,
  makeKey,
  NOW,
  policyOf,
  relyingParty,
  signToken,
  tokenOf,
} from './world.ts'

/** Tokens as they come in: strictly read, and most of them denied before anybody is asked for keys. */

const key = makeKey('ES256', 'one')
const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'one' }
const good = tokenOf(key)
const [header = '', payload = '', signature = ''] = good.split('.')
const claimsText = JSON.stringify(claimsAt(NOW))

async function world() {
  const made = await relyingParty(policyOf(issuerPolicy()))
  made.server.answers.set(JWKS, jwksOf(key))
  return made
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** The next character: for the last of a signature another spelling of the same bytes (RFC 4648 section 3.5). */
const next = (char: string) => ALPHABET[(ALPHABET.indexOf(char) ^ 1) % 64] ?? ''

const MALFORMED: Record<string, string> = {
  nothing: '',
  words: 'not a token',
  'two parts': `${header}.${payload}`,
  'four parts': `${good}.`,
  'no header': `.${payload}.${signature}`,
  'a line feed': `${good}\n`,
  'white space': ` ${good}`,
  padding: `${good}==`,
  'another spelling of the signature': `${good.slice(0, -1)}${next(good.slice(-1))}`,
  'the JSON form': JSON.stringify({ protected: header, payload, signature }),
  'the scheme before it': `Bearer ${good}`,
  'a member twice in the header': signToken(key, '{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"one"}', claimsText),
  'a claim twice': signToken(key, HEADER, claimsText.replace('{', `{"aud":"${AUDIENCE}2",`)),
  'a claim twice, once escaped': signToken(key, HEADER, claimsText.replace('{', `{"\\u0061ud":"${AUDIENCE}2",`)),
  'a byte order mark': signToken(key, HEADER, `\ufeff${claimsText}`),
  'a list as claims': signToken(key, HEADER, `[${claimsText}]`),
  'a text as header': signToken(key, '"ES256"', claimsText),
  'more than 16 KB': tokenOf(key, { much: 'x'.repeat(13_000) }),
  'claims too deep': tokenOf(key, { deep: JSON.parse(`${'['.repeat(16)}${']'.repeat(16)}`) }),
  'no alg': signToken(key, { typ: 'at+jwt', kid: 'one' }, claimsText),
  'a kid that is a number': tokenOf(key, {}, { kid: 1 }),
  'a typ that is a list': tokenOf(key, {}, { typ: ['at+jwt'] }),
  'no issuer': tokenOf(key, { iss: undefined }),
  'an issuer that is a list': tokenOf(key, { iss: [ISSUER] }),
  'an audience that is an object': tokenOf(key, { aud: { [AUDIENCE]: true } }),
  'an audience in an audience': tokenOf(key, { aud: [[AUDIENCE]] }),
  'exp as text': tokenOf(key, { exp: '7258118400' }),
  'exp that is null': tokenOf(key, { exp: null }),
  'exp that never comes': tokenOf(key, { exp: 9_007_199_254_740_991 }),
  'exp that is larger than any number': signToken(key, HEADER, claimsText.replace(/"exp":\d+/, '"exp":1e999')),
  'nbf before 1970': tokenOf(key, { nbf: -1 }),
  'iat that is true': tokenOf(key, { iat: true }),
}

describe('malformed', () => {
  it.each(Object.entries(MALFORMED))('%s', async (_, token) => {
    const { check, server } = await world()
    expect([await check(token), server.asked]).toEqual(['malformed', []])
  })

  it('an encrypted token', async () => {
    const secret = new Uint8Array(32)
    const jwe = await new CompactEncrypt(utf8(claimsText))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(secret)
    expect(await (await world()).check(jwe)).toBe('malformed')
  })
})

describe('the header', () => {
  it.each(['crit', 'jwk', 'jku', 'x5u', 'x5c', 'zip', 'b64', 'cty', 'enc', 'epk', 'nonce', 'url', '__proto__'])(
    'holds no %s',
    async (name) => {
      const { check, server } = await world()
      const spelled = JSON.stringify(HEADER).replace('{', `{"${name}":["${name === 'crit' ? 'exp' : ISSUER}"],`)
      const token = signToken(key, spelled, claimsText)
      expect([await check(token), server.asked]).toEqual(['header-not-allowed', []])
    },
  )

  it('may hold thumbprints of a certificate, which are ignored', async () => {
    const { check } = await world()
    expect(await check(tokenOf(key, {}, { x5t: 'AAAA', 'x5t#S256': 'BBBB' }))).toBe('allow')
  })

  it.each([
    ['at+jwt', 'allow'],
    ['AT+JWT', 'allow'],
    ['application/at+jwt', 'allow'],
    ['jwt', 'type-not-allowed'],
    ['', 'type-not-allowed'],
    [undefined, 'type-not-allowed'],
    ['at+jwt ', 'type-not-allowed'],
    ['application/application/at+jwt', 'type-not-allowed'],
    ['x/at+jwt', 'type-not-allowed'],
  ])('typ %j: %s', async (typ, expected) => {
    expect(await (await world()).check(tokenOf(key, {}, { typ }))).toBe(expected)
  })

  it.each(['none', 'None', '', 'HS256', 'es256', 'ES384', 'RS256', 'ES256K', 'constructor'])(
    'alg %j is none of ES256',
    async (alg) => {
      const { check, server } = await world()
      expect([await check(tokenOf(key, {}, { alg })), server.asked]).toEqual(['algorithm-not-allowed', []])
    },
  )

  it('no signature at all, under "none" and under the right name', async () => {
    const { check } = await world()
    const none = signToken(key, { ...HEADER, alg: 'none' }, claimsText).split('.')
    expect(await check(`${none[0]}.${none[1]}.`)).toBe('algorithm-not-allowed')
    expect(await check(`${header}.${payload}.`)).toBe('signature-invalid')
  })

  it('a public key is never the secret of a keyed hash', async () => {
    const { check } = await world()
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const secret = utf8(publicKey.export({ type: 'spki', format: 'pem' }) as string)
    const token = await new SignJWT(claimsAt(NOW)).setProtectedHeader({ ...HEADER, alg: 'HS256' }).sign(secret)
    expect(await check(token)).toBe('algorithm-not-allowed')
  })

  it.each([undefined, '', 'two', 'ONE', 'one ', '__proto__'])('kid %j names no key', async (kid) => {
    expect(await (await world()).check(tokenOf(key, {}, { kid }))).toBe('key-unknown')
  })
})

it.each([`${ISSUER}/`, ISSUER.toUpperCase(), ISSUER.replace('https', 'http'), '', '__proto__', 'constructor'])(
  'issuer %j is another one',
  async (iss) => {
    const { check, server } = await world()
    expect([await check(tokenOf(key, { iss })), server.asked]).toEqual(['issuer-unknown', []])
  },
)

it('no other character anywhere in a good token leaves it good', async () => {
  const { check } = await world()
  const wrong = []
  for (let at = 0; at < good.length; at++) {
    const char = good[at] ?? ''
    const decision = await check(`${good.slice(0, at)}${char === '.' ? 'A' : next(char)}${good.slice(at + 1)}`)
    if (decision === 'allow') wrong.push(at)
  }
  expect([wrong, await check(good)]).toEqual([[], 'allow'])
})

it('allow gives the issuer and the claims; deny gives a sentence that repeats nothing of the token', async () => {
  const { context } = await world()
  expect(await verify(good, context)).toEqual({ allow: true, issuer: ISSUER, claims: claimsAt(NOW) })
  const denied = await verify(tokenOf(key, { aud: 'https://secret.example.com' }), context)
  expect(denied).toEqual({
    allow: false,
    reason: 'audience-wrong',
    message: 'The token is for somebody else, or for somebody besides.',
  })
})

it('what is not foreseen is no decision: the promise is rejected', async () => {
  const { context } = await world()
  const now = () => {
    throw new Error('no clock')
  }
  await expect(verify(good, { ...context, now })).rejects.toThrow('no clock')
})
