import { isKeyriteError, KeyriteError, must } from '../errors.ts'
import { type Anchor, openTrustAnchor } from '../formats/trust-anchor.ts'
import { type IssuerPolicy, parseTrustPolicy } from '../formats/trust-policy.ts'

/** A trust policy ready for use: its issuers by name, with their pinned roots opened. */

/** What is demanded of one issuer's tokens, and the roots that may sign its key sets (none where it names a JWKS URL). */
export type IssuerTrust = IssuerPolicy & { readonly anchors: readonly Anchor[] }
export type TrustPolicy = { readonly issuers: ReadonlyMap<string, IssuerTrust> }

/**
 * Reads a trust policy file and opens its trust anchors. A second anchor of an issuer must be the successor that the
 * first one names. Codes `trust-policy-invalid`, and `practice-refused` for a practice root in a production policy.
 */
export async function openTrustPolicy(input: Uint8Array | string): Promise<TrustPolicy> {
  const { issuers, practice = false } = parseTrustPolicy(input)
  const opened = await Promise.all(
    issuers.map(
      async (one): Promise<[string, IssuerTrust]> => [one.issuer, { ...one, anchors: await anchorsOf(one, practice) }],
    ),
  )
  return { issuers: new Map(opened) }
}

async function anchorsOf({ issuer, keys }: IssuerPolicy, practice: boolean): Promise<Anchor[]> {
  if (keys.source !== 'pinned-root') return []
  const anchors: Anchor[] = []
  for (const jws of keys.trustAnchors) anchors.push(await anchorOf(jws, issuer))
  const [first, second] = anchors
  must(
    !second || second.key.kid === first?.successor,
    'trust-policy-invalid',
    `The second trust anchor of ${issuer} is not the successor that the first one names.`,
  )
  for (const anchor of anchors)
    must(
      anchor.practice === practice,
      'practice-refused',
      anchor.practice
        ? `The trust anchor of ${issuer} is one of a practice vault; a policy for practice says "practice": true.`
        : `The trust anchor of ${issuer} is not one of a practice vault, but the policy is for practice.`,
    )
  return anchors
}

async function anchorOf(jws: string, issuer: string): Promise<Anchor> {
  try {
    return await openTrustAnchor(jws)
  } catch (cause) {
    if (!isKeyriteError(cause)) throw cause
    const message = `A trust anchor of ${issuer} is none: ${cause.message}`
    throw new KeyriteError('trust-policy-invalid', message, { cause })
  }
}
