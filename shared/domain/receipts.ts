import type { StatedByRuntime } from './events.ts'
import type { Runtime } from './state.ts'

/** The receipt that says a runtime erased a transport key: what is sealed to that key opens for nobody any more. */
export const erasureOf = (runtime: Runtime, transportKey: string): StatedByRuntime | undefined =>
  runtime.receipts.statements.find(
    ({ stated }) => stated.type === 'transport-key-erased' && stated.key === transportKey,
  )
