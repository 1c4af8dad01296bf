/** Why a token is denied: a closed list, in the order of the checks. The first that fails is the one reason given. */

export const REASONS = {
  malformed: 'This is not a signed token (JWT in compact form), or it is too large or not strictly encoded.',
  'header-not-allowed': 'The header of the token holds something that must not stand there.',
  'issuer-unknown': 'The policy does not name the issuer of the token.',
  'type-not-allowed': 'Tokens of this type are not accepted from this issuer.',
  'algorithm-not-allowed': 'This signature algorithm is not accepted from this issuer.',
  'key-set-unavailable': 'The key set of the issuer cannot be fetched, and none is known that may still be used.',
  'key-set-invalid': 'The key set of the issuer is refused as a whole.',
  'key-set-expired': 'The signed key set of the issuer has expired or is not valid yet.',
  'key-set-rolled-back': 'The signed key set of the issuer is older than one that was seen before.',
  'key-unknown': 'The key set of the issuer holds no key that the token names.',
  'key-mismatch': 'The key that the token names is not for its algorithm.',
  'signature-invalid': 'The signature does not verify under the key that the token names.',
  'audience-wrong': 'The token is for somebody else, or for somebody besides.',
  expired: 'The token has expired.',
  'not-yet-valid': 'The token is from the future, or not valid yet.',
  'too-old': 'The token was issued longer ago than the policy allows.',
  'claim-missing': 'A claim that the policy demands is missing.',
  'claim-wrong': 'A claim has another value than the policy demands.',
} as const satisfies Record<string, string>

export type Reason = keyof typeof REASONS

/** Ends the checks of one token. `about` says more for people, never with a text of the token or of a server. */
export class Denied extends Error {
  readonly reason: Reason

  constructor(reason: Reason, about = '') {
    super(about === '' ? REASONS[reason] : `${REASONS[reason]} (${about})`)
    this.name = 'Denied'
    this.reason = reason
  }
}

/** Throws `Denied` unless `condition` holds. */
export function demand(condition: unknown, reason: Reason, about?: string): asserts condition {
  if (!condition) throw new Denied(reason, about)
}
