import { must } from '../errors.ts'
import type { KeySpec } from './algorithms.ts'
import { lostHandoff, mustNotAwait } from './copies.ts'
import { type KeyFacts, signerAt } from './key.ts'
import { keysFor, knownRuntime, scheduled, standbysOf, tenantsOf } from './known.ts'
import { SKEW } from './policy.ts'
import { erasureOf } from './receipts.ts'
import { keysOf, type Runtime, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** What leaves for a runtime, and what has left. */

/**
 * What leaves for a runtime: for each tenant and algorithm the key that signs and `materialAhead` keys after it, unless
 * the runtime has them. A tenant whose keys are all compromised goes along without any, so that the runtime learns it;
 * one that has no key to name is left out where all are chosen. Codes `runtime-unknown`, `tenant-unknown`,
 * `ceremony-conflict` while the handoff before is not known to have arrived (its one-time transport key is spent) unless
 * the plan names it `lost`, while a restored vault awaits receipts, and for a tenant without a key that is chosen by name
 * or whose compromise the runtime does not know.
 */
export function decideHandoff(
  state: VaultState,
  runtimeId: string,
  chosen: 'all' | readonly string[],
  now: number,
  lost?: number,
): { tenants: Tenant[]; keys: VaultKey[]; removed: Tenant[] } {
  const runtime = knownRuntime(state, runtimeId)
  mustNotAwait(state)
  const last = runtime.handoffs.findLast((handoff) => handoff.exported)
  const arrived = !last || erasureOf(runtime, last.transportKey) !== undefined
  if (lost !== undefined) mustBeLost(runtime, lost)
  must(
    arrived || lost !== undefined,
    'ceremony-conflict',
    `Handoff ${last?.number} to ${runtimeId} is not known to have arrived.`,
    {
      hint: `Bring the runtime's receipts in first, with an intake ceremony. If its files are lost for good, say so in the plan: "lost": ${last?.number}.`,
    },
  )
  const removed = removedFor(state, runtime, chosen)
  const asked = tenantsOf(state, chosen === 'all' ? chosen : chosen.filter((id) => !state.tenants.get(id)?.offboarded))
  const tenants = asked.filter((tenant) => exportedKeys(state, tenant, now).named.length > 0)
  const empty = asked.filter((tenant) => !tenants.includes(tenant))
  const missed = chosen === 'all' ? empty.find((tenant) => untold(state, runtime, tenant, now)) : empty[0]
  must(!missed, 'ceremony-conflict', `Tenant ${missed?.tenant} has no key that a bundle can name.`, {
    hint: 'Make new keys for it first, with a rotation.',
  })
  must(tenants.length + removed.length > 0, 'ceremony-conflict', 'The vault has no tenant to hand over.')
  // What went with a handoff that never arrived has to go again.
  const has = new Set(
    runtime.handoffs.flatMap((one) => (one.exported && erasureOf(runtime, one.transportKey) ? one.keys : [])),
  )
  const keys = tenants.flatMap((tenant) =>
    tenant.policy.signingAlgorithms.flatMap((spec) => dueKeys(state, tenant, spec, now)),
  )
  return { tenants, keys: keys.filter((key) => !has.has(key.kid)), removed }
}

/**
 * By when this runtime needs another handoff, or null where it has what it needs: private keys that are to sign and are
 * not there, keys that no bundle names yet, a compromise or an end that it was not told. A runtime that was never handed
 * anything is served from its first handoff on; where it is the only one, it needs every tenant that has a customer.
 */
export function keysWaiting(state: VaultState, runtime: Runtime, now: number): number | null {
  const had = new Set(handedOver(runtime))
  const only = state.runtimes.size === 1
  const due = [...state.tenants.values()].flatMap((tenant) => {
    const last = runtime.handoffs.findLast((one) => one.exported && one.tenants.includes(tenant.tenant))
    if (tenant.offboarded) return last && last.at < tenant.offboarded.at ? [tenant.offboarded.at] : []
    if (!last && (!only || tenant.reserved)) return []
    if (untold(state, runtime, tenant, now)) return [now]
    const missing = tenant.policy.signingAlgorithms
      .flatMap((spec) => dueKeys(state, tenant, spec, now))
      .filter((key) => !had.has(key.kid) && !runtime.opened.includes(key.kid))
    const unnamed = keysOf(state, tenant.tenant, { usable: true }).filter(
      (key) => key.times.removeAt > now && key.bornAt > (last?.at ?? 0),
    )
    return [...missing.map(({ times }) => times.signFrom), ...unnamed.map(({ times }) => times.announceAt)]
  })
  return due.length === 0 ? null : Math.min(...due)
}

/** Offboarded tenants that this runtime ever had: every later bundle says so, as it says which keys are destroyed. */
const removedFor = (state: VaultState, runtime: Runtime, chosen: 'all' | readonly string[]): Tenant[] =>
  [...state.tenants.values()].filter(
    ({ tenant, offboarded }) =>
      offboarded &&
      (chosen === 'all' || chosen.includes(tenant)) &&
      runtime.handoffs.some((handoff) => handoff.tenants.includes(tenant)),
  )

/** A handoff can be lost only while no receipt tells that it arrived. Code `ceremony-conflict`. */
function mustBeLost(runtime: Runtime, number: number): void {
  const lost = lostHandoff(runtime)
  must(
    lost?.number === number,
    'ceremony-conflict',
    `Handoff ${number} to ${runtime.runtimeId} is not the last one, or its receipts tell that it arrived.`,
  )
}

/** True while this runtime may use a key that was compromised after the last bundle that named its tenant. */
const untold = (state: VaultState, runtime: Runtime, { tenant }: Tenant, now: number): boolean =>
  keysOf(state, tenant).some(
    ({ kid, times, compromised }) =>
      compromised !== null &&
      times.removeAt > now &&
      mayHaveLeft(runtime).includes(kid) &&
      !runtime.handoffs.some(
        (handoff) => handoff.exported && handoff.tenants.includes(tenant) && handoff.at >= compromised.at,
      ),
  )

/** Every runtime has the keys it should have: what the vault's schedule takes for granted. */
const READY: KeyFacts = { hasPrivate: true, tainted: false, firstPublishedAt: null }

/** The key that signs at `now` for one algorithm, and as many after it as the policy lets out ahead. */
function dueKeys(state: VaultState, tenant: Tenant, spec: KeySpec, now: number): VaultKey[] {
  const { propagationTime, materialAhead } = tenant.policy
  const keys = keysFor(state, tenant, spec)
  const signer = signerAt(keys.map(scheduled), () => READY, propagationTime, now)
  const ahead = keys.filter((key) => key.times.signFrom > now).slice(0, materialAhead)
  const hot = tenant.policy.standby === 'hot' ? standbysOf(state, tenant.tenant, spec) : []
  return [...keys.filter((key) => key.kid === signer?.kid), ...ahead, ...hot]
}

/** The public keys that a bundle names for a tenant, and the destroyed ones of which it names the tombstone. */
export function exportedKeys(
  state: VaultState,
  tenant: Tenant,
  now: number,
): { named: VaultKey[]; destroyed: VaultKey[] } {
  const all = keysOf(state, tenant.tenant)
  const destroyed = all.filter(
    (key) => state.elsewhere.has(key.kid) || (key.destroyed && !tokensMayLive(state, tenant, key, now)),
  )
  return { named: all.filter((key) => key.times.removeAt > now && !destroyed.includes(key)), destroyed }
}

/**
 * True while a runtime that had this key may have signed a token that still lives. A destroyed key stays published for
 * so long; then its tombstone takes its place.
 */
function tokensMayLive(state: VaultState, { policy }: Tenant, key: VaultKey, now: number): boolean {
  if (key.compromised || now >= key.times.extendUntil + policy.accessTokenLifetime + SKEW) return false
  return [...state.runtimes.values()].some((runtime) => handedOver(runtime).includes(key.kid))
}

/** Keys whose material may have left for this runtime: a handoff that was not recorded to its end may have made its files. */
export const mayHaveLeft = (runtime: Runtime): string[] => [
  ...new Set([...runtime.handoffs.flatMap((handoff) => handoff.keys), ...runtime.opened]),
]

/** Keys whose material left for this runtime, except in a handoff that never happened. */
export const handedOver = (runtime: Runtime): string[] =>
  runtime.handoffs.flatMap((handoff) => (handoff.exported ? handoff.keys : []))
