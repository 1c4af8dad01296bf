import type { Copy } from './ledger.ts'
import { erasureOf, takenBy } from './receipts.ts'
import type { Runtime, VaultKey, VaultState } from './state.ts'

/** Emergency envelopes in the copy ledger. */

/** Envelopes that no runtime opens any more once it takes the new root: an earlier one sealed them, and they are still open. */
export function staleEnvelopes(state: VaultState): { runtimeId: string; number: number; tenant: string }[] {
  const since = state.pastAnchors.at(-1)?.until
  if (since === undefined) return []
  return [...state.runtimes.values()].flatMap((runtime) =>
    runtime.envelopes
      .filter((one) => one.at <= since && !erasureOf(runtime, one.transportKey))
      .map(({ number, tenant }) => ({ runtimeId: runtime.runtimeId, number, tenant })),
  )
}

/** Prepared revocations that no runtime takes any more once it has the new root, and none took before. */
function staleRevocations(state: VaultState): string {
  const since = state.pastAnchors.at(-1)?.until
  if (since === undefined) return ''
  const renewed = (runtime: Runtime) => runtime.revocations.some((one) => one.prepared && one.file && one.at > since)
  const named = [...state.runtimes.values()].flatMap((runtime) =>
    (renewed(runtime) ? [] : runtime.revocations)
      .filter((one) => one.prepared && one.file && one.at <= since && one.exp > since && !takenBy(runtime, one))
      .map(({ order }) => `${order} for ${runtime.runtimeId}`),
  )
  return named.length === 0
    ? ''
    : `Signed by an earlier root and void with it: prepared revocation ${named.slice(0, 10).join(', ')}. Prepare them anew.`
}

/** What is to be done about what lies sealed, in one line; empty where there is nothing. */
export const sealAnew = (state: VaultState): string =>
  [sealEnvelopesAnew(state), staleRevocations(state)].filter(Boolean).join(' ')

function sealEnvelopesAnew(state: VaultState): string {
  const stale = staleEnvelopes(state)
  if (stale.length === 0) return ''
  const named = stale.slice(0, 10).map((one) => `${one.number} of ${one.tenant} for ${one.runtimeId}`)
  const rest = stale.length > 10 ? ` and ${stale.length - 10} more` : ''
  return `Sealed under an earlier root, so that a runtime with the new one refuses them: emergency envelope ${named.join(', ')}${rest}. Cancel their transport keys there, bring the receipts, and seal them anew.`
}

/** An envelope's copy closes when the transport key that it is sealed to was erased: then nobody can open it. */
export function envelopeCopies(state: VaultState, key: VaultKey): Copy[] {
  return [...state.runtimes.values()].flatMap((runtime) =>
    runtime.envelopes
      .filter((envelope) => envelope.kid === key.kid)
      .map((envelope): Copy => {
        const gone = erasureOf(runtime, envelope.transportKey)
        return {
          id: `envelope:${runtime.runtimeId}:${envelope.number}`,
          what: `Emergency envelope ${envelope.number}`,
          holder: 'Whoever keeps the safe',
          status: gone ? 'stated' : 'open',
          evidence: gone
            ? `Its transport key was erased, receipt ${gone.seq}`
            : `No receipt yet that ${runtime.runtimeId} erased its transport key`,
        }
      }),
  )
}
