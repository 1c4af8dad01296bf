import { hash } from 'node:crypto'
import { JWKS_MAX_AGE } from '../../../shared/domain/policy.ts'

/** How far max-age is drawn down, as a share of it, so that caches of many tenants do not expire at once. */
const JITTER = 0.2

/** A number in [0, 1) that is always the same for one issuer. */
export const spread = (issuer: string): number => hash('sha256', issuer, 'buffer').readUInt32BE(0) / 2 ** 32

/** `max-age` in seconds: at most 1 h and never beyond the next change of the key set, drawn down by the issuer's share. */
export const maxAge = (secondsToChange: number, share: number): number =>
  Math.floor(Math.max(0, Math.min(JWKS_MAX_AGE, secondsToChange)) * (1 - JITTER * share))

/** True when `If-None-Match` names `etag` (RFC 9110 section 13.1.2: weak comparison, a list, or `*`). */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch === etag) return true
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || ifNoneMatch.trim() === '*'
}
