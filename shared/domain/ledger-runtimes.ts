import { holdingsOf, isIn, type RuntimeBackup } from './holdings.ts'
import type { Copy } from './ledger.ts'
import { count } from './plural.ts'
import type { Attestation, Runtime, VaultKey, VaultState } from './state.ts'
import { utcDay } from './utc.ts'

/** Backups of runtimes in the copy ledger. Those under one storage key open and close together, so they are one copy. */

const SHORT = 12

export const runtimeBackupId = (runtimeId: string, storageKey: string): string =>
  `runtime-backup:${runtimeId}:${storageKey.slice(0, SHORT)}`

/** The backups of each runtime that hold a key, by the storage key under which they were made. */
export const runtimeBackupCopies = (state: VaultState, { kid }: VaultKey): Copy[] =>
  [...state.runtimes.values()].flatMap((runtime) => {
    const { keys, backups } = holdingsOf(state, runtime)
    const holding = backups.filter((one) => isIn(keys.get(kid), one))
    return [...Map.groupBy(holding, ({ storageKey }) => storageKey)].map(([storageKey, made]) =>
      backupsCopy(state, runtime, { kid, storageKey, made }),
    )
  })

/**
 * They close when the runtime says that its storage key was rotated and somebody attests that the old one is erased
 * everywhere; or when somebody attests the end of the backups themselves.
 */
function backupsCopy(
  state: VaultState,
  runtime: Runtime,
  { kid, storageKey, made }: { kid: string; storageKey: string; made: readonly RuntimeBackup[] },
): Copy {
  const { runtimeId } = runtime
  const last = made.at(-1)
  const id = runtimeBackupId(runtimeId, storageKey)
  const what = `${count(made.length, 'backup')} of runtime ${runtimeId} under storage key ${storageKey.slice(0, SHORT)}, the last of ${utcDay(last?.at ?? 0)}`
  const base = { id, what, holder: 'Issuer operators' }
  const { rotations } = holdingsOf(state, runtime)
  const rotated = rotations.findLast(({ from, seq }) => from === storageKey && seq > (last?.seq ?? 0))
  const since = Math.max(last?.at ?? 0, rotated?.at ?? 0)
  const attested = state.attestations.find((one) => one.copy === id && one.at >= since && one.kids.includes(kid))
  const receipt = rotated ? `Storage key rotated, receipt ${rotated.seq}` : `Receipt ${last?.seq}`
  if (attested) return { ...base, status: rotated ? 'stated' : 'attested', evidence: `${receipt}; ${saidBy(attested)}` }
  const missing = rotated ? 'nobody attested that the old storage key is erased yet' : 'nobody attested their end yet'
  return { ...base, status: 'open', evidence: `${receipt}; ${missing}` }
}

const saidBy = ({ by, ceremony, statement }: Attestation): string =>
  ceremony ? `${by} in ${ceremony}: ${statement}` : `${by}: ${statement}`

/** A restored runtime may have again what it had erased: only what it erased after that counts. */
export function cameBack(state: VaultState, runtime: Runtime, kid: string, erased: number): boolean {
  const spans = holdingsOf(state, runtime).keys.get(kid) ?? []
  return spans.some(({ from, to }) => to === null && from > erased)
}
