import { KeyriteError, must } from '../errors.ts'
import { backupCopy, copiesOf } from './ledger.ts'
import { type Ceremony, keysOf, type Runtime, type VaultKey, type VaultState } from './state.ts'
import type { Backup } from './state-copies.ts'

/** What plans about copies of the vault mean: backups, restoring from one, and where the next bundle stands after it. */

type Attested = { by: string; statement: string }

/** The number of the next backup: the one that an interrupted try of the same ceremony began, or the next. */
export function nextBackup(state: VaultState, ceremony: string): number {
  const begun = [...state.backups.values()].find((one) => one.ceremony === ceremony && !one.made)
  return begun?.number ?? Math.max(0, ...state.backups.keys()) + 1
}

/** Earlier backups that a plan names: they exist and their end was not attested before. Code `plan-invalid`. */
export function decideBackup(
  state: VaultState,
  plan: { replaces: readonly number[]; attestations: readonly (Attested & { backup: number })[] },
): Backup[] {
  const replaced = plan.replaces.map((number) => {
    const known = state.backups.get(number)
    must(known, 'plan-invalid', `The plan replaces backup ${number}, which this vault does not know.`)
    return known
  })
  must(new Set(plan.replaces).size === plan.replaces.length, 'plan-invalid', 'A backup stands twice in the plan.')
  for (const { backup } of plan.attestations) {
    must(plan.replaces.includes(backup), 'plan-invalid', `The plan attests backup ${backup}, but does not replace it.`)
    const known = state.backups.get(backup)
    const open = known && backupCopy(state, known).status === 'open'
    must(open, 'plan-invalid', `The end of backup ${backup} was attested before.`)
  }
  return replaced
}

/**
 * What speaks against restoring from this copy: it is the vault as it was before backup `number` was recorded, so every
 * backup that it knows has a smaller number. Code `plan-invalid`.
 */
export function decideRestore(state: VaultState, number: number): void {
  const newest = Math.max(0, ...state.backups.keys())
  const again = state.restores.some((one) => one.backup === number)
  must(
    again || number > newest,
    'plan-invalid',
    `The plan restores backup ${number}, but this copy knows backup ${newest} already: it was made later.`,
  )
}

/** Nothing leaves a restored vault before every runtime has told what it has. Code `ceremony-conflict`, naming the runtime. */
export function mustNotAwait(state: VaultState): void {
  const [first] = state.awaited
  must(
    first === undefined,
    'ceremony-conflict',
    `This vault was restored from a backup, and the newest receipts of ${first} are not in yet.`,
    { hint: 'Export its receipts there and bring them in with an intake ceremony. A runtime that is dead is replaced.' },
  )
}

/** Keys that only runtimes know: their receipts name them, and this vault does not have them. */
export function notInVault(state: VaultState): { kid: string; tenant: string; runtimeId: string; at: number }[] {
  const found = new Map<string, { kid: string; tenant: string; runtimeId: string; at: number }>()
  for (const { runtimeId, receipts } of state.runtimes.values())
    for (const { at, stated } of receipts.statements) {
      const { kid, tenant } = stated
      if (typeof kid !== 'string' || typeof tenant !== 'string' || state.keys.has(kid)) continue
      found.set(kid, { kid, tenant, runtimeId, at })
    }
  return [...found.values()]
}

/** The newest bundle that a runtime says it imported. */
function lastImported({ receipts }: Runtime): { number: number; manifest: string } | null {
  let last: { number: number; manifest: string } | null = null
  for (const { stated } of receipts.statements)
    if (stated.type === 'imported' && Number(stated.number) >= (last?.number ?? 0))
      last = { number: Number(stated.number), manifest: String(stated.manifest) }
  return last
}

export type Place = { number: number; previous: string | null; catchUp: { from: number; to: number } | null }

/**
 * Where the next bundle of a runtime stands (handoff.md, "Sequence"): above every number that this vault used or the
 * runtime saw, after the bundle that the runtime's receipts name last. Numbers between are signed over: those of lost
 * handoffs, and after a restore the one that the vault that was lost may have signed and nobody saw.
 */
export function nextPlace(state: VaultState, runtime: Runtime): Place {
  const last = lastImported(runtime)
  const sent = runtime.handoffs.filter((one) => one.exported).map((one) => one.number)
  const highest = Math.max(0, last?.number ?? 0, ...sent)
  const number = highest + (state.skips.has(runtime.runtimeId) ? 2 : 1)
  const from = (last?.number ?? 0) + 1
  return { number, previous: last?.manifest ?? null, catchUp: from < number ? { from, to: number - 1 } : null }
}

/**
 * The last handoff, where no receipt tells that it was imported; null where one does, or there was none. If it arrived all
 * the same, the runtime refuses the bundle that catches up, because that follows an older one.
 */
export function lostHandoff(runtime: Runtime): Runtime['handoffs'][number] | null {
  const last = runtime.handoffs.findLast((one) => one.exported)
  if (!last?.exported) return null
  const { manifest } = last.exported
  const arrived = runtime.receipts.statements.some(
    ({ stated }) => stated.type === 'imported' && stated.manifest === manifest,
  )
  return arrived ? null : last
}

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
  const spent = [...state.keys.values()].filter((key) => !key.destroyed && !neededFor(state, key, now))
  const leftOut = spent.flatMap((key) => {
    const why = keptBy(state, key)
    return why === null ? [] : [{ key, why }]
  })
  const kids = spent.filter((key) => !leftOut.some((one) => one.key === key)).map((key) => key.kid)
  const [first] = leftOut
  must(
    kids.length > 0,
    'ceremony-conflict',
    `No key is retired and may be destroyed.${first ? ` ${first.key.label} is left out: ${first.why}.` : ''}`,
  )
  return { kids, leftOut }
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
  if (now < signFrom) return `it is to sign from ${utcDate(signFrom)}`
  if (now < signUntil) return `it is to sign until ${utcDate(signUntil)}`
  if (now < extendUntil) return `it may still have to sign until ${utcDate(extendUntil)}, if its successor is late`
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

const utcDate = (at: number): string => new Date(at * 1000).toISOString().slice(0, 10)
