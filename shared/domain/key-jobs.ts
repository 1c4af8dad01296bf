import { must } from '../errors.ts'
import type { KeySpec } from './algorithms.ts'
import type { EventOf } from './events.ts'
import { exportedKeys } from './handoff.ts'
import type { KeyTimes, ScheduledKey } from './key.ts'
import { scheduled } from './known.ts'
import type { Policy } from './policy.ts'
import { keyLabel, standbyEndsSoon, standbyTimes } from './schedule.ts'
import { planTimes } from './slots.ts'
import type { Tenant, VaultKey, VaultState } from './state.ts'

/** Keys to make: what every decision about new keys has in common. */

/** One key to make. */
export type KeyJob = {
  tenant: string
  spec: KeySpec
  times: KeyTimes
  label: string
  replaces: string | null
  standby?: true
}

export const job = (tenant: string, spec: KeySpec, times: KeyTimes, replaces: string | null = null): KeyJob => ({
  tenant,
  spec,
  times,
  label: keyLabel(tenant, spec, times),
  replaces,
})

/** A key to make as the schedule sees it. */
export const planned = ({ label, spec, times, standby }: KeyJob): ScheduledKey => ({
  kid: label,
  spec,
  standby,
  ...times,
})

/** The standby key that a tenant's policy asks for, where none of its keys will stand by long enough. */
export function standbyJob(
  tenant: string,
  policy: Policy,
  usable: readonly VaultKey[],
  now: number,
  taken: readonly string[] = [],
): KeyJob[] {
  const [spec] = policy.signingAlgorithms
  if (policy.standby === 'none' || !spec || usable.some((key) => key.standby && !standbyEndsSoon(key.times, now)))
    return []
  const times = standbyTimes(policy, now)
  const made = `${keyLabel(tenant, spec, times)}-standby`
  const label = taken.includes(made) ? `${made}b` : made
  return [{ ...job(tenant, spec, times), label, standby: true }]
}

/** What speaks against signing a tenant's slots, once these keys are made and those compromised; null where nothing does. */
export function findingOf(
  state: VaultState,
  tenant: Tenant,
  made: readonly (KeyJob | EventOf<'standby-activated'>)[],
  lost: readonly VaultKey[],
  now: number,
): string | null {
  const { named } = exportedKeys(state, tenant, now)
  const gone = [...lost, ...named.filter((key) => key.compromised)].map((key) => key.kid)
  const called = new Map(made.flatMap((one) => ('type' in one ? [[one.kid, one.times]] : [])))
  const jobs = made.flatMap((one) => ('type' in one ? [] : [one]))
  const asCalled = (key: VaultKey): ScheduledKey => {
    const times = called.get(key.kid)
    return times ? { kid: key.kid, spec: key.spec, ...times } : scheduled(key)
  }
  const keys = [...named.map(asCalled), ...jobs.map(planned)]
  return keys.length === 0 ? null : planTimes(tenant.policy, keys, new Set(gone), now).finding
}

export const mustFit = (tenant: string, finding: string | null): void =>
  must(finding === null, 'policy-rejected', `Tenant ${tenant}: ${finding}.`)
