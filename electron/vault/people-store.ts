import { join } from 'node:path'
import type { PersonDigests } from '../../shared/domain/events.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import {
  encodePeopleFile,
  type PeopleFile,
  type PersonEntry,
  parsePeopleFile,
  personDigests,
} from '../../shared/formats/people-file.ts'
import { costOf, openRoster, parseRosterText, type Roster } from '../../shared/formats/roster.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import { readFileGuarded } from '../files/read.ts'
import { replaceFile } from '../files/write.ts'

/** people.json and how it stays in step with the log: extended before an event is committed, pruned after. */

const path = (folder: string) => join(folder, 'people.json')
const MAX = 1024 * 1024

/** Codes `vault-missing`, `json-invalid`, `format-invalid`, `kdf-refused`. */
export function readPeople(folder: string): PeopleFile {
  try {
    return parsePeopleFile(readFileGuarded(path(folder), MAX))
  } catch (error) {
    if (error instanceof KeyriteError && error.code === 'file-missing')
      throw new KeyriteError('vault-missing', `There is no vault at ${folder}.`, { cause: error })
    if (error instanceof KeyriteError && (error.code === 'json-invalid' || error.code === 'format-invalid'))
      throw new KeyriteError('vault-damaged', `The list of people of this vault is damaged: ${error.message}`, {
        cause: error,
      })
    throw error
  }
}

export const writePeople = (folder: string, file: PeopleFile): void => replaceFile(path(folder), encodePeopleFile(file))

export const digestsOf = (entries: Readonly<Record<string, PersonEntry>>): Record<string, PersonDigests> =>
  Object.fromEntries(Object.entries(entries).map(([id, entry]) => [id, personDigests(entry)]))

/** What the log says of people.json. */
export type Expected = Pick<
  VaultState,
  'people' | 'pending' | 'former' | 'roster' | 'previousRoster' | 'anchor' | 'pastAnchors'
>

/**
 * What counts of people.json by the log: of each person exactly what it names, from the entry in force or from the one
 * that waits. A change is written there first, then committed, then pruned; so a crash leaves the old state or the new.
 */
export function settled(file: PeopleFile, { people, pending, roster, anchor }: Expected): PeopleFile {
  const choose = (wanted: Record<string, PersonDigests>, from: readonly Record<string, PersonEntry>[]) =>
    Object.fromEntries(
      Object.entries(wanted).flatMap(([id, digests]) => {
        const entry = entryOf(
          from.flatMap((entries) => entries[id] ?? []),
          digests,
        )
        return entry ? [[id, entry]] : []
      }),
    )
  return {
    anchor,
    roster,
    people: choose(people, [file.people, file.pending]),
    pending: choose(pending?.people ?? {}, [file.pending, file.people]),
  }
}

/** The entry with the wanted identity, and of all entries the items that are named; the wanted ones where they are there. */
function entryOf(candidates: readonly PersonEntry[], wanted: PersonDigests): PersonEntry | null {
  const base = candidates.find((one) => personDigests(one).identity === wanted.identity) ?? candidates[0]
  if (!base) return null
  const items = (part: 'fileKeys' | 'shares') =>
    Object.fromEntries(
      Object.entries(wanted[part]).flatMap(([item, wantedDigest]) => {
        const found = candidates.flatMap((one) => one[part][item] ?? [])
        const chosen = found.find((jwe) => digest(jwe) === wantedDigest) ?? found[0]
        return chosen === undefined ? [] : [[item, chosen]]
      }),
    )
  return { identity: base.identity, fileKeys: items('fileKeys'), shares: items('shares') }
}

/**
 * Compares people.json with what the log says of it. Everything the log names must be there unchanged; an item more can
 * only be left from an interrupted change, and does not count. Each person's keys must also be those of the root-signed
 * roster, whatever the history says. Code `vault-people-changed`, naming the person.
 */
export async function checkPeopleFile(file: PeopleFile, expected: Expected, anchor: Anchor): Promise<void> {
  const { people, pending, former, roster, previousRoster, pastAnchors } = expected
  for (const id of Object.keys(file.people)) if (!people[id] && !former.includes(id)) throw changed(id, 'The entry')
  const known = settled(file, expected)
  checkDigests(known.people, people)
  checkDigests(known.pending, pending?.people ?? {})
  must(
    [roster, previousRoster].includes(file.roster) &&
      [expected.anchor, pastAnchors.at(-1)?.anchor].includes(file.anchor),
    'vault-people-changed',
    'The roster in the list of people is not the one that the history names.',
  )
  checkKeys(known.people, await openRoster(roster, anchor.key, anchor.practice))
  if (pending) checkKeys(known.pending, parseRosterText(pending.roster))
}

const changed = (id: string, what: string) =>
  new KeyriteError(
    'vault-people-changed',
    `${what} of ${id} in the list of people is not the one that the history names.`,
  )

function checkDigests(entries: Record<string, PersonEntry>, expected: Record<string, PersonDigests>): void {
  for (const [id, wanted] of Object.entries(expected)) {
    const entry = entries[id]
    if (!entry) throw changed(id, 'The entry')
    const found = personDigests(entry)
    if (found.identity !== wanted.identity) throw changed(id, 'The keys')
    for (const part of ['fileKeys', 'shares'] as const)
      for (const [item, wantedDigest] of Object.entries(wanted[part]))
        if (found[part][item] !== wantedDigest) throw changed(id, part === 'shares' ? 'A share' : 'The access')
  }
}

function checkKeys(entries: Record<string, PersonEntry>, roster: Roster): void {
  for (const { id, encryption, signing, kdf } of roster.people) {
    const { identity } = entries[id] ?? {}
    const same =
      identity &&
      canonicalText([identity.encryption, identity.signing, costOf(identity.kdf)]) ===
        canonicalText([encryption, signing, kdf])
    if (!same) throw changed(id, 'The keys')
  }
}

/** people.json as the log says it should be, or null when it is so already. */
export function pruned(file: PeopleFile, expected: Expected): PeopleFile | null {
  const next = settled(file, expected)
  const same = Buffer.compare(encodePeopleFile(next), encodePeopleFile(file)) === 0
  return same ? null : next
}
