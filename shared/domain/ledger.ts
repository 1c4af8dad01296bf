import { envelopeCopies } from './ledger-envelopes.ts'
import { shareCopies } from './ledger-people.ts'
import { cameBack, runtimeBackupCopies } from './ledger-runtimes.ts'
import { erasureOf } from './receipts.ts'
import type { Attestation, Handoff, KeyExport, Runtime, VaultKey, VaultState } from './state.ts'
import type { Backup, ForeignImport, Restored } from './state-copies.ts'

/** The copy ledger: every known copy of a private key, and what is known of its end. */

/** `open`; `verified` by Keyrite itself; `stated` by a runtime's receipt together with its holder's attestation; `attested` by its holder. */
export type CopyStatus = 'open' | 'verified' | 'stated' | 'attested'

export type Copy = { id: string; what: string; holder: string; status: CopyStatus; evidence: string }

/** The copies of one key, the vault's own row first. A copy that was never made does not appear. */
export function copiesOf(state: VaultState, key: VaultKey): Copy[] {
  const handed = [...state.runtimes.values()].flatMap((runtime) =>
    runtime.handoffs.filter((handoff) => handoff.keys.includes(key.kid)).map((handoff) => ({ runtime, handoff })),
  )
  const opened = [...state.runtimes.values()].filter((runtime) => runtime.opened.includes(key.kid))
  const runtimes = [...new Set([...handed.map(({ runtime }) => runtime), ...opened])]
  return [
    vaultCopy(key),
    ...handed.map(({ runtime, handoff }) => fileCopy(runtime, handoff)),
    ...envelopeCopies(state, key),
    ...runtimes.map((runtime) => runtimeCopy(state, runtime, key)),
    ...runtimeBackupCopies(state, key),
    ...foreignCopies(state, key, new Set(runtimes.map((runtime) => runtime.runtimeId))),
    ...backupCopies(state, key),
    ...lostVaults(state, key),
    ...originCopy(state, key),
    ...state.exports.filter((one) => one.kids.includes(key.kid)).map((one) => exportCopy(state, one, key)),
    ...shareCopies(state, key),
    mediumCopy(state, key),
  ]
}

/** What a certificate may call itself: destruction only when no known copy is open. */
export const gradeOf = (copies: readonly Copy[]): 'deletion' | 'destruction' =>
  copies.every((copy) => copy.status !== 'open') ? 'destruction' : 'deletion'

function vaultCopy(key: VaultKey): Copy {
  const base = { id: 'vault', what: 'Vault', holder: 'Administrator' }
  if (!key.destroyed) return { ...base, status: 'open', evidence: 'Sealed row in the vault' }
  if (!key.absenceProved)
    return { ...base, status: 'open', evidence: 'Row overwritten and deleted; nobody proved its absence yet' }
  return { ...base, status: 'verified', evidence: 'Row overwritten and deleted; absence proved on decrypted pages' }
}

/** The material file closes when its one-time transport key is erased: then no copy of the file opens any more. */
function fileCopy(runtime: Runtime, handoff: Handoff): Copy {
  const base = {
    id: `file:${runtime.runtimeId}:${handoff.number}`,
    what: `Material file of handoff ${handoff.number}`,
    holder: 'Issuer operators',
  }
  const erased = erasureOf(runtime, handoff.transportKey)
  if (!erased)
    return { ...base, status: 'open', evidence: `No receipt yet that ${runtime.runtimeId} erased the transport key` }
  return { ...base, status: 'stated', evidence: `Transport key erased, receipt ${erased.seq}` }
}

