import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Fetch } from '../../shared/trust/fetch.ts'
import { createTrustContext, verify } from '../../shared/trust/verify.ts'
import {
  issuerPolicy,
  JWKS,
  jwksOf,
  type Key,
  KeyServer,
  makeKey,
  policyOf,
  relyingParty,
  type Served,
  signToken,
  tokenOf,
} from './world.ts'

/** What a server may answer, and what a key set may hold. */

const one = makeKey('ES256', 'one')
const rsa = makeKey('RS256', 'rsa')
const JSON_TYPE = { 'Content-Type': 'application/json' }

type Answer = NonNullable<ReturnType<KeyServer['answers']['get']>>

async function checkWith(answer: Answer, token = tokenOf(one), changes: Record<string, unknown> = {}) {
  const { server, check } = await relyingParty(policyOf(issuerPolicy(changes)), await KeyServer.start(), 500)
  server.answers.set(JWKS, answer)
  // Where redirects would lead.
  server.answers.set('elsewhere', jwksOf(one))
  return check(token)
}

const body = jwksOf(one).body ?? ''

it('a request asks past every cache, follows nothing and tells nobody who asks', async () => {
  const { server, context } = await relyingParty(policyOf(issuerPolicy()))
  server.answers.set(JWKS, jwksOf(one))
  const asked: RequestInit[] = []
  const noting: Fetch = (url, init) => {
    asked.push(init)
    return server.fetch(url, init)
  }
  const noted = createTrustContext(context.policy, { fetch: noting, now: context.now })
  expect(await verify(tokenOf(one), noted)).toMatchObject({ allow: true })
  expect(asked).toMatchObject([
    { cache: 'no-store', redirect: 'error', credentials: 'omit', referrerPolicy: 'no-referrer' },
  ])
})

describe('the answer', () => {
  it.each(['application/json', 'application/jwk-set+json', 'Application/JSON; charset=utf-8'])(
    'is of type %s',
    async (type) => {
      expect(await checkWith({ headers: { 'Content-Type': type }, body })).toBe('allow')
    },
  )

  it.each(['text/html', 'text/plain', 'application/jwk-set+jwt', 'application/jsonp', 'json'])(
    'is not of type %s',
    async (type) => {
      expect(await checkWith({ headers: { 'Content-Type': type }, body })).toBe('key-set-invalid')
    },
  )

  it('says its type', async () => {
    expect(await checkWith({ body })).toBe('key-set-invalid')
  })

  it.each([201, 203, 204, 206, 400, 401, 404, 410, 429, 500, 503])('of status %i is none', async (status) => {
    const served: Served = { status, headers: JSON_TYPE, ...(status === 204 ? {} : { body }) }
    expect(await checkWith(served)).toBe('key-set-unavailable')
  })

  it.each([301, 302, 303, 307, 308])('redirects are not followed (%i)', async (status) => {
    expect(await checkWith({ status, headers: { ...JSON_TYPE, Location: '/elsewhere' }, body })).toBe(
      'key-set-unavailable',
    )
  })

  const large = JSON.stringify({ keys: [one.jwk], more: 'x'.repeat(256 * 1024) })
  it('is not larger than 256 KB', async () => {
    expect(await checkWith({ headers: JSON_TYPE, body: large })).toBe('key-set-invalid')
    expect(await checkWith({ headers: JSON_TYPE, body: large.slice(0, 200_000).concat('"}') })).toBe('allow')
  })

  it('is not larger than that after decompression', async () => {
    expect(
      await checkWith((_, response) => {
        response.writeHead(200, { ...JSON_TYPE, 'Content-Encoding': 'gzip' })
        response.end(gzipSync(large))
      }),
    ).toBe('key-set-invalid')
  })

  it('that never ends is cut off', async () => {
    let open = true
    const started = performance.now()
    const decision = await checkWith((_, response) => {
      response.writeHead(200, JSON_TYPE)
      response.on('close', () => {
        open = false
      })
      const more = () => {
        if (!open) return
        response.write('x'.repeat(65_536))
        setImmediate(more)
      }
      more()
    })
    expect(decision).toBe('key-set-invalid')
    expect(performance.now() - started).toBeLessThan(5000)
    await expect.poll(() => open).toBe(false)
  })

  it.each([
    ['before its header', false],
    ['in its body', true],
  ])('that hangs %s is not waited for', async (_, header) => {
    const decision = await checkWith((__, response) => {
      if (!header) return
      response.writeHead(200, JSON_TYPE)
      response.write('{')
    })
    expect(decision).toBe('key-set-unavailable')
  })

  it('that breaks off is none', async () => {
    const decision = await checkWith((_, response) => {
      response.writeHead(200, { ...JSON_TYPE, 'Content-Length': '1000' })
      response.write('{"keys":[')
      setTimeout(() => response.destroy(), 20)
    })
    expect(decision).toBe('key-set-unavailable')
  })
})

