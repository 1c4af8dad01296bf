import { z } from 'zod'
import type { Failure, Outcome } from './common.ts'
import { HOME_METHODS } from './home.ts'
import { MACHINE_METHODS, machine } from './machine.ts'
import { PLAN_METHODS } from './plan.ts'
import { RECORD_METHODS } from './records.ts'
import { SITTING_METHODS, sitting } from './sitting.ts'

/**
 * The one contract between the screens and the engine: a strict schema for each request and each result. Electron carries
 * it by IPC, the browser shell over its loopback socket; neither adds or leaves out anything.
 */

export type { Failure, Outcome } from './common.ts'

export const METHODS = {
  ...HOME_METHODS,
  ...MACHINE_METHODS,
  ...PLAN_METHODS,
  ...SITTING_METHODS,
  ...RECORD_METHODS,
} as const

export type MethodName = keyof typeof METHODS
export const METHOD_NAMES = Object.keys(METHODS) as MethodName[]

export type Takes<M extends MethodName> = z.output<(typeof METHODS)[M]['takes']>
export type Gives<M extends MethodName> = z.output<(typeof METHODS)[M]['gives']>

/** What the engine tells without being asked. */
export const notice = z.discriminatedUnion('tell', [
  z.strictObject({ tell: z.literal('sitting'), sitting: sitting.nullable() }),
  z.strictObject({ tell: z.literal('machine'), machine }),
  /** Long work outside of a sitting: opening, verifying. */
  z.strictObject({ tell: z.literal('progress'), label: z.string(), done: z.int(), of: z.int() }),
  /** Nobody did anything for ten minutes: the vault that was looked at is closed. */
  z.strictObject({ tell: z.literal('view-closed') }),
  /** A call that the border refused: shown in the header, because nothing in this app makes such calls. */
  z.strictObject({ tell: z.literal('refused-call'), why: z.string() }),
])
export type Notice = z.output<typeof notice>

/** The engine's side of the contract. Handlers throw `KeyriteError`; whoever calls them turns that into a failure. */
export type Handlers = { [M in MethodName]: (input: Takes<M>) => Promise<Gives<M>> | Gives<M> }

export const failed = (error: Failure): Outcome<never> => ({ ok: false, error })
