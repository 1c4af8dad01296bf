import type { Attestation, Handoff, Runtime, VaultKey, VaultState } from './state.ts'

/** The copy ledger: every known copy of a private key, and what is known of its end. */

/** `open`; `verified` by Keyrite itself; `stated` by a runtime's receipt together with its holder's attestation; `attested` by its holder. */
export type CopyStatus = 'open' | 'verified' | 'stated' | 'attested'

export type Copy = { id: string; what: string; holder: string; status: CopyStatus; evidence: string }

/** The copies of one key, the vault's own row first. A copy that was never made does not appear. */
export function copiesOf(state: VaultState, key: VaultKey): Copy[] {
  const handed = [...state.runtimes.values()].flatMap((runtime) =>
    runtime.handoffs.filter((handoff) => handoff.keys.includes(key.kid)).map((handoff) => ({ runtime, handoff })),
  )
  const runtimes = [...new Set(handed.map(({ runtime }) => runtime))]
  return [
    vaultCopy(key),
    ...handed.map(({ runtime, handoff }) => fileCopy(runtime, handoff)),
    ...runtimes.map((runtime) => runtimeCopy(state, runtime, key)),
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
  const erased = runtime.receipts.statements.find(
    ({ stated }) => stated.type === 'transport-key-erased' && stated.key === handoff.transportKey,
  )
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
  const attested = attestationOf(state, key.kid, id, erased.at)
  if (!attested)
    return { ...base, status: 'open', evidence: `${receipt}; nobody attested its snapshots and backups yet` }
  return { ...base, status: 'stated', evidence: `${receipt}; ${saidBy(attested)}` }
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
