import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { compactVerify, type JWK } from 'jose'
import { ALGORITHM_NAMES, type Algorithm } from '../../../shared/domain/algorithms.ts'
import { MINUTE } from '../../../shared/domain/policy.ts'
import { must } from '../../../shared/errors.ts'
import type { PublishedJwk } from '../../../shared/formats/bundle.ts'
import { fromBase64url, utf8 } from '../../../shared/formats/bytes.ts'
import { KB, parseJson } from '../../../shared/formats/json.ts'
import { isWhole, splitCompact } from '../../../shared/formats/jws.ts'

/** Client assertions (RFC 7523 section 3): parsed strictly by us, then verified by jose with a key we chose. */

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const ASSERTION_ALGORITHMS: readonly Algorithm[] = ALGORITHM_NAMES

const MAX_BYTES = 8 * KB
/** The longest client id, jti or kid. */
const MAX_NAME = 256
const MAX_AHEAD = 10 * MINUTE
/** Seconds that a client's clock may differ from ours. */
const LEEWAY = MINUTE

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
  const { alg, kid } = readHeader(header)
  const payload = parseJson(fromBase64url(parts[1] ?? ''), { maxBytes: MAX_BYTES, maxDepth: 4 })
  const { iss, sub, aud, exp, nbf = 0, iat = now, jti } = membersOf(payload)
  demand(isName(sub) && iss === sub && isName(jti), 'names no single client or has no id')
  const named: unknown[] = Array.isArray(aud) ? aud : [aud]
  demand(named.length > 0 && named.every((one) => audiences.some((ours) => ours === one)), 'is for another server')
  demand(isTime(exp) && isTime(nbf) && isTime(iat), 'has no proper times')
  demand(exp > now - LEEWAY && exp <= now + MAX_AHEAD, 'expires too early or too late')
  demand(nbf <= now + LEEWAY && iat <= now + LEEWAY, 'is from the future')
  demand(iat > now - MAX_AHEAD - LEEWAY && iat <= exp, 'is too old')
  return { compact, alg, kid, clientId: sub, jti, deadAt: Math.ceil(exp) + LEEWAY }
}

const TYPES = /^(?:application\/)?(?:jwt|client-authentication\+jwt)$/i

/** `alg`, `kid`, `typ` and nothing else: no `jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`, `zip`. `typ` keeps access tokens out. */
function readHeader(header: unknown): { alg: Algorithm; kid: string | undefined } {
  const { alg, kid, typ, ...others } = membersOf(header)
  const known = ASSERTION_ALGORITHMS.find((one) => one === alg)
  demand(known !== undefined && Object.keys(others).length === 0, 'has a header that is not allowed')
  demand(kid === undefined || isName(kid), 'has a kid that is not allowed')
  demand(typ === undefined || (isName(typ) && TYPES.test(typ)), 'is of another type')
  return { alg: known, kid }
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= MAX_NAME
const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0

function membersOf(value: unknown): Record<string, unknown> {
  demand(typeof value === 'object' && value !== null && !Array.isArray(value), 'is not made of JSON objects')
  return value as Record<string, unknown>
}

function demand(holds: unknown, why: string): asserts holds {
  must(holds, 'jose-refused', `The client assertion ${why}.`)
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
  return key !== undefined && isWhole(key, compact.slice(compact.lastIndexOf('.') + 1))
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
