import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { compactVerify, type JWK } from 'jose'
import { z } from 'zod'
import { ALGORITHM_NAMES, type Algorithm } from '../../../shared/domain/algorithms.ts'
import { MINUTE } from '../../../shared/domain/policy.ts'
import { must } from '../../../shared/errors.ts'
import type { PublishedJwk } from '../../../shared/formats/bundle.ts'
import { fromBase64url, utf8 } from '../../../shared/formats/bytes.ts'
import { KB, parseAs, parseJson } from '../../../shared/formats/json.ts'
import { splitCompact } from '../../../shared/formats/jws.ts'

/** Client assertions (RFC 7523 section 3): parsed strictly by us, then verified by jose with a key we chose. */

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const ASSERTION_ALGORITHMS: readonly Algorithm[] = ALGORITHM_NAMES

const MAX_BYTES = 8 * KB
const MAX_AHEAD = 10 * MINUTE
/** Seconds that a client's clock may differ from ours. */
const LEEWAY = MINUTE

/** Nothing but these members: no `jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`, `zip`. `typ` keeps access tokens out. */
const headerSchema = z.strictObject({
  alg: z.enum(ALGORITHM_NAMES),
  kid: z.string().min(1).max(256).optional(),
  typ: z
    .string()
    .regex(/^(?:application\/)?(?:jwt|client-authentication\+jwt)$/i)
    .optional(),
})

const numericDate = z.number().min(0).max(7_258_118_400)
const name = z.string().min(1).max(256)
const claimsSchema = z.looseObject({
  iss: name,
  sub: name,
  aud: z.union([name, z.array(name).min(1).max(4)]),
  exp: numericDate,
  nbf: numericDate.optional(),
  iat: numericDate.optional(),
  jti: name,
})

export type Assertion = {
  compact: string
  alg: Algorithm
  kid: string | undefined
  clientId: string
  jti: string
  /** From this instant on the assertion is refused for its age alone, so that its jti can be forgotten. */
  deadAt: number
}

/**
 * Reads an assertion without trusting it. Every audience must be one of `audiences`; `exp` must lie ahead, but no more
 * than 10 minutes; `nbf` and `iat` must not. Throws a KeyriteError of any code when something does not fit.
 */
export function parseAssertion(compact: string, audiences: readonly string[], now: number): Assertion {
  const { header, parts } = splitCompact(compact, 3, MAX_BYTES)
  const { alg, kid } = parseAs(headerSchema, header, 'client assertion', 'jose-refused')
  const payload = parseJson(fromBase64url(parts[1] ?? ''), { maxBytes: MAX_BYTES, maxDepth: 4 })
  const { iss, sub, aud, exp, nbf = 0, iat = now, jti } = parseAs(claimsSchema, payload, 'client assertion')
  must(iss === sub, 'format-invalid', 'The issuer of the assertion is not its subject.')
  must(
    [aud].flat().every((one) => audiences.includes(one)),
    'audience-wrong',
    'The assertion is for another server.',
  )
  must(exp > now - LEEWAY && exp <= now + MAX_AHEAD, 'format-invalid', 'The assertion expires too early or too late.')
  must(nbf <= now + LEEWAY && iat <= now + LEEWAY, 'format-invalid', 'The assertion is from the future.')
  must(iat > now - MAX_AHEAD - LEEWAY && iat <= exp, 'format-invalid', 'The assertion is too old.')
  return { compact, alg, kid, clientId: sub, jti, deadAt: Math.ceil(exp) + LEEWAY }
}

/**
 * True when the one key among `keys` that has the assertion's kid and algorithm signed it. Without such a key the
 * signature is checked against a decoy all the same: an unknown client costs what a known one does.
 */
export async function verifyAssertion(
  { compact, alg, kid }: Assertion,
  keys: readonly PublishedJwk[],
): Promise<boolean> {
  const fitting = keys.filter((key) => key.alg === alg && (kid === undefined || key.kid === kid))
  const key = fitting.length === 1 ? fitting[0] : undefined
  try {
    await compactVerify(utf8(compact), key ?? decoy(alg), { algorithms: [alg] })
  } catch {
    return false
  }
  return key !== undefined
}

const decoys = new Map<Algorithm, JWK>()
function decoy(alg: Algorithm): JWK {
  const jwk = decoys.get(alg) ?? makeDecoy(alg)
  decoys.set(alg, jwk)
  return jwk
}

/** A public key whose private half nobody has. For RSA any odd number of the right size takes as long as a real modulus. */
function makeDecoy(alg: Algorithm): JWK {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  if (alg === 'ES384') return generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
  if (alg === 'Ed25519') return generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  const modulus = randomBytes(256)
  modulus[0] = 0xc0 | (modulus[0] ?? 0)
  modulus[255] = 1 | (modulus[255] ?? 0)
  return { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' }
}