function runtimeCopy(state: VaultState, runtime: Runtime, key: VaultKey): Copy {
  const id = `runtime:${runtime.runtimeId}`
  const base = { id, what: `Runtime ${runtime.runtimeId}`, holder: 'Issuer operators' }
  const erased = runtime.receipts.statements.findLast(
    ({ stated }) => stated.type === 'erased' && stated.kid === key.kid,
  )
  if (!erased) return { ...base, status: 'open', evidence: 'No erasure receipt yet' }
  const receipt = `Erasure receipt ${erased.seq}`
  if (cameBack(state, runtime, key.kid, erased.seq))
    return {
      ...base,
      status: 'open',
      evidence: `${receipt}; the runtime had it again later, and did not say since that it erased it`,
    }
  const attested = attestationOf(state, key.kid, id, erased.at)
  if (!attested)
    return { ...base, status: 'open', evidence: `${receipt}; nobody attested its snapshots and backups yet` }
  return { ...base, status: 'stated', evidence: `${receipt}; ${saidBy(attested)}` }
}

/**
 * After a restore: what a runtime imported from the vault that was lost. No receipt says which private keys came with a
 * bundle, so each key that was in that vault and is not known to have reached this runtime before counts as one of them.
 */
function foreignCopies(state: VaultState, key: VaultKey, known: ReadonlySet<string>): Copy[] {
  const imports = state.foreign.filter(({ runtimeId, keys }) => keys > 0 && !known.has(runtimeId))
  if (imports.length === 0 || !state.restores.some(({ kids }) => kids.has(key.kid))) return []
  const ids = [...new Set(imports.map(({ runtimeId }) => runtimeId))]
  return [
    ...imports.map((one) => foreignFile(state, one)),
    ...ids.flatMap((id) => {
      const runtime = state.runtimes.get(id)
      return runtime ? [maybeAt(state, runtime, key, imports)] : []
    }),
  ]
}

function foreignFile(state: VaultState, { runtimeId, number, transportKey }: ForeignImport): Copy {
  const what = `Material file of handoff ${number}, exported by the vault that was lost; it may hold this key`
  const base = { id: `file:${runtimeId}:${number}`, what, holder: 'Issuer operators' }
  const runtime = state.runtimes.get(runtimeId)
  const erased = runtime && transportKey !== null ? erasureOf(runtime, transportKey) : undefined
  if (!erased) return { ...base, status: 'open', evidence: `No receipt yet that ${runtimeId} erased the transport key` }
  return { ...base, status: 'stated', evidence: `Transport key erased, receipt ${erased.seq}` }
}

/** A runtime that never had the key cannot state its erasure: there its operators' word closes the copy. */
function maybeAt(state: VaultState, runtime: Runtime, key: VaultKey, imports: readonly ForeignImport[]): Copy {
  const had = runtime.receipts.statements.some(
    ({ stated }) => stated.kid === key.kid && (stated.type === 'erased' || stated.phase === 'signing'),
  )
  if (had) return runtimeCopy(state, runtime, key)
  const { runtimeId } = runtime
  const id = `runtime:${runtimeId}`
  const base = { id, what: `Runtime ${runtimeId}, which may hold this key`, holder: 'Issuer operators' }
  const last = Math.max(...imports.filter((one) => one.runtimeId === runtimeId).map((one) => one.at))
  const attested = attestationOf(state, key.kid, id, last)
  if (attested) return { ...base, status: 'attested', evidence: saidBy(attested) }
  return {
    ...base,
    status: 'open',
    evidence: 'It took private keys from the vault that was lost; no receipt names them',
  }
}

/** A backup holds every key that existed when it was made. Another backup that replaces it changes nothing. */
function backupCopies(state: VaultState, { kid }: VaultKey): Copy[] {
  const known = [...state.backups.values()].filter(({ kids }) => kids.has(kid)).map((one) => backupCopy(state, one))
  const found = state.trials.filter(({ copy, opened }) => copy.startsWith('found:') && opened.includes(kid))
  const unknown = [...new Map(found.map((one) => [one.copy, one])).values()].map(
    ({ copy, folder, at, ceremony }): Copy => {
      const base = { id: copy, what: `Folder ${folder}, which no ceremony of this vault made`, holder: 'Nobody known' }
      const attested = attestationOf(state, kid, copy, at)
      if (attested) return { ...base, status: 'attested', evidence: saidBy(attested) }
      return { ...base, status: 'open', evidence: `A quorum opened the key from it in ${ceremony ?? 'a ceremony'}` }
    },
  )
  return [...known, ...unknown]
}

