import { ALGORITHM_NAMES, KEY_SPECS } from '../../../shared/domain/algorithms.ts'
import type { KeyStatus, Status, TenantStatus } from '../status.ts'
import { type Family, familyText, type Sample } from './exposition.ts'

/** What the state of the runtime comes to at one instant. */

/** What `status` does not tell. */
export type Facts = {
  /** Imports since the store was made: `accepted`, or the code of the refusal. */
  imports: readonly { outcome: string; count: number }[]
  /** When the oldest receipt was written that no bundle has confirmed; null for none. */
  receiptsWaitingSince: number | null
  /** Since when the second place lacks something; null where it lacks nothing, or there is none. */
  secondPlaceBehindSince: number | null
  /** Registered relying parties that have not fetched the newest announced key of a tenant. */
  unfetched: readonly { tenant: string; party: string }[]
}

const gauge = (name: string, help: string, ...labels: string[]): Family => ({ name, help, type: 'gauge', labels })

export const GAUGES = {
  info: gauge('keyrite_runtime_info', 'Who this runtime is; always 1.', 'runtime', 'environment', 'practice'),
  tenants: gauge('keyrite_tenants', 'Tenants served.'),
  bundleNumber: gauge('keyrite_bundle_number', 'Number of the newest bundle imported; 0 for none.'),
  bundleAge: gauge('keyrite_bundle_age_seconds', 'Time since the newest bundle was imported.'),
  clockHold: gauge('keyrite_clock_hold', '1 while the clock is held, by kind.', 'kind'),
  receipts: gauge('keyrite_receipts_waiting', 'Receipts that no bundle has confirmed yet.'),
  receiptsAge: gauge('keyrite_receipts_waiting_seconds', 'Age of the oldest receipt that no bundle has confirmed.'),
  secondPlace: gauge('keyrite_second_place_behind_seconds', 'How long the second place has lacked something.'),
  imports: {
    ...gauge('keyrite_imports_total', 'Imports since the store was made, by outcome.', 'outcome'),
    type: 'counter',
  },
  signingKeys: gauge('keyrite_signing_keys', 'Keys that may sign now; 0 means no tokens.', 'tenant'),
  keyAge: gauge('keyrite_signing_key_age_seconds', 'Age of the key that signs.', 'tenant', 'algorithm'),
  nextTransition: gauge('keyrite_next_transition_seconds', 'Time to the next change of phase.', 'tenant'),
  scheduleLeft: gauge('keyrite_schedule_left_seconds', 'Time to the end of the signed schedule.', 'tenant'),
  materialLeft: gauge('keyrite_material_left_seconds', 'Time for which private keys are here.', 'tenant'),
  announced: gauge('keyrite_announced_key_sign_from_seconds', 'Time until an announced key may sign.', 'tenant'),
  seen: gauge('keyrite_announced_key_seen', '1 once anybody fetched the announced key.', 'tenant'),
  unfetched: gauge('keyrite_announced_key_unfetched', 'Registered parties without it; 1.', 'tenant', 'party'),
} as const satisfies Record<string, Family>

type Samples = Record<keyof typeof GAUGES, Sample[]>

/** All gauges of a runtime in the Prometheus text format. Without `facts` those that only they tell are left out. */
export function gaugesText(status: Status, facts: Facts | null): string {
  const samples = Object.fromEntries(Object.keys(GAUGES).map((name) => [name, []])) as unknown as Samples
  addRuntime(samples, status)
  for (const tenant of status.tenants) addTenant(samples, tenant, status.clock.now)
  if (facts) addFacts(samples, facts, status.clock.now)
  return Object.entries(GAUGES)
    .map(([name, family]) => familyText(family, samples[name as keyof Samples]))
    .join('')
}

function addRuntime(samples: Samples, status: Status): void {
  const { runtimeId, environment, practice, bundle, clock } = status
  samples.info.push([[runtimeId, environment, String(practice)], 1])
  samples.tenants.push([[], status.tenants.length])
  samples.bundleNumber.push([[], bundle?.number ?? 0])
  if (bundle) samples.bundleAge.push([[], clock.now - bundle.at])
  for (const kind of ['jump', 'downtime']) samples.clockHold.push([[kind], clock.hold?.kind === kind ? 1 : 0])
  samples.receipts.push([[], status.receiptsNotExported])
}

function addTenant(samples: Samples, status: TenantStatus, now: number): void {
  const { phases, nextChange, scheduleEnds, propagation } = status
  const tenant = [status.tenant]
  samples.signingKeys.push([tenant, status.signingKids.length])
  for (const [alg, signFrom] of signingSince(phases)) samples.keyAge.push([[status.tenant, alg], now - signFrom])
  if (nextChange !== null) samples.nextTransition.push([tenant, nextChange - now])
  if (scheduleEnds !== null) samples.scheduleLeft.push([tenant, scheduleEnds - now])
  const ends = materialEnds(phases)
  samples.materialLeft.push([tenant, ends === null ? 0 : Math.max(0, ends - now)])
  if (!propagation) return
  samples.announced.push([tenant, propagation.signFrom - now])
  samples.seen.push([tenant, propagation.fetched.length > 0 || propagation.unnamed ? 1 : 0])
}

/** One key for an algorithm: a family may not name the same series twice. */
const signingSince = (keys: readonly KeyStatus[]): Map<string, number> =>
  new Map(keys.filter(({ phase }) => phase === 'signing').map(({ spec, signFrom }) => [KEY_SPECS[spec].alg, signFrom]))

/** When the last private half of an algorithm stops signing: the earliest such instant among the tenant's algorithms. */
function materialEnds(keys: readonly KeyStatus[]): number | null {
  const groups = ALGORITHM_NAMES.map((alg) => keys.filter(({ spec }) => KEY_SPECS[spec].alg === alg))
  const ends = groups
    .filter((group) => group.some(({ phase }) => phase !== 'removed' && phase !== 'retired'))
    .map((group) => group.filter((key) => key.hasPrivate && !key.tainted && !key.withdrawn))
    .map((usable) => Math.max(0, ...usable.map(({ signUntil }) => signUntil)))
  return ends.length === 0 ? null : Math.min(...ends)
}

function addFacts(samples: Samples, facts: Facts, now: number): void {
  const { imports, receiptsWaitingSince, secondPlaceBehindSince, unfetched } = facts
  const since = (at: number | null) => (at === null ? 0 : Math.max(0, now - at))
  for (const { outcome, count } of imports) samples.imports.push([[outcome], count])
  samples.receiptsAge.push([[], since(receiptsWaitingSince)])
  samples.secondPlace.push([[], since(secondPlaceBehindSince)])
  for (const { tenant, party } of unfetched) samples.unfetched.push([[tenant, party], 1])
}
