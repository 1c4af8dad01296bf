import { compactVerify } from 'jose'
import { utf8 } from '../formats/bytes.ts'
import { isWhole } from '../formats/jws.ts'
import { TOKEN_ALGORITHMS } from '../formats/trust-policy.ts'
import { checkClaims } from './claims.ts'
import { importKey } from './key-set.ts'
import { type KeySetOptions, KeySets } from './key-sets.ts'
import type { IssuerTrust, TrustPolicy } from './policy.ts'
import { Denied, demand, type Reason } from './reasons.ts'
import { type ReadToken, readToken } from './token.ts'

/** What a relying party asks of every token, in one fixed order. A valid signature alone is never enough. */

/** `message` is a sentence for people and logs; it repeats nothing of the token. */
export type Decision =
  | { readonly allow: true; readonly issuer: string; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly allow: false; readonly reason: Reason; readonly message: string }

/** Made once and kept: it holds the key sets. Another policy needs another context. */
export type TrustContext = { readonly policy: TrustPolicy; readonly keySets: KeySets; readonly now: () => number }

/** `fetch` and the clock (seconds since 1970 UTC) come from outside, so that this runs wherever WebCrypto is. */
export const createTrustContext = (policy: TrustPolicy, options: KeySetOptions): TrustContext => ({
  policy,
  keySets: new KeySets(options),
  now: options.now,
})

/**
 * Decides about one token (compact JWS). Denies with exactly one reason: the first check that fails, in the order of
 * `REASONS`, but that a missing `exp` or `iat` is found where the times are checked. Never allows by exception: what it
 * does not foresee rejects the promise.
 */
export async function verify(token: string, context: TrustContext): Promise<Decision> {
  try {
    const read = readToken(token)
    demand(read.headerAllowed, 'header-not-allowed')
    const trust = context.policy.issuers.get(read.iss)
    demand(trust, 'issuer-unknown')
    await checkSignature(read, trust, context.keySets)
    checkAudience(read, trust)
    checkTimes(read, trust, context.now())
    checkClaims(trust.claims, read.claims)
    return { allow: true, issuer: trust.issuer, claims: read.claims }
  } catch (error) {
    if (error instanceof Denied) return { allow: false, reason: error.reason, message: error.message }
    throw error
  }
}

async function checkSignature(token: ReadToken, trust: IssuerTrust, keySets: KeySets): Promise<void> {
  demand(trust.types.includes(token.typ), 'type-not-allowed')
  const alg = TOKEN_ALGORITHMS.find((one) => one === token.alg)
  demand(alg !== undefined && trust.algorithms.includes(alg), 'algorithm-not-allowed')
  demand(token.kid !== undefined, 'key-unknown')
  const key = await keySets.keyOf(trust, token.kid)
  const imported = await importKey(key, alg)
  try {
    await compactVerify(utf8(token.compact), imported, { algorithms: [alg] })
  } catch {
    throw new Denied('signature-invalid')
  }
  demand(isWhole(key.jwk, token.compact.slice(token.compact.lastIndexOf('.') + 1)), 'signature-invalid')
}

function checkAudience({ audiences }: ReadToken, { audiences: ours, otherAudiences }: IssuerTrust): void {
  const forUs = audiences.some((one) => ours.includes(one))
  const alone = audiences.every((one) => ours.includes(one) || otherAudiences.includes(one))
  demand(forUs && alone, 'audience-wrong')
}

function checkTimes({ exp, nbf, iat }: ReadToken, { clockSkew, maxAge }: IssuerTrust, now: number): void {
  demand(exp !== undefined, 'claim-missing', 'exp is present')
  demand(iat !== undefined, 'claim-missing', 'iat is present')
  demand(now < exp + clockSkew, 'expired')
  demand(Math.max(nbf ?? 0, iat) <= now + clockSkew, 'not-yet-valid')
  demand(now <= iat + maxAge + clockSkew, 'too-old')
}
