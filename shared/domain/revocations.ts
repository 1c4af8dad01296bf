import { must } from '../errors.ts'
import { mustNotAwait } from './copies.ts'
import { compromisedBy, type Scope } from './emergency.ts'
import type { EventOf, RevocationIntent } from './events.ts'
import { exportedKeys, mayHaveLeft } from './handoff.ts'
import { knownRuntime, knownTenant, sameAlgorithm, tenantsOf } from './known.ts'
import { erasureOf, takenBy } from './receipts.ts'
import { type Handoff, keysOf, type Runtime, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** Which keys a runtime is told never to use again, outside the sequence of bundles. */

/** `at`: when the bundle was made that the runtime has of this tenant, as far as the vault knows. */
export type RevokedTenant = { tenant: string; at: number; revoke: string[]; standby: string | null }
export type RevocationJob = { runtimeId: string; order: number; tenants: RevokedTenant[] }

/** As many keys as one line of a revocation holds. */
const MOST = 64

/**
 * After a compromise: for each runtime whose bundle names a marked key, or that may have its private half, unless a bundle
 * that is known to have arrived said so. The standby key that was called upon in its place takes over there at once.
 */
export function decideRevocations(state: VaultState, scope: Scope, now: number): RevocationJob[] {
  const marked = compromisedBy(state, scope).filter((key) => key.compromised && key.times.removeAt > now)
  const reached = Map.groupBy(marked, (key) => key.tenant)
  return [...state.runtimes.values()].flatMap((runtime) => {
    const [had, last] = [new Set(mayHaveLeft(runtime)), lastHandoffs(runtime)]
    const tenants = [...reached].flatMap(([id, keys]): RevokedTenant[] => {
      const handoff = last.get(id)
      if (!handoff) return []
      const named = namedIn(state, id, handoff.at)
      const known = new Set([...had, ...named.map(({ kid }) => kid)])
      const news = keys.some((key) => known.has(key.kid) && !told(runtime, key))
      const revoke = news ? goneAt(state, runtime, id, now).filter((kid) => known.has(kid)) : []
      const standby = named.find((key) => key.standby && revoke.includes(state.keys.get(key.kid)?.replaces ?? ''))
      return revoke.length === 0 ? [] : [{ tenant: id, at: handoff.at, revoke, standby: standby?.kid ?? null }]
    })
    return tenants.length === 0 ? [] : [{ runtimeId: runtime.runtimeId, order: nextOrder(runtime), tenants }]
  })
}

/**
 * Prepared ahead, for one runtime: every key of these tenants that left for it, or only the keys that are named. The
 * standby key takes over where the runtime has it on that day. Codes `runtime-unknown`, `tenant-unknown`,
 * `ceremony-conflict` where there is nothing to revoke, or for a key that this runtime never heard of.
 */
export function decidePrepared(
  state: VaultState,
  runtimeId: string,
  { tenants: chosen, keys }: { tenants: 'all' | readonly string[]; keys?: readonly string[] | undefined },
  now: number,
): RevocationJob {
  const runtime = knownRuntime(state, runtimeId)
  mustNotAwait(state)
  const [had, last] = [new Set(mayHaveLeft(runtime)), lastHandoffs(runtime)]
  const found = new Set<string>()
  const tenants = tenantsOf(state, chosen).flatMap(({ tenant: id, kids }): RevokedTenant[] => {
    const handoff = last.get(id)
    must(handoff || chosen === 'all', 'ceremony-conflict', `Tenant ${id} was never handed over to ${runtimeId}.`)
    if (!handoff) return []
    const named = namedIn(state, id, handoff.at)
    const known = new Set([...named.map(({ kid }) => kid), ...had])
    const wanted = kids.filter((kid) => known.has(kid) && (keys ? keys.includes(kid) : had.has(kid)))
    const used = wanted.filter((kid) => (state.keys.get(kid)?.times.removeAt ?? 0) > now)
    for (const kid of used) found.add(kid)
    if (used.length === 0) return []
    const gone = goneAt(state, runtime, id, now).filter((kid) => known.has(kid))
    const revoke = [...new Set([...used, ...gone])].slice(0, MOST)
    return [{ tenant: id, at: handoff.at, revoke, standby: standbyIn(state, named, revoke, now) }]
  })
  const unknown = keys?.find((kid) => !found.has(kid))
  must(!unknown, 'ceremony-conflict', `Key ${unknown} is not in use at ${runtimeId} for a tenant of this plan.`)
  must(tenants.length > 0, 'ceremony-conflict', `${runtimeId} has no key of these tenants that could be revoked.`)
  return { runtimeId, order: nextOrder(runtime), tenants }
}

/** Above every number that this vault used or the runtime took. */
function nextOrder({ revocations, receipts }: Runtime): number {
  const taken = receipts.statements.flatMap(({ stated }) =>
    stated.type === 'revoked' ? [Number(stated['order'])] : [],
  )
  return Math.max(0, ...revocations.map(({ order }) => order), ...taken) + 1
}

/** The keys of a tenant that are lost at this runtime by now: compromised and not told in a bundle, or revoked there before. */
function goneAt(state: VaultState, runtime: Runtime, tenant: string, now: number): string[] {
  const before = new Set(runtime.revocations.flatMap((one) => (takenBy(runtime, one) ? one.keys : [])))
  return keysOf(state, tenant)
    .filter((key) => key.times.removeAt > now && (before.has(key.kid) || (key.compromised && !told(runtime, key))))
    .map(({ kid }) => kid)
    .slice(0, MOST)
}

/** Tenant -> the last handoff that named it. */
const lastHandoffs = ({ handoffs }: Runtime): Map<string, Handoff> =>
  new Map(handoffs.flatMap((one) => (one.exported ? one.tenants.map((id): [string, Handoff] => [id, one]) : [])))

/** True once a bundle that says of the compromise is known to have arrived. */
const told = (runtime: Runtime, { tenant, compromised }: VaultKey): boolean =>
  runtime.handoffs.some(
    (one) =>
      one.exported &&
      compromised &&
      one.at >= compromised.at &&
      one.tenants.includes(tenant) &&
      erasureOf(runtime, one.transportKey),
  )

function standbyIn(
  state: VaultState,
  named: readonly VaultKey[],
  revoke: readonly string[],
  now: number,
): string | null {
  const lost = named.filter((key) => revoke.includes(key.kid) && !key.standby)
  const ready = named.findLast((key) => {
    const today = state.keys.get(key.kid)
    const usable = today?.standby && !today.destroyed && !today.compromised && now < today.times.signUntil
    return usable && !revoke.includes(key.kid) && lost.some((one) => sameAlgorithm(one.spec, key.spec))
  })
  return ready?.kid ?? null
}

const namedIn = (state: VaultState, id: string, at: number): VaultKey[] => {
  const then = asHandedOver(state, id, at)
  return exportedKeys(then.state, then.tenant, at).named
}

/**
 * One tenant as a bundle made at `at` named it: its policy and keys of then. The other tenants are left out. Code
 * `tenant-unknown`.
 */
export function asHandedOver(state: VaultState, id: string, at: number): { state: VaultState; tenant: Tenant } {
  const now = knownTenant(state, id)
  const policy = now.earlier?.find(({ until }) => until > at)?.policy ?? now.policy
  const kids = now.kids.filter((kid) => (state.keys.get(kid)?.bornAt ?? Infinity) <= at)
  const keys = new Map(kids.flatMap((kid) => keyThen(state.keys.get(kid), at)))
  const tenant = { ...now, policy, offboarded: null, kids }
  return { state: { ...state, keys, tenants: new Map([[id, tenant]]) }, tenant }
}

function keyThen(key: VaultKey | undefined, at: number): [string, VaultKey][] {
  if (!key) return []
  const { stoodBy, compromised, destroyed } = key
  const then = {
    ...key,
    ...(stoodBy && stoodBy.until > at && { times: stoodBy.times, standby: true as const }),
    compromised: compromised && compromised.at <= at ? compromised : null,
    destroyed: destroyed && destroyed.at <= at ? destroyed : null,
  }
  return [[key.kid, then]]
}

/** The revocations that were intended together with this one: a quorum approved them together. */
export const intendedWith = (
  state: VaultState,
  { runtimeId, order }: Pick<EventOf<'revocation-signed'>, 'runtimeId' | 'order'>,
): RevocationIntent[] => {
  const seq = state.runtimes.get(runtimeId)?.revocations.find((one) => one.order === order)?.seq
  return [...state.runtimes.values()].flatMap((runtime) =>
    runtime.revocations.flatMap((one) => (one.seq === seq ? [{ ...one, runtimeId: runtime.runtimeId }] : [])),
  )
}
