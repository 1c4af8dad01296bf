import { KeyriteError, must } from '../errors.ts'
import { copiesOf } from './ledger.ts'
import { type Ceremony, keysOf, type VaultKey, type VaultState } from './state.ts'
import { utcDay } from './utc.ts'

/** What a plan to destroy means: which keys, what blocks them, and how long it waits. */

/** The longest cooling-off that a tenant of these keys asks for, in seconds. */
export const coolingOffOf = (state: VaultState, kids: readonly string[]): number =>
  Math.max(
    0,
    ...kids.map((kid) => state.tenants.get(state.keys.get(kid)?.tenant ?? '')?.policy.destructionCoolingOff ?? 0),
  )

/** When a destruction that is confirmed may go on; null where it does not wait, or the wait is over and recorded. */
export function waitingUntil(state: VaultState, { id, kind, done }: Ceremony): number | null {
  if (kind !== 'destroy' || done.some(({ step }) => step === 'cool-off')) return null
  const confirmed = done.find(({ step }) => step === 'confirm-destruction')
  const kids = (state.chosen.get(id) ?? []).filter((kid) => !state.keys.get(kid)?.destroyed)
  const seconds = coolingOffOf(state, kids)
  return confirmed && seconds > 0 ? confirmed.at + seconds : null
}

/** What a plan to destroy may choose: keys by name, all of a tenant, or everything retired. */
export type Choice = { keys?: readonly string[] | undefined; tenant?: string | undefined; retired?: true | undefined }
export type Chosen = { kids: string[]; leftOut: { key: VaultKey; why: string }[] }

/**
 * The keys that a plan means. Of a tenant: each that is not erased yet, whatever blocks it. Everything retired: each that
 * nothing needs any more; one that a legal hold names or whose policy keeps the private half is left out, and why is said.
 * Codes `tenant-unknown`, `ceremony-conflict` when there is none.
 */
export function chosenKeys(state: VaultState, choice: Choice, now: number): Chosen {
  if (choice.keys) return { kids: [...choice.keys], leftOut: [] }
  if (choice.tenant !== undefined) {
    must(state.tenants.has(choice.tenant), 'tenant-unknown', `The vault has no tenant ${choice.tenant}.`)
    const kids = keysOf(state, choice.tenant).flatMap((key) => (key.destroyed ? [] : [key.kid]))
    must(kids.length > 0, 'ceremony-conflict', `Every key of ${choice.tenant} is destroyed already.`)
    return { kids, leftOut: [] }
  }
  const { kids, leftOut } = spentKeys(state, now)
  const [first] = leftOut
  must(
    kids.length > 0,
    'ceremony-conflict',
    `No key is retired and may be destroyed.${first ? ` ${first.key.label} is left out: ${first.why}.` : ''}`,
  )
  return { kids, leftOut }
}

/** Keys that nothing needs any more, and those of them that a hold or their policy keeps. */
export function spentKeys(state: VaultState, now: number): Chosen {
  const spent = [...state.keys.values()].filter((key) => !key.destroyed && !neededFor(state, key, now))
  const leftOut = spent.flatMap((key) => {
    const why = keptBy(state, key)
    return why === null ? [] : [{ key, why }]
  })
  return { kids: spent.filter((key) => !leftOut.some((one) => one.key === key)).map((key) => key.kid), leftOut }
}

/** The legal hold that names a key, or null. */
export const holdOn = (state: VaultState, kid: string): { hold: string; reason: string } | null =>
  [...state.holds.values()].find(({ kids }) => kids.includes(kid)) ?? null

function keptBy(state: VaultState, { kid, tenant, compromised }: VaultKey): string | null {
  const hold = holdOn(state, kid)
  if (hold) return `the legal hold ${hold.hold} names it`
  const keeps = state.tenants.get(tenant)?.policy.destroyPrivateAtRetirement === false && !compromised
  return keeps ? 'the policy of its tenant keeps private halves' : null
}

/** Why a key is still needed, or null. A key that was destroyed elsewhere, or was compromised, is needed for nothing. */
export function neededFor(state: VaultState, key: VaultKey, now: number): string | null {
  if (key.compromised || state.elsewhere.has(key.kid)) return null
  const { signFrom, signUntil, extendUntil } = key.times
  // What belongs to nobody any more has nothing left to sign.
  const offboarded = state.tenants.get(key.tenant)?.offboarded
  if (offboarded) return null
  if (now < signFrom) return `it is to sign from ${utcDay(signFrom)}`
  if (now < signUntil) return `it is to sign until ${utcDay(signUntil)}`
  if (now < extendUntil) return `it may still have to sign until ${utcDay(extendUntil)}, if its successor is late`
  return null
}

/** Refuses, naming the blocker. Codes `key-unknown`, `ceremony-conflict`, `destruction-blocked`. */
export function decideDestroy(state: VaultState, kids: readonly string[], now: number): VaultKey[] {
  must(new Set(kids).size === kids.length, 'plan-invalid', 'A key stands twice in the plan.')
  return kids.map((kid) => {
    const key = state.keys.get(kid)
    must(key, 'key-unknown', `The vault has no key ${kid}.`)
    must(!key.destroyed, 'ceremony-conflict', `${key.label} is destroyed already.`)
    const hold = holdOn(state, kid)
    must(
      !hold,
      'destruction-blocked',
      `${key.label} cannot be destroyed: the legal hold ${hold?.hold} names it (${hold?.reason}).`,
      { hint: 'It stays until the hold is lifted, with an amend ceremony. Nothing else lifts it.' },
    )
    const why = neededFor(state, key, now)
    if (why !== null) throw new KeyriteError('destruction-blocked', `${key.label} cannot be destroyed: ${why}.`)
    return key
  })
}

/** Every known copy of these keys, each once: many keys share a medium, a backup, a runtime. */
export const openCopiesOf = (state: VaultState, keys: readonly VaultKey[]): number =>
  keys.flatMap((key) => copiesOf(state, key)).filter((copy) => copy.status === 'open').length
