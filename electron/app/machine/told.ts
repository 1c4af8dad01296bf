import type { VaultState } from '../../../shared/domain/state.ts'
import type { Roster } from '../../../shared/formats/roster.ts'
import type { Anchor } from '../../../shared/formats/trust-anchor.ts'
import { spellTime } from '../../../shared/pages/words.ts'
import type { AppContext } from '../context.ts'

/** What inspecting a file brings to light, and against what it was checked. */

export type Fact = { name: string; value: string }

export type Told = {
  signer: string
  verified: boolean
  /** The digest that people compare for such a file, and what it covers. */
  digest: string
  covers: string
  /** The runtime that it comes from or is for. */
  runtime?: string
  facts: Fact[]
}

/** The vault that somebody looks at; without one nothing can be verified. */
export type Against = { anchor: Anchor; state: VaultState; roster: Roster } | null

export const againstOf = ({ view }: AppContext): Against =>
  view && { anchor: view.vault.anchor, state: view.vault.state, roster: view.vault.roster }

export const byRoot = ({ name }: Anchor): string => `Signed by the root of ${name}, the open vault.`
export const NOBODY_CHECKED = 'No vault is open, so nobody has checked who signed this.'

export const fact = (name: string, value: string | number): Fact => ({ name, value: String(value) })
export const at = (name: string, instant: number): Fact => fact(name, spellTime(instant))
export const mode = (practice: boolean): Fact => fact('Meant for', practice ? 'practice only' : 'production')

/** Says of a date that has passed that it has. */
export const expires = (exp: number, now: number): Fact =>
  fact('Expires', exp < now ? `${spellTime(exp)}: it has expired` : spellTime(exp))

export const WHOLE_FILE = 'the whole file'
