import type { PersonName } from '../../shared/domain/roster.ts'
import { isKeyriteError, must } from '../../shared/errors.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import type { Identity } from '../../shared/formats/people-file.ts'
import { openRoster } from '../../shared/formats/roster.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { type UnlockedPerson, unlockPerson } from '../vault/people.ts'
import { readPeople } from '../vault/people-store.ts'

/** Who may open a vault, and how each of them comes in. */

export type Unlock = (id: string, passphrase: string) => Promise<UnlockedPerson>
export type Gathering = { anchor: Anchor; people: readonly PersonName[]; threshold: number; unlock: Unlock }

/**
 * Who may open a vault, read from its list of people alone: the vault itself stays shut. Codes `vault-missing`,
 * `vault-damaged`, `kdf-refused` and those of statements whose signature does not hold.
 */
export async function gatheringAt(folder: string): Promise<Gathering> {
  const file = readPeople(folder)
  const anchor = await openTrustAnchor(file.anchor)
  const { people, threshold } = await openRoster(file.roster, anchor.key, anchor.practice)
  const unlock: Unlock = (id, passphrase) => {
    const entry = file.people[id]
    must(entry, 'vault-people-changed', `The list of people of this vault has no ${id}.`)
    return unlockPerson(anchor, id, entry.identity, passphrase)
  }
  return { anchor, people, threshold, unlock }
}

/** Three times a passphrase that does not open it, and that person is left out. */
export const TRIES = 3

/** Words are words, however many spaces stand between them and however they are written. */
export const plain = (typed: string): string => typed.normalize('NFKC').trim().toLowerCase().split(/\s+/).join(' ')

/** As typed; and, where that does not open, with one space between words and no capitals, as generated ones are. Null where neither opens. */
export async function opened(unlock: Unlock, id: string, typed: string): Promise<UnlockedPerson | null> {
  for (const passphrase of new Set([typed, plain(typed)])) {
    try {
      return await unlock(id, passphrase)
    } catch (error) {
      if (!isKeyriteError(error, 'passphrase-wrong')) throw error
    }
  }
  return null
}

/**
 * Whether this is the passphrase of somebody on the list of people as it stands now, or of somebody who waits to be put on
 * it (a change of people or of a passphrase under way). The list is a file that others may write: only an entry with one of
 * the public keys in `known` counts.
 */
export async function provesItself(
  folder: string,
  id: string,
  typed: string,
  known: readonly { encryption: object; signing: object }[],
): Promise<boolean> {
  const file = readPeople(folder)
  const anchor = await openTrustAnchor(file.anchor)
  for (const entry of [file.people[id], file.pending[id]]) {
    if (!entry || !known.some((person) => samePerson(person, entry.identity))) continue
    const unlock: Unlock = (who, passphrase) => unlockPerson(anchor, who, entry.identity, passphrase)
    if (await opened(unlock, id, typed)) return true
  }
  return false
}

const samePerson = (known: { encryption: object; signing: object }, { encryption, signing }: Identity): boolean =>
  canonicalText(known.encryption) === canonicalText(encryption) &&
  canonicalText(known.signing) === canonicalText(signing)