const set = (text: string): Served => ({ headers: JSON_TYPE, body: text })
const jwk = (changes: Record<string, unknown>, of: Key = one) => ({ ...of.jwk, ...changes })
const many = (count: number) => Array.from({ length: count }, (_, at) => jwk({ kid: `key-${at}` }))
/** Both coordinates the same: no point of the curve. */
const offCurve = jwk({ kid: 'off', y: one.jwk['x'] })

describe('the whole set is refused', () => {
  it.each<[string, Served]>([
    ['no JSON', set('<html></html>')],
    ['nothing', set('')],
    ['a list', set('[]')],
    ['no keys', set('{}')],
    ['keys that are an object', set('{"keys":{}}')],
    ['a member twice', set(body.replace('{', '{"keys":[],'))],
    ['a member twice in a key', set(body.replace('"kid":"one"', '"kid":"two","kid":"one"'))],
    ['a key that is a text', set(`{"keys":[${JSON.stringify(one.jwk)},"key"]}`)],
    ['51 keys', jwksOf(one, ...many(50))],
    ['a private EC key', jwksOf(one, makeKey('ES256', 'two').privateJwk as Record<string, unknown>)],
    ['a private RSA key', jwksOf(one, rsa.privateJwk as Record<string, unknown>)],
    ['a private key for another use', jwksOf(one, { ...rsa.privateJwk, use: 'enc' })],
    ['one private member', jwksOf(one, jwk({ qi: 'AA' }, rsa))],
    ['a secret key', jwksOf(one, { kty: 'oct', kid: 'two', k: 'AAAA' })],
    ['two keys with one kid', jwksOf(one, makeKey('ES256', 'one'))],
    ['a key without kid', jwksOf(one, jwk({ kid: undefined }, makeKey('ES256')))],
    ['an empty kid', jwksOf(one, jwk({ kid: '' }))],
    ['a kid that is a number', jwksOf(one, jwk({ kid: 1 }))],
    ['a kid of 257 characters', jwksOf(one, jwk({ kid: 'k'.repeat(257) }))],
    ['RSA of 1024 bits', jwksOf(one, makeKey('RS256', 'rsa', 1024))],
    ['RSA of 2047 bits', jwksOf(one, makeKey('RS256', 'rsa', 2047))],
    ['an RSA exponent of 3', jwksOf(one, jwk({ e: 'Aw' }, rsa))],
    ['an RSA modulus with a zero before it', jwksOf(one, jwk({ n: `AAAA${rsa.jwk['n']}` }, rsa))],
    ['an even modulus', jwksOf(one, jwk({ n: `${String(rsa.jwk['n']).slice(0, -4)}AAAA` }, rsa))],
    ['no modulus', jwksOf(one, jwk({ n: undefined }, rsa))],
    ['a point that is not on its curve', jwksOf(one, offCurve)],
    ['a coordinate too short', jwksOf(one, jwk({ kid: 'two', x: 'AAAA' }))],
    ['Ed25519 of small order', jwksOf(one, { kty: 'OKP', crv: 'Ed25519', kid: 'two', x: 'A'.repeat(43) })],
  ])('%s', async (_, served) => {
    expect(await checkWith(served)).toBe('key-set-invalid')
  })
})

