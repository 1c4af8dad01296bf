import type { VaultEvent } from '../../shared/domain/events.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import type { PeopleFile, PersonEntry } from '../../shared/formats/people-file.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import type { SealedChange } from './log.ts'
import type { UnlockedPerson } from './people.ts'
import type { Share } from './sharing.ts'

/** What the changes of people, shares and root do with an open vault; the vault itself hands it out and nobody else has it. */
export type Inside = {
  readonly anchor: Anchor
  readonly state: VaultState
  readonly roster: Roster
  readonly present: Map<string, UnlockedPerson>
  /** people.json as far as the log names it. */
  entries(): PeopleFile
  /** Reads people.json again and checks it against the log and the root. Codes of reading, `vault-people-changed`. */
  recheck(): Promise<void>
  /** Writes entries that will count once the log names them. */
  stage(pending: Record<string, PersonEntry>): void
  /** Commits events and makes people.json what the log then says. */
  commit(events: readonly VaultEvent[], at: number, actor: string, sealed?: SealedChange): void
  /** The roster and the trust anchor that are in force from now on. */
  inForce(now: { roster: Roster; anchor?: Anchor }): void
  /** Opens a present custodian's share of a roster and checks it. Codes `quorum-missing`, `share-invalid`. */
  share(id: string, roster: Roster): Promise<Share>
  /** The file key, addressed to each of these people. */
  wrapFileKey(people: Roster['people']): Promise<Map<string, Record<string, string>>>
  /** Writes shares to the medium for share files; gives what takes them back. Code `share-invalid` without a folder. */
  writeShares(jwes: Iterable<string>, at: number): () => void
}
