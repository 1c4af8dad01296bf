import { createPrivateKey } from 'node:crypto'
import { expect, it } from 'vitest'
import { parseAssertion } from '../../electron/issuer/http/assertion.ts'
import { OAuthError } from '../../electron/issuer/http/errors.ts'
import { MAX_FORM_BYTES, parseForm } from '../../electron/issuer/http/form.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { parseJson } from '../../shared/formats/json.ts'
import { REASONS } from '../../shared/trust/reasons.ts'
import { ISSUER, issuerPolicy, JWKS, jwksOf, makeKey, NOW, policyOf, relyingParty } from '../trust/world.ts'
import { attacksOn } from '../vectors/jose/attacks.ts'
import { compact, encode, type Good } from '../vectors/jose/tokens.ts'
import { mutateForm } from './http-requests.ts'
import { mutateBytes, mutateJson, mutateText, type Random } from './random.ts'
import { rounds, TIMEOUT } from './rounds.ts'

/** Parsers of what strangers send, as functions: only outcomes that are foreseen, and nothing is taken for another. */

const key = makeKey('ES256', 'one')
const goodToken: Good = {
  alg: 'ES256',
  header: { alg: 'ES256', typ: 'at+jwt', kid: 'one' },
  claims: {
    iss: ISSUER,
    sub: 'a',
    aud: 'https://api.example.com',
    iat: NOW,
    exp: NOW + 600,
    scope: 'a b',
    nested: { a: [1] },
  },
  privateKey: key.privateKey,
}

const known = new Map<Good, ReturnType<typeof attacksOn>>()
/** The attacks on a token, made once: keys of strangers take long. */
function attacks(good: Good): ReturnType<typeof attacksOn> {
  const made = known.get(good) ?? attacksOn(good)
  known.set(good, made)
  return made
}

/** Changes to a token that keep its signature, and changes that the right key signed. */
function mutateToken(random: Random, good: Good): { token: string; signed: boolean } {
  const token = compact(good)
  const parts = token.split('.')
  switch (random.below(5)) {
    case 0:
      return { token: mutateText(random, token), signed: false }
    case 1: {
      const at = random.below(3)
      return {
        token: parts
          .with(at, mutateBytes(random, Buffer.from(parts[at] ?? '', 'base64url')).toString('base64url'))
          .join('.'),
        signed: false,
      }
    }
    case 2:
      return { token: parts.with(random.below(2), encode(mutateJson(random, good.claims))).join('.'), signed: false }
    case 3:
      return { token: compact(good, mutateJson(random, good.header), mutateJson(random, good.claims)), signed: true }
    default:
      return { token: random.pick(attacks(good))[1], signed: false }
  }
}

it(
  'trust policy: verify never fails otherwise than by a reason, and allows nothing that was not signed',
  async () => {
    const { check, server } = await relyingParty(policyOf(issuerPolicy()))
    server.answers.set(JWKS, jwksOf(key))
    expect(await check(compact(goodToken))).toBe('allow')
    const seen = new Set<string>()
    await rounds('trust policy', async (random) => {
      const { token, signed } = mutateToken(random, goodToken)
      const decision = await check(token)
      if (decision !== 'allow' && !(decision in REASONS)) throw new Error(`reason ${decision}`)
      seen.add(decision)
      const [, payload] = token.split('.')
      const same = payload === encode(goodToken.claims)
      if (decision === 'allow' && !signed && !same) throw new Error(`allowed: ${token}`)
    })
    for (const reason of ['malformed', 'signature-invalid', 'audience-wrong']) expect(seen).toContain(reason)
  },
  TIMEOUT,
)

it(
  'client assertions: parsing refuses by a code of ours, or gives what stands there',
  async () => {
    const audience = 'https://acme.example.com'
    const claims = { iss: 'app', sub: 'app', aud: audience, iat: NOW, exp: NOW + 60, jti: 'one' }
    const good: Good = {
      ...goodToken,
      header: { alg: 'ES256', kid: 'one' },
      claims,
      privateKey: createPrivateKey(key.privateKey.export({ format: 'pem', type: 'pkcs8' })),
    }
    let taken = 0
    await rounds('client assertion', async (random) => {
      const { token } = mutateToken(random, good)
      try {
        const read = parseAssertion(token, [audience], NOW)
        const stands = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
        expect([read.clientId, read.jti]).toEqual([stands.sub, stands.jti])
        expect(read.deadAt).toBeGreaterThan(NOW)
        taken++
      } catch (error) {
        if (!isKeyriteError(error) || error.code === 'internal') throw error
      }
    })
    expect(taken).toBeGreaterThan(0)
  },
  TIMEOUT,
)

it(
  'forms: what is taken is what URLSearchParams reads too, each name once',
  async () => {
    const good = 'grant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Fapi.example.com&client_id=app&empty='
    let taken = 0
    await rounds('form', (random) => {
      let body = random.chance(0.5) ? mutateForm(random, good) : mutateText(random, good)
      if (random.chance(0.01)) body = 'a=b&'.repeat(MAX_FORM_BYTES / 4)
      let form: Map<string, string>
      try {
        form = parseForm(body)
      } catch (error) {
        if (error instanceof OAuthError && error.code === 'invalid_request') return
        throw error
      }
      const expected = [...new URLSearchParams(`&${body}`)].filter(([, value]) => value !== '')
      expect([...form].sort()).toEqual(expected.sort())
      taken++
    })
    expect(taken).toBeGreaterThan(100)
  },
  TIMEOUT,
)

it(
  'JSON: what is taken, JSON.parse takes with the same value, and no name stands twice',
  async () => {
    const good = JSON.stringify({ a: [1, 2.5, -3], b: { c: 'd\u00e4', e: null }, f: true, '\u{1f511}': '\\u0061' })
    let taken = 0
    await rounds('JSON', (random) => {
      const bytes = random.chance(0.5)
        ? mutateBytes(random, Buffer.from(good))
        : Buffer.from(JSON.stringify(mutateJson(random, JSON.parse(good))) ?? 'null')
      let value: unknown
      try {
        value = parseJson(bytes, { maxBytes: 10_000 })
      } catch (error) {
        if (isKeyriteError(error) && ['json-invalid', 'file-too-large', 'format-invalid'].includes(error.code)) return
        throw error
      }
      expect(value).toEqual(JSON.parse(bytes.toString()))
      taken++
    })
    expect(taken).toBeGreaterThan(100)
  },
  TIMEOUT,
)
