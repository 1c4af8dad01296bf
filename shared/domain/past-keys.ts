import type { KeySpec, PublicJwk } from './algorithms.ts'
import { exportedKeys, handedOver } from './handoff.ts'
import { SKEW } from './policy.ts'
import { keysOf, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** Keys that relying parties held once and hold no more. */

/** As many as a set of past keys names; older ones fall out of it. */
export const MAX_PAST_KEYS = 200

/** `from` to `until`: when tokens of it may have been signed or lived. `compromised`: since when, null for never. */
export type PastKey = {
  kid: string
  spec: KeySpec
  jwk: PublicJwk
  from: number
  until: number
  compromised: number | null
}

/**
 * The tenant's keys whose public half has left the published set: removed by schedule, compromised, or destroyed. The
 * newest `MAX_PAST_KEYS`, in the order in which they ended; a key that ended before it was announced is none of them.
 */
export function pastKeys(state: VaultState, tenant: Tenant, now: number): PastKey[] {
  const published = new Set(exportedKeys(state, tenant, now).named.flatMap((key) => (key.compromised ? [] : key.kid)))
  return keysOf(state, tenant.tenant)
    .filter(({ kid }) => !published.has(kid))
    .flatMap((key): PastKey[] => {
      const { kid, spec, jwk, times, compromised } = key
      const until = Math.min(now, endOf(state, tenant, key))
      if (until <= times.announceAt) return []
      return [{ kid, spec, jwk, from: Math.min(times.signFrom, until), until, compromised: compromised?.at ?? null }]
    })
    .sort((a, b) => a.until - b.until || (a.kid < b.kid ? -1 : 1))
    .slice(-MAX_PAST_KEYS)
}

/** When it left the published set: as `exportedKeys` decides it. */
function endOf(state: VaultState, { policy }: Tenant, { kid, times, compromised, destroyed }: VaultKey): number {
  const { removeAt, extendUntil } = times
  if (compromised) return Math.min(removeAt, compromised.at)
  const elsewhere = state.elsewhere.get(kid)
  if (elsewhere) return Math.min(removeAt, elsewhere.at)
  if (!destroyed) return removeAt
  const signed = [...state.runtimes.values()].some((runtime) => handedOver(runtime).includes(kid))
  const lastToken = signed ? extendUntil + policy.accessTokenLifetime + SKEW : 0
  return Math.min(removeAt, Math.max(destroyed.at, lastToken))
}
