import { METHOD_NAMES, type Outcome } from '../../shared/contract/contract.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { plainFailureOf } from '../app/failure.ts'
import { ORIGIN, originOf } from './lockdown.ts'
import type { Reason, Refusals } from './refusals.ts'

/** The one way from the screens to the engine. */

export const CALL = 'keyrite:call'
export const NOTICE = 'keyrite:notice'

/** As much as the largest plan may weigh, and its quotes and escapes. */
export const MAX_CALL = 6 * 1024 * 1024

/** The parts of Electron's frames and pages that are looked at. */
export type Frame = { readonly parent: object | null; readonly url: string; readonly origin: string }
export type Caller = { readonly sender: object; readonly senderFrame: Frame | null }

const METHODS: ReadonlySet<unknown> = new Set(METHOD_NAMES)

/** Why a call is refused before anybody reads what it says, or null. `expected` is the page of our one window. */
export function refusalOf(
  { sender, senderFrame }: Caller,
  expected: object | null,
  method: unknown,
  input: unknown,
): Reason | null {
  const ours =
    expected !== null &&
    sender === expected &&
    senderFrame !== null &&
    senderFrame.parent === null &&
    originOf(senderFrame.url) === ORIGIN &&
    senderFrame.origin === ORIGIN
  if (!ours) return 'call-from-elsewhere'
  if (!METHODS.has(method)) return 'call-unknown'
  return weightOf(input) > MAX_CALL ? 'call-too-large' : null
}

/**
 * About as many characters as the input has as JSON; infinite for what is no JSON, such as bytes. Nothing is written out
 * or copied for it, and it is counted no further than `MAX_CALL`: that ends a loop as well.
 */
function weightOf(input: unknown): number {
  const left = [input]
  let weight = 0
  while (left.length > 0 && weight <= MAX_CALL) {
    const value = left.pop()
    if (typeof value === 'string') weight += value.length + 2
    else if (Array.isArray(value)) {
      weight += value.length + 2
      if (weight <= MAX_CALL) for (const item of value) left.push(item)
    } else if (isPlain(value)) {
      weight += 2
      for (const name in value) {
        weight += name.length + 4
        if (weight > MAX_CALL) break
        left.push(value[name])
      }
    } else if (value === undefined || value === null || ['number', 'boolean'].includes(typeof value)) weight += 4
    else return Number.POSITIVE_INFINITY
  }
  return weight
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

export type Handling = {
  /** The page that may call. */
  expected: () => object | null
  call: (method: string, input: unknown) => Promise<Outcome>
  refusals: Refusals
}

/** Handles `CALL`: the border's checks, then the contract, which parses the input by its schema. Never throws. */
export const ipcHandler =
  ({ expected, call, refusals }: Handling) =>
  async (caller: Caller, method: unknown, input: unknown): Promise<Outcome> => {
    const reason = refusalOf(caller, expected(), method, input)
    if (reason === null) return call(String(method), input)
    refusals.refuse(reason)
    const refused = new KeyriteError('usage-invalid', REFUSED[reason] ?? REFUSED['call-unknown'])
    return { ok: false, error: plainFailureOf(refused) }
  }

const REFUSED = {
  'call-from-elsewhere': 'This call did not come from the screens of Keyrite.',
  'call-unknown': 'The app has no such method.',
  'call-too-large': 'What was sent is larger than anything Keyrite takes.',
} as Partial<Record<Reason, string>> & { 'call-unknown': string }
