import type { Failure as FailureValue, Gives, MethodName, Notice, Outcome, Takes } from '../shared/contract/contract.ts'
import { loopback } from './loopback.ts'

/** The engine as the screens see it. No other file of the renderer knows which shell carries the contract. */

/** What a shell gives the page. */
export type Bridge = {
  /** Sends one call. Never throws: what cannot be sent is a failure too. */
  send(method: MethodName, input: unknown): Promise<Outcome>
  /** Hears every notice from now on; gives the way to stop. */
  onNotice(listener: (notice: Notice) => void): () => void
  /** Hears, once, that the engine cannot be reached any more; gives the way to stop. */
  onLost(listener: () => void): () => void
}

/** The preload of Electron: one function for each method of the contract, and the notices. */
type Preload = { readonly [M in MethodName]: (input: unknown) => Promise<Outcome> } & {
  onNotice(listener: (notice: Notice) => void): () => void
}

declare global {
  interface Window {
    readonly keyrite?: Preload
  }
}

/** Why a call failed: what happened, whether anything is lost, what to do next. */
export class Failure extends Error {
  readonly code: FailureValue['code']
  readonly lost: string
  readonly hint: string

  constructor({ code, message, lost, hint }: FailureValue) {
    super(message)
    this.name = 'Failure'
    this.code = code
    this.lost = lost
    this.hint = hint
  }
}

/** Electron's main process says itself when the engine ends, and starts it again. */
const electron = (preload: Preload): Bridge => ({
  send: (method, input) => preload[method](input),
  onNotice: (listener) => preload.onNotice(listener),
  onLost: () => () => {},
})

const bridge = window.keyrite ? electron(window.keyrite) : loopback(window)

/** Calls one method of the contract. Throws `Failure`. */
export async function call<M extends MethodName>(method: M, input: Takes<M>): Promise<Gives<M>> {
  const outcome = await bridge.send(method, input)
  if (!outcome.ok) throw new Failure(outcome.error)
  // The engine parsed it by the same contract on its way out.
  return outcome.value as Gives<M>
}

export const { onNotice, onLost } = bridge
