import { z } from 'zod'
import { KEY_SPEC_NAMES } from '../domain/algorithms.ts'
import { CEREMONY_KINDS } from '../domain/events.ts'
import { ROLES } from '../domain/roster.ts'
import { CODES, type Code } from '../errors.ts'

/** What every part of the contract is made of. Requests are capped here; results are parsed on their way out. */

/** Ids of people, tenants, runtimes and holds, as typed in a request; the engine says whether they exist. */
export const idText = z.string().min(1).max(63)
/** One line that people write. */
export const lineText = z.string().min(1).max(200)
/** A reason or a statement. */
export const reasonText = z.string().min(3).max(500)
/** A passphrase or the password of a file: never in a result, a notice or an error. */
export const secretText = z.string().min(1).max(1024)
/** A folder of this machine, absolute. */
export const pathText = z.string().min(1).max(4096)
/** The name of a file on the medium, never a path. */
export const fileText = z.string().min(1).max(255)
export const planText = z.string().max(4 * 1024 * 1024)
/** Seconds since 1970 UTC. */
export const instant = z.int()
export const kind = z.enum(CEREMONY_KINDS)
export const role = z.enum(ROLES)
export const keySpec = z.enum(KEY_SPEC_NAMES)
export const nothing = z.strictObject({})

export const person = z.strictObject({ id: z.string(), name: z.string(), role })
export type Person = z.output<typeof person>

/** A digest as people compare it: sixteen groups of four hex digits, and 24 words. */
export const fingerprint = z.strictObject({ hex: z.array(z.string()), words: z.array(z.string()) })
export type Fingerprint = z.output<typeof fingerprint>

export const keyTimes = z.strictObject({
  announceAt: instant,
  signFrom: instant,
  signUntil: instant,
  extendUntil: instant,
  removeAt: instant,
})
export type Times = z.output<typeof keyTimes>

/** A key as schedules draw it. */
export const drawnKey = z.strictObject({
  /** Empty for a key that a plan will make. */
  kid: z.string(),
  label: z.string(),
  spec: keySpec,
  times: keyTimes,
  standby: z.boolean(),
  compromisedAt: instant.nullable(),
  destroyedAt: instant.nullable(),
})
export type DrawnKey = z.output<typeof drawnKey>

const CODE_NAMES = Object.keys(CODES) as [Code, ...Code[]]

/** A failure as a value: what happened, whether anything is lost, what to do next. Never a secret. */
export const failure = z.strictObject({
  code: z.enum(CODE_NAMES),
  message: z.string(),
  lost: z.string(),
  hint: z.string(),
})
export type Failure = z.output<typeof failure>

export type Outcome<T = unknown> = { ok: true; value: T } | { ok: false; error: Failure }
