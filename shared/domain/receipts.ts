import type { StatedByRuntime } from './events.ts'
import type { Runtime } from './state.ts'

/** The receipt that says a runtime erased a transport key: what is sealed to that key opens for nobody any more. */
export const erasureOf = (runtime: Runtime, transportKey: string): StatedByRuntime | undefined =>
  runtime.receipts.statements.find(
    ({ stated }) => stated.type === 'transport-key-erased' && stated.key === transportKey,
  )

/** The receipt in which a runtime says that it took this revocation. */
export const takenBy = ({ receipts }: Runtime, { id }: { id: string }): StatedByRuntime | undefined =>
  receipts.statements.find(({ stated }) => stated.type === 'revoked' && stated['id'] === id)
