import { must } from '../errors.ts'
import { KEY_SPECS, type KeySpec } from './algorithms.ts'
import type { ScheduledKey } from './key.ts'
import { keysOf, type Runtime, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** What a plan names, looked up in the vault as it is. */

export const sameAlgorithm = (a: KeySpec, b: KeySpec): boolean => KEY_SPECS[a].alg === KEY_SPECS[b].alg

export const scheduled = ({ kid, spec, standby, times }: VaultKey): ScheduledKey => ({ kid, spec, standby, ...times })

export const keysFor = (state: VaultState, tenant: Tenant, spec: KeySpec): VaultKey[] =>
  keysOf(state, tenant.tenant, { usable: true }).filter((key) => !key.standby && sameAlgorithm(key.spec, spec))

/** The usable standby keys of a tenant's algorithm, the one that stands by longest last. */
export const standbysOf = (state: VaultState, tenant: string, spec: KeySpec): VaultKey[] =>
  keysOf(state, tenant, { usable: true }).filter((key) => key.standby && sameAlgorithm(key.spec, spec))

export const tenantsOf = (state: VaultState, chosen: 'all' | readonly string[]): Tenant[] =>
  chosen === 'all'
    ? [...state.tenants.values()].filter((tenant) => !tenant.offboarded)
    : chosen.map((id) => livingTenant(state, id))

export function knownTenant(state: VaultState, id: string): Tenant {
  const tenant = state.tenants.get(id)
  must(tenant, 'tenant-unknown', `The vault has no tenant ${id}.`)
  return tenant
}

/** A tenant that was not offboarded. Codes `tenant-unknown`, `ceremony-conflict`. */
export function livingTenant(state: VaultState, id: string): Tenant {
  const tenant = knownTenant(state, id)
  must(!tenant.offboarded, 'ceremony-conflict', `Tenant ${id} was offboarded: none of its keys signs any more.`)
  return tenant
}

export function knownKey(state: VaultState, kid: string): VaultKey {
  const key = state.keys.get(kid)
  must(key, 'key-unknown', `The vault has no key ${kid}.`)
  return key
}

export function knownRuntime(state: VaultState, id: string): Runtime {
  const runtime = state.runtimes.get(id)
  must(runtime, 'runtime-unknown', `The vault knows no runtime ${id}.`)
  return runtime
}
