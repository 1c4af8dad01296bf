import type { DrawnKey } from '../../../shared/contract/common.ts'
import { decideAmend } from '../../../shared/domain/amend.ts'
import { decideRotate, type NewTenant } from '../../../shared/domain/decide.ts'
import { decideEmergency } from '../../../shared/domain/emergency.ts'
import type { KeyTimes } from '../../../shared/domain/key.ts'
import { type KeyJob, planned } from '../../../shared/domain/key-jobs.ts'
import { knownTenant } from '../../../shared/domain/known.ts'
import { type Claim, claimOf } from '../../../shared/domain/prover.ts'
import { keysOf, type VaultKey, type VaultState } from '../../../shared/domain/state.ts'
import { must } from '../../../shared/errors.ts'
import { lineSchema } from '../../../shared/formats/common.ts'
import type { Plan, PlanOf } from '../../../shared/formats/plan.ts'
import { jobsOf } from '../../ceremony/make-keys.ts'
import type { VaultPort } from '../../ceremony/ports.ts'

/** What a plan does to the schedules of tenants: the keys there are and those that it makes, as they will be. */

export type ShownKey = DrawnKey & { planned: boolean }

/** One tenant as it will be once the plan was carried out, and what the rotation prover is asked of it. */
export type Outlook = {
  tenant: string
  name: string
  claim: Claim
  keys: ShownKey[]
  /** Where an outage is found the ceremony refuses the plan; an emergency or an amendment only says so. */
  refuses: boolean
}

/** Kinds whose decision is taken here, so that the proof behind it can be shared out over time. */
const DECIDED_HERE: ReadonlySet<Plan['kind']> = new Set(['onboard', 'rotate', 'emergency', 'amend'])
export const isDecidedHere = (kind: Plan['kind']): boolean => DECIDED_HERE.has(kind)

type Holding = { vault: Pick<VaultPort, 'state' | 'anchor'>; plan: Plan; now: number }

/**
 * The tenants whose schedules a plan touches. Throws what the ceremony would say where the plan does not fit the vault:
 * codes of `decideOnboard`, `decideRotate`, `decideEmergency`, `decideImport` and `decideAmend`.
 */
export function outlookOf({ vault, plan, now }: Holding): Outlook[] {
  switch (plan.kind) {
    case 'onboard':
    case 'import-key':
      return ofNew(vault as VaultPort, plan, now)
    case 'rotate':
      return ofRotate(vault.state, plan, now)
    case 'emergency':
      return ofEmergency(vault.state, plan, now)
    case 'amend':
      return ofAmend(vault.state, plan, now)
    default:
      return []
  }
}

function ofNew(vault: VaultPort, plan: PlanOf<'onboard' | 'import-key'>, now: number): Outlook[] {
  const { jobs, places = [] } = jobsOf({ vault, ceremony: '', plan }, now)
  const made = Map.groupBy([...places, ...jobs], (job) => job.tenant)
  const tenants: readonly NewTenant[] = plan.kind === 'onboard' ? plan.tenants : [plan.tenant]
  return tenants.map(({ tenant, name, policy, relyingParties }) => {
    const of = made.get(tenant) ?? []
    const claim = { tenant, policy, relyingParties, keys: of.map(planned) }
    return { tenant, name, claim, keys: inOrder(of.map(fromJob)), refuses: true }
  })
}

function ofRotate(state: VaultState, plan: PlanOf<'rotate'>, now: number): Outlook[] {
  const { jobs } = decideRotate(state, plan.tenants, plan.endingWithin ?? null, now)
  return [...Map.groupBy(jobs, (job) => job.tenant)].map(([id, of]) => {
    const tenant = knownTenant(state, id)
    const claim = claimOf(state, tenant, { planned: of.map(planned) })
    const keys = inOrder([...standing(state, id, now), ...of.map(fromJob)])
    return { tenant: id, name: tenant.name, claim, keys, refuses: true }
  })
}

function ofEmergency(state: VaultState, plan: PlanOf<'emergency'>, now: number): Outlook[] {
  must(
    lineSchema.safeParse(plan.reason).success,
    'plan-invalid',
    'The reason of an emergency is one line of at most 200 characters: it stands in every later bundle.',
  )
  const { reached, jobs, called } = decideEmergency(state, plan.scope, now)
  const gone = new Set(reached.map((key) => key.kid))
  const times = new Map(called.map((event) => [event.kid, event.times]))
  return [...Map.groupBy(reached, (key) => key.tenant).keys()].map((id) => {
    const tenant = knownTenant(state, id)
    const of = jobs.filter((job) => job.tenant === id)
    const upon = called.flatMap((event) => {
      const key = event.tenant === id && state.keys.get(event.kid)
      return key ? [{ kid: key.kid, spec: key.spec, ...event.times }] : []
    })
    const claim = claimOf(state, tenant, { planned: [...of.map(planned), ...upon], gone })
    const there = standing(state, id, now).map((key) => afterwards(key, times.get(key.kid), gone, now))
    return { tenant: id, name: tenant.name, claim, keys: inOrder([...there, ...of.map(fromJob)]), refuses: false }
  })
}

/** A key that is called upon signs at once; one that the emergency reaches is marked. */
function afterwards(key: ShownKey, called: KeyTimes | undefined, gone: ReadonlySet<string>, now: number): ShownKey {
  if (called) return { ...key, times: drawnTimes(called), standby: false }
  return gone.has(key.kid) ? { ...key, compromisedAt: key.compromisedAt ?? now } : key
}

function ofAmend(state: VaultState, plan: PlanOf<'amend'>, now: number): Outlook[] {
  return decideAmend(state, plan.changes, plan.reason, now).flatMap(({ event }): Outlook[] => {
    if (event.type !== 'tenant-amended') return []
    const { tenant, name, policy, relyingParties } = event
    const claim = { ...claimOf(state, knownTenant(state, tenant)), policy, relyingParties }
    return [{ tenant, name, claim, keys: inOrder(standing(state, tenant, now)), refuses: false }]
  })
}

/** The keys of a tenant that are drawn: those still published, whoever holds their private half. */
const standing = (state: VaultState, tenant: string, now: number): ShownKey[] =>
  keysOf(state, tenant)
    .filter((key) => !key.destroyed && key.times.removeAt > now)
    .map((key) => ({ ...drawnOf(key), planned: false }))

const drawnTimes = ({ announceAt, signFrom, signUntil, extendUntil, removeAt }: KeyTimes): DrawnKey['times'] => ({
  announceAt,
  signFrom,
  signUntil,
  extendUntil,
  removeAt,
})

const drawnOf = ({ kid, label, spec, times, standby, compromised, destroyed }: VaultKey): DrawnKey => ({
  kid,
  label,
  spec,
  times: drawnTimes(times),
  standby: standby === true,
  compromisedAt: compromised?.at ?? null,
  destroyedAt: destroyed?.at ?? null,
})

const fromJob = ({ label, spec, times, standby }: KeyJob): ShownKey => ({
  kid: '',
  label,
  spec,
  times: drawnTimes(times),
  standby: standby === true,
  compromisedAt: null,
  destroyedAt: null,
  planned: true,
})

const inOrder = (keys: readonly ShownKey[]): ShownKey[] =>
  keys.toSorted((one, other) => one.times.signFrom - other.times.signFrom)
