import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { canonicalText } from '../../../shared/formats/json.ts'
import { brokenSignatures } from './signatures.ts'
import { type Attack, compact, encode, type Good, signAs } from './tokens.ts'

/** Known attacks on JOSE, made anew for any good token: none of them may ever be taken for it (README.md). */

/** A new key of the same kind, which nobody trusts. */
function stranger({ alg }: Good): { privateKey: KeyObject; jwk: object } {
  const pair =
    alg === 'ES256' || alg === 'ES384'
      ? generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
      : alg === 'Ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey: pair.privateKey, jwk: pair.publicKey.export({ format: 'jwk' }) }
}

/** Every attack on this token; each is refused for one reason or another. */
export const attacksOn = (good: Good): Attack[] => [
  ...misshapen(good),
  ...unsigned(good),
  ...confused(good),
  ...broughtAlong(good),
  ...dressedUp(good),
  ...misnamed(good),
  ...brokenSignatures(good),
]

/** Parts missing, emptied, changed or too many; other serialisations (RFC 7515 sections 7.1 and 7.2). */
function misshapen(good: Good): Attack[] {
  const token = compact(good)
  const [h = '', p = '', s = ''] = token.split('.')
  const changed = (text: string) => `${text.startsWith('X') ? 'Y' : 'X'}${text.slice(1)}`
  const other = { ...good.claims, extra: 1 }
  return [
    ['nothing', ''],
    ['a changed signature', `${h}.${p}.${changed(s)}`],
    ['a changed payload', `${h}.${encode(other)}.${s}`],
    ['a changed header', `${encode({ ...good.header, kid: 'x' })}.${p}.${s}`],
    ['no header', `.${p}.${s}`],
    ['no header and its stop', `${p}.${s}`],
    ['no payload', `${h}..${s}`],
    ['no payload and its stop', `${h}.${s}`],
    ['no header and signature', `.${p}.`],
    ['the payload alone', p],
    ['an empty part more', `${token}.`],
    ['a part more', `${token}.${s}`],
    ['the signature of another token', `${h}.${p}.${compact(good, good.header, other).split('.')[2]}`],
    ['header and payload swapped', `${p}.${h}.${s}`],
    ['general JSON serialisation', JSON.stringify({ payload: p, signatures: [{ protected: h, signature: s }] })],
    ['flattened JSON serialisation', JSON.stringify({ payload: p, protected: h, signature: s })],
    [
      'flattened JSON with an unprotected header',
      JSON.stringify({ payload: p, protected: h, header: { x: 1 }, signature: s }),
    ],
    ['an unprotected alg alone', JSON.stringify({ payload: p, header: { alg: good.alg }, signature: s })],
    ['a nested token', compact(good, { ...good.header, cty: 'JWT' }, token)],
    ['a nested token without cty', compact(good, good.header, token)],
    ['a token in a JSON string', compact(good, good.header, JSON.stringify(token))],
    ['the scheme before it', `Bearer ${token}`],
    ['a JWE', `${encode({ alg: 'ECDH-ES', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
    ['a JWE with alg none', `${encode({ alg: 'none', enc: 'A256GCM' })}..AAAA.${p}.AAAA`],
  ]
}

/** RFC 8725 sections 2.1 and 3.1. */
function unsigned(good: Good): Attack[] {
  const [, p = '', s = ''] = compact(good).split('.')
  const names = ['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'null', '', 'NULL', 'NA']
  return names.flatMap((alg): Attack[] => {
    const h = encode({ ...good.header, alg })
    return [
      [`alg "${alg}", no signature`, `${h}.${p}.`],
      [`alg "${alg}", no signature and stop`, `${h}.${p}`],
      [`alg "${alg}", the old signature`, `${h}.${p}.${s}`],
      [`alg "${alg}", truly signed`, compact(good, { ...good.header, alg })],
    ]
  })
}

/** The public key as the secret of a keyed hash (RFC 8725 section 2.1), and one algorithm for another. */
function confused(good: Good): Attack[] {
  const publicKey = createPublicKey(good.privateKey)
  const jwk = publicKey.export({ format: 'jwk' })
  const secrets: [string, Buffer | string][] = [
    ['PEM', publicKey.export({ format: 'pem', type: 'spki' })],
    ['PEM without its last line feed', String(publicKey.export({ format: 'pem', type: 'spki' })).trimEnd()],
    ['DER', publicKey.export({ format: 'der', type: 'spki' })],
    ['JWK', JSON.stringify(jwk)],
    ['canonical JWK', canonicalText(jwk)],
    ['first number', Buffer.from(jwk.n ?? jwk.x ?? '', 'base64url')],
    ['point', Buffer.concat([Buffer.of(4), Buffer.from(`${jwk.x ?? ''}${jwk.y ?? ''}`, 'base64url')])],
    ['kid', String(good.header['kid'])],
    ['empty secret', ''],
  ]
  if (jwk.kty === 'RSA') secrets.push(['PKCS#1 PEM', publicKey.export({ format: 'pem', type: 'pkcs1' })])
  const hashed = secrets.flatMap(([what, secret]) =>
    (['HS256', 'HS384', 'HS512'] as const).flatMap((alg): Attack[] => {
      const mac = (input: string) =>
        `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
          .update(input)
          .digest('base64url')}`
      const p = encode(good.claims)
      return [
        [`${alg} with the ${what}`, mac(`${encode({ ...good.header, alg })}.${p}`)],
        [`${alg} with the ${what} under the name ${good.alg}`, mac(`${encode(good.header)}.${p}`)],
      ]
    }),
  )
  const names = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'ES256K']
  const others = [...names, 'EdDSA', 'Ed448', good.alg.toLowerCase(), `${good.alg} `, 'RSA-OAEP', 'dir', '__proto__']
  const renamed = others
    .filter((alg) => alg !== good.alg)
    .map((alg): Attack => [`alg ${alg}, signed as ${good.alg}`, compact(good, { ...good.header, alg })])
  return [...hashed, ...renamed, ...swapped(good)]
}

/** The same key used as another algorithm would, under either name. */
function swapped(good: Good): Attack[] {
  const other = good.alg === 'RS256' ? 'PS256' : good.alg === 'PS256' ? 'RS256' : null
  if (other === null) return []
  const signed = (header: object) => {
    const input = `${encode(header)}.${encode(good.claims)}`
    return `${input}.${signAs(other, input, good.privateKey).toString('base64url')}`
  }
  return [
    [`${other} by its name, with the key of ${good.alg}`, signed({ ...good.header, alg: other })],
    [`${other} under the name ${good.alg}`, signed(good.header)],
  ]
}

/** A key that the sender brings along (RFC 7515 sections 4.1.2 to 4.1.6), used for the signature. */
function broughtAlong(good: Good): Attack[] {
  const own = stranger(good)
  const named = (header: object) => compact({ ...good, privateKey: own.privateKey }, { ...good.header, ...header })
  return [
    ["a stranger's signature under the same kid", named({})],
    ["a stranger's key in jwk", named({ jwk: own.jwk })],
    ["a stranger's key in jwk, named by kid", named({ jwk: { ...own.jwk, kid: good.header['kid'] } })],
    ["a stranger's key in jwk, without a kid", named({ jwk: own.jwk, kid: undefined })],
    ['jku', named({ jku: 'http://127.0.0.1:1/jwks.json' })],
    ['jku that only looks like ours', named({ jku: `${good.claims['iss']}@127.0.0.1:1/jwks.json` })],
    ['x5u', named({ x5u: 'http://127.0.0.1:1/cert.pem' })],
    ['x5c', named({ x5c: ['MIIB'] })],
    ['a kid that is an address', named({ kid: 'http://127.0.0.1:1/jwks.json' })],
    ['a kid that is a key', named({ kid: JSON.stringify(own.jwk) })],
  ]
}

/** Header members that nothing here understands, though the right key signed them. */
function dressedUp(good: Good): Attack[] {
  const publicJwk = createPublicKey(good.privateKey).export({ format: 'jwk' })
  const members: Record<string, object> = {
    'jwk, even the right one': { jwk: publicJwk },
    jku: { jku: `${good.claims['iss']}/.well-known/jwks.json` },
    x5u: { x5u: 'https://example.com/cert' },
    x5c: { x5c: ['AAAA'] },
    'crit with an unknown extension': { crit: ['urn:example'], 'urn:example': true },
    'crit with a name that is not there': { crit: ['exp'] },
    'crit with a registered name': { crit: ['alg'] },
    'an empty crit': { crit: [] },
    'crit that is no list': { crit: 'b64' },
    'crit null': { crit: null },
    'b64 false': { b64: false, crit: ['b64'] },
    'b64 false, not critical': { b64: false },
    zip: { zip: 'DEF' },
    cty: { cty: 'JWT' },
    'an unknown member': { surprise: 1 },
    'enc and epk': { enc: 'A256GCM', epk: publicJwk },
  }
  const unpacked = `${encode({ ...good.header, b64: false, crit: ['b64'] })}.`
  const raw = `${unpacked}${JSON.stringify(good.claims)}`
  const deflated = deflateRawSync(JSON.stringify(good.claims)).toString('base64url')
  const zipped = `${encode({ ...good.header, zip: 'DEF' })}.${deflated}`
  const finish = (input: string) => `${input}.${signAs(good.alg, input, good.privateKey).toString('base64url')}`
  const text = JSON.stringify(good.header)
  return [
    ...Object.entries(members).map(([what, more]): Attack => [what, compact(good, { ...good.header, ...more })]),
    ['an unencoded payload (RFC 7797)', finish(raw)],
    ['a compressed payload', finish(zipped)],
    ['alg twice, ours last', compact(good, text.replace('{', '{"alg":"none",'))],
    ['alg twice, ours first', compact(good, text.replace(/\}$/, ',"alg":"none"}'))],
    ['alg twice, once escaped', compact(good, text.replace('{', '{"\\u0061lg":"none",'))],
    ['__proto__ in the header', compact(good, text.replace('{', '{"__proto__":{"alg":"none"},'))],
    ['no alg', compact(good, { ...good.header, alg: undefined })],
    ['alg in a list', compact(good, { ...good.header, alg: [good.alg] })],
    ['a byte order mark before the header', compact(good, `\ufeff${text}`)],
    ['a header that is a list', compact(good, `[${text}]`)],
    ['a header that is null', compact(good, 'null')],
    ['a header of 100 levels', compact(good, text.replace('{', `{"a":${'['.repeat(100)}${']'.repeat(100)},`))],
  ]
}

export const HOSTILE_KIDS: readonly unknown[] = [
  '../../../../dev/null',
  '/proc/self/environ',
  'file:///etc/passwd',
  "x' OR '1'='1",
  "'; DROP TABLE private_keys; --",
  "x' UNION SELECT 'AAAA",
  'kid\r\nSet-Cookie: a=b',
  '$(touch /tmp/x)',
  '| id',
  '{{7*7}}',
  '__proto__',
  'constructor',
  'toString',
  '',
  ' ',
  '\u0000',
  'A'.repeat(43),
  'A'.repeat(4000),
  null,
  0,
  true,
  {},
  [],
]

/** Hostile kids: signed by the right key, and with an empty secret, which is what /dev/null would give. */
function misnamed(good: Good): Attack[] {
  return HOSTILE_KIDS.flatMap((kid): Attack[] => {
    const what = JSON.stringify(kid).slice(0, 40)
    const input = `${encode({ ...good.header, kid, alg: 'HS256' })}.${encode(good.claims)}`
    return [
      [`kid ${what}`, compact(good, { ...good.header, kid })],
      [`kid ${what} and an empty secret`, `${input}.${createHmac('sha256', '').update(input).digest('base64url')}`],
    ]
  })
}
