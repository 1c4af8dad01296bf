import { must } from '../errors.ts'
import { backupCopy } from './ledger.ts'
import type { Runtime, VaultState } from './state.ts'
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
    {
      hint: 'Export them there with "issuer receipts export --all" and bring them in with an intake ceremony. One that is lost too is named "dead" in another restore plan for the same backup.',
    },
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