/** One backup by itself, whatever keys are in it. A quorum that opens a copy proves more than anybody's word before. */
export function backupCopy(state: VaultState, { number, holder, place, at, made, ceremony }: Backup): Copy {
  const id = `backup:${number}`
  const base = { id, what: `Backup ${number}, ${place}`, holder }
  const opened = state.trials.findLast((trial) => trial.copy === id && trial.opened.length > 0)
  const attested = state.attestations.find((one) => one.copy === id && one.at >= Math.max(at, opened?.at ?? 0))
  if (attested) return { ...base, status: 'attested', evidence: saidBy(attested) }
  if (opened) return { ...base, status: 'open', evidence: `A quorum opened a key from it in ${opened.ceremony}` }
  const from = ceremony ? ` in ${ceremony}` : ''
  const evidence = made ? `Made${from}; nobody attested its end yet` : `Begun${from}; a copy may have been written`
  return { ...base, status: 'open', evidence }
}

/** A vault that was lost is a copy like any other until somebody says what became of it. */
const lostVaults = (state: VaultState, { kid }: VaultKey): Copy[] =>
  state.restores.filter(({ kids }) => kids.has(kid)).map((one) => lostVault(state, one))

export function lostVault(state: VaultState, { backup, at, ceremony }: Restored): Copy {
  const id = `lost:${ceremony ?? backup}`
  const base = { id, what: `The vault that was lost before backup ${backup} was restored`, holder: 'Administrator' }
  const attested = state.attestations.find((one) => one.copy === id && one.at >= at)
  if (attested) return { ...base, status: 'attested', evidence: saidBy(attested) }
  return {
    ...base,
    status: 'open',
    evidence: `Declared dead in ${ceremony}; nobody attested the end of its medium yet`,
  }
}

/** Whoever used an imported key before, and the file it came in, may still have it. */
function originCopy(state: VaultState, { kid, imported, bornAt }: VaultKey): Copy[] {
  if (!imported) return []
  const id = `origin:${kid}`
  const base = { id, what: `Origin: file ${imported.file} and the issuer that used it`, holder: 'Issuer operators' }
  const attested = attestationOf(state, kid, id, bornAt)
  if (attested) return [{ ...base, status: 'attested', evidence: saidBy(attested) }]
  return [
    { ...base, status: 'open', evidence: 'Nobody attested that the file and the key of that issuer are destroyed' },
  ]
}

/** An export stays a copy for ever, also one that was interrupted: its file may have been made. */
function exportCopy(state: VaultState, { number, at, file, holder }: KeyExport, { kid }: VaultKey): Copy {
  const id = `export:${number}`
  const base = { id, what: `Export ${number}${file ? `: ${file.name}` : ''}`, holder }
  const attested = attestationOf(state, kid, id, at)
  if (attested) return { ...base, status: 'attested', evidence: saidBy(attested) }
  const evidence = file ? 'Nobody attested its end yet' : 'Interrupted: its file may have been written'
  return { ...base, status: 'open', evidence }
}

function mediumCopy(state: VaultState, key: VaultKey): Copy {
  const base = { id: 'medium', what: 'Vault medium', holder: 'Administrator' }
  const attested = key.destroyed && attestationOf(state, key.kid, 'medium', key.destroyed.at)
  if (attested) return { ...base, status: 'attested', evidence: saidBy(attested) }
  return { ...base, status: 'open', evidence: 'Not yet sanitised' }
}

/** Nobody can attest before an erasure what is left after it: an attestation counts from the erasure on that it covers. */
const attestationOf = (state: VaultState, kid: string, copy: string, erasedAt: number): Attestation | undefined =>
  state.attestations.find((one) => one.copy === copy && one.at >= erasedAt && one.kids.includes(kid))

const saidBy = ({ by, ceremony, statement }: Attestation): string =>
  ceremony ? `${by} in ${ceremony}: ${statement}` : `${by}: ${statement}`