describe('what is left out of a set, and harms nobody', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a key to encrypt for', jwk({ use: 'enc', kid: 'two' }, rsa)],
    ['with the very same kid', jwk({ use: 'enc' })],
    ['an algorithm for encryption', jwk({ alg: 'RSA-OAEP-256', use: undefined }, rsa)],
    ['an algorithm that is not offered', jwk({ alg: 'RS512' }, rsa)],
    ['another type', { kty: 'AKP', alg: 'ML-DSA-65', kid: 'two', pub: 'AAAA' }],
    ['another curve', { kty: 'EC', crv: 'P-521', kid: 'two', x: 'AA', y: 'AA' }],
    ['a key that may only sign', jwk({ kid: 'two', key_ops: ['sign'] })],
  ])('%s', async (_, extra) => {
    expect(await checkWith(jwksOf(one, extra))).toBe('allow')
    const { kid, alg } = extra
    const token = signToken(one, { alg: 'ES256', typ: 'at+jwt', kid }, JSON.parse('{"iss":"https://acme.example.com"}'))
    if (kid !== 'one' && alg !== undefined) expect(await checkWith(jwksOf(one, extra), token)).toBe('key-unknown')
  })

  it.each<[string, Record<string, unknown>]>([
    ['no alg', { alg: undefined }],
    ['no use', { use: undefined }],
    ['members that nobody knows', { 'x-owner': 'acme', x5c: ['AAAA'], x5u: 'https://evil.example.com' }],
    ['key_ops', { key_ops: ['verify'] }],
  ])('%s: the key itself is taken', async (_, changes) => {
    expect(await checkWith(jwksOf(jwk(changes)))).toBe('allow')
  })

  it('50 keys, and an empty set', async () => {
    expect(await checkWith(jwksOf(one, ...many(49)))).toBe('allow')
    expect(await checkWith(jwksOf())).toBe('key-unknown')
  })
})

describe('a key and an algorithm', () => {
  const both = { algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'Ed25519', 'EdDSA'] }
  const signedAs = (key: Key, alg: Key['alg']) => tokenOf({ ...key, alg })

  it.each<[Key['alg']]>([['RS256'], ['PS256'], ['ES256'], ['ES384'], ['Ed25519'], ['EdDSA']])('%s', async (alg) => {
    const key = makeKey(alg, 'k')
    expect(await checkWith(jwksOf(key), tokenOf(key), both)).toBe('allow')
    expect(await checkWith(jwksOf({ ...key.jwk, alg: undefined }), tokenOf(key), both)).toBe('allow')
    const [head, claims] = tokenOf(makeKey(alg, 'k')).split('.')
    const foreign = tokenOf(makeKey(alg, 'k'))
    expect(await checkWith(jwksOf(key), foreign, both)).toBe('signature-invalid')
    expect(await checkWith(jwksOf(key), `${head}.${claims}.AAAA`, both)).toBe('signature-invalid')
  })

  it('RSA of an uncommon size is taken', async () => {
    const key = makeKey('RS256', 'k', 2560)
    expect(await checkWith(jwksOf(key), tokenOf(key), both)).toBe('allow')
  })

  it('a key that names one algorithm serves no other', async () => {
    expect(await checkWith(jwksOf(rsa), signedAs(rsa, 'PS256'), both)).toBe('key-mismatch')
    expect(await checkWith(jwksOf({ ...rsa.jwk, alg: undefined }), signedAs(rsa, 'PS256'), both)).toBe('allow')
    const ed = makeKey('Ed25519', 'k')
    expect(await checkWith(jwksOf(ed), signedAs(ed, 'EdDSA'), both)).toBe('key-mismatch')
  })

  it('a key of another type or curve serves none', async () => {
    expect(await checkWith(jwksOf({ ...rsa.jwk, alg: 'ES256', kid: 'one' }), tokenOf(one), both)).toBe('key-mismatch')
    const p384 = makeKey('ES384', 'one')
    expect(await checkWith(jwksOf({ ...p384.jwk, alg: undefined }), tokenOf(one), both)).toBe('key-mismatch')
  })
})
