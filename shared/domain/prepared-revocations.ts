import { mayHaveLeft } from './handoff.ts'
import { takenBy } from './receipts.ts'
import type { Runtime, SignedRevocation, VaultState } from './state.ts'

/** Revocations that were signed for a later day. */

export type Prepared = Pick<SignedRevocation, 'id' | 'order' | 'reason' | 'exp'> & {
  runtimeId: string
  file: string
  keys: number
  standing: 'ready' | 'used' | 'void'
  /** Why it is void or what is to be done, in one sentence; empty where it is ready for everything. */
  note: string
}

/** Revocations that lie sealed somewhere, what became of each, and what is to be done about it. */
export const preparedRevocations = (state: VaultState, now: number): Prepared[] =>
  [...state.runtimes.values()].flatMap((runtime) =>
    runtime.revocations.flatMap((one) => {
      if (!one.prepared || !one.file) return []
      const { id, order, reason, exp, keys, file } = one
      const base = { runtimeId: runtime.runtimeId, id, order, reason, exp, file: file.name, keys: keys.length }
      return [{ ...base, ...standingOf(state, runtime, one, now) }]
    }),
  )

function standingOf(
  state: VaultState,
  runtime: Runtime,
  revocation: SignedRevocation,
  now: number,
): Pick<Prepared, 'standing' | 'note'> {
  const { order, keys, exp, at } = revocation
  const used = takenBy(runtime, revocation)
  const unmarked = keys.some((kid) => !state.keys.get(kid)?.compromised)
  if (used) {
    const note = unmarked ? 'Hold an emergency ceremony for its keys: the vault still counts on them.' : ''
    return { standing: 'used', note }
  }
  const later = runtime.revocations.find((one) => one.order > order && takenBy(runtime, one))
  if (later) return { standing: 'void', note: `Revocation ${later.order} was taken after it was made.` }
  if (at <= (state.pastAnchors.at(-1)?.until ?? -1))
    return { standing: 'void', note: 'The root was changed since it was made.' }
  if (exp <= now) return { standing: 'void', note: 'It expired.' }
  const about = new Set(keys.flatMap((kid) => state.keys.get(kid)?.tenant ?? []))
  const since = mayHaveLeft(runtime).filter((kid) => {
    const key = state.keys.get(kid)
    return key && key.times.removeAt > now && about.has(key.tenant) && !keys.includes(kid)
  })
  const note =
    since.length === 0 ? '' : `${since.length} more of these tenants’ keys went there since: it does not name them.`
  return { standing: 'ready', note }
}
