import type { Copy } from './ledger.ts'
import type { Runtime, VaultKey, VaultState } from './state.ts'

/** Emergency envelopes in the copy ledger. */

/** The receipt that says a runtime erased a transport key. */
export const erased = (runtime: Runtime, transportKey: string) =>
  runtime.receipts.statements.find(
    ({ stated }) => stated.type === 'transport-key-erased' && stated['key'] === transportKey,
  )

/** An envelope's copy closes when the transport key that it is sealed to was erased: then nobody can open it. */
export function envelopeCopies(state: VaultState, key: VaultKey): Copy[] {
  return [...state.runtimes.values()].flatMap((runtime) =>
    runtime.envelopes
      .filter((envelope) => envelope.kid === key.kid)
      .map((envelope): Copy => {
        const gone = erased(runtime, envelope.transportKey)
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
