import { basename, dirname, join } from 'node:path'
import type { Notice } from '../../shared/contract/contract.ts'
import { KeyriteError } from '../../shared/errors.ts'
import type { UnlockedPerson } from '../vault/people.ts'
import type { Vault } from '../vault/vault.ts'

/** What the methods of the app share: where things live, what is open, and how the screens are told. */

/** Seconds. */
export const IDLE_AFTER = 600

export type AppOptions = {
  /** Where vaults, records, plans and evidence live: `NAME.vault`, `records/`, `plans/`, `evidence/`. */
  home: string
  /** A ready practice vault is made in a temporary home, and its people's passphrases may be shown. */
  practice: boolean
  shell: 'electron' | 'browser'
  /** Seconds since 1970 UTC; the machine's clock unless told. */
  now?: () => number
  /** Seconds on a clock that nobody can set. */
  elapsed?: () => number
  /** Names of the network interfaces that are up; the machine's own unless told, because a test cannot plug in a cable. */
  networks?: () => string[]
  /** After how many seconds without a call a sitting is paused and a vault that is looked at is closed; ten minutes unless told. */
  idleAfter?: number
}

/** The vault that somebody opened to look at. */
export type View = { vault: Vault; folder: string; by: UnlockedPerson; openedAt: number }

export type PracticePerson = {
  id: string
  name: string
  role: 'administrator' | 'custodian' | 'compliance'
  passphrase: string
}

export type AppContext = {
  readonly shell: AppOptions['shell']
  readonly home: string
  readonly now: () => number
  readonly elapsed: () => number
  readonly networks: () => string[]
  readonly tell: (notice: Notice) => void
  /** `--practice`: the vault made for looking around. */
  practice: { folder: string; people: PracticePerson[] } | null
  view: View | null
  /** The folder in which files are carried, both ways. */
  medium: string | null
  /** The transfer screen reads QR codes at the moment. */
  camera: boolean
}

/** The vault that somebody looks at. Code `vault-missing`. */
export function viewed(app: AppContext): View {
  if (app.view) return app.view
  throw new KeyriteError('vault-missing', 'No vault is open to look at.', {
    hint: 'Choose a vault and open it with one passphrase.',
  })
}

/** Where the records of a vault go: beside it, and each vault has a folder of its own, because their ceremonies are numbered alike. */
export const recordsOf = (vault: string): string => join(dirname(vault), 'records', basename(vault, '.vault'))

/** The folder that files are carried in. Code `medium-failed` where none was chosen. */
export function carrying(app: AppContext): string {
  if (app.medium !== null) return app.medium
  throw new KeyriteError('medium-failed', 'No medium was chosen yet.', {
    hint: 'Put in the medium and choose it on the transfer screen.',
  })
}
