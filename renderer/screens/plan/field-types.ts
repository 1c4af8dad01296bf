import type { FieldWords, ShapeWords } from '../../text/en/plan.ts'

/** Forms as data: what a field is, not how it is drawn. */

export type Values = Record<string, unknown>

/** `words`: label and hint in the catalogue. `optional`: left out of the plan where nothing is given. */
type Base = { name: string; words: FieldWords; optional?: true; initial?: unknown; folded?: true }

export type Field =
  /** One line; `reason` has room for more. */
  | (Base & { type: 'line' | 'reason' | 'id' | 'issuer' | 'fingerprint' })
  /** As in plan files: "90d". `standard` is what holds where nothing is given. */
  | (Base & { type: 'duration'; standard?: string })
  | (Base & { type: 'number'; least: number; most: number; standard?: number })
  | (Base & { type: 'yes-no' })
  | (Base & {
      type: 'choice'
      from:
        | 'roles'
        | 'sharePlaces'
        | 'standbys'
        | 'tokenTypes'
        | 'ed25519Names'
        | 'importFormats'
        | 'exportFormats'
        | 'specs'
    })
  /** The algorithm that signs, or those that sign beside it: two controls of one member. */
  | (Base & { type: 'specs'; part: 'first' | 'others' })
  /** One thing of the vault, or its id typed. */
  | (Base & { type: 'tenant' | 'runtime' | 'person' | 'key' | 'hold' | 'copy' | 'backup' })
  /** Several things of the vault, or their ids typed. `doomed`: keys that are to be destroyed. */
  | (Base & { type: 'keys'; doomed?: true })
  | (Base & { type: 'runtimes' | 'backups' })
  /** "all", or several. */
  | (Base & { type: 'tenants' })
  /** The name of a file on the medium, or several; files of these kinds are offered. */
  | (Base & { type: 'file'; kinds: readonly string[] })
  | (Base & { type: 'files'; kinds: readonly string[] })
  /** A member that holds members of its own. */
  | (Base & { type: 'group'; fields: readonly Field[] })
  | (Base & { type: 'policy'; fields: readonly Field[]; change?: true })
  /** Several of the same. `replaces`: nothing in its place means that it is not named, not that it is empty. */
  | (Base & { type: 'rows'; fields: readonly Field[]; least: number; keepEmpty?: true; replaces?: true })
  /** One of several shapes; its members stand beside the others. `name` holds which, and is no member of the plan. */
  | (Base & { type: 'either'; shapes: readonly Shape[] })

/** `tell`: the members by which a plan of this shape is known. `always`: members that are the same each time. */
export type Shape = { id: ShapeWords; tell: readonly string[]; fields: readonly Field[]; always?: Values }

export type Form = readonly Field[]

/** The fields of these types. */
export type FieldOf<T extends Field['type']> = Field extends infer F
  ? F extends { type: infer U }
    ? [T & U] extends [never]
      ? never
      : F
    : never
  : never
