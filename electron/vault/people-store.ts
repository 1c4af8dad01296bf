import { join } from 'node:path'
import type { PersonDigests } from '../../shared/domain/events.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import {
  encodePeopleFile,
  type PeopleFile,
  type PersonEntry,
  parsePeopleFile,
  personDigests,
} from '../../shared/formats/people-file.ts'
import { openRoster } from '../../shared/formats/roster.ts'
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

/** Adds an item (a file key, a share) to each named person, leaving what they have. */
export function extend(
  file: PeopleFile,
  items: ReadonlyMap<string, Partial<Pick<PersonEntry, 'fileKeys' | 'shares'>>>,
): PeopleFile {
  const people = Object.entries(file.people).map(([id, entry]): [string, PersonEntry] => {
    const more = items.get(id)
    return [
      id,
      { ...entry, fileKeys: { ...entry.fileKeys, ...more?.fileKeys }, shares: { ...entry.shares, ...more?.shares } },
    ]
  })
  return { ...file, people: Object.fromEntries(people) }
}

/** Keeps of each person only the named file keys and shares. */
export function keep(file: PeopleFile, which: { fileKeys: readonly string[]; shares: readonly string[] }): PeopleFile {
  const only = (items: Record<string, string>, ids: readonly string[]) =>
    Object.fromEntries(Object.entries(items).filter(([id]) => ids.includes(id)))
  const people = Object.entries(file.people).map(([id, entry]): [string, PersonEntry] => [
    id,
    { ...entry, fileKeys: only(entry.fileKeys, which.fileKeys), shares: only(entry.shares, which.shares) },
  ])
  return { ...file, people: Object.fromEntries(people) }
}

export const digestsOf = (file: PeopleFile): Record<string, PersonDigests> =>
  Object.fromEntries(Object.entries(file.people).map(([id, entry]) => [id, personDigests(entry)]))

/**
 * Compares people.json with what the log says of it. Everything the log names must be there unchanged; an item more can
 * only be left from an interrupted change and is removed by `pruned`. Each person's keys must also be those of the
 * root-signed roster, whatever the history says. Code `vault-people-changed`, naming the person.
 */
export async function checkPeopleFile(
  file: PeopleFile,
  expected: Record<string, PersonDigests>,
  roster: string,
  anchor: Anchor,
): Promise<void> {
  const changed = (id: string, what: string) =>
    new KeyriteError(
      'vault-people-changed',
      `${what} of ${id} in the list of people is not the one that the history names.`,
    )
  for (const id of Object.keys(file.people)) if (!expected[id]) throw changed(id, 'The entry')
  for (const [id, wanted] of Object.entries(expected)) {
    const entry = file.people[id]
    if (!entry) throw changed(id, 'The entry')
    const found = personDigests(entry)
    if (found.identity !== wanted.identity) throw changed(id, 'The keys')
    for (const part of ['fileKeys', 'shares'] as const)
      for (const [item, digest] of Object.entries(wanted[part]))
        if (found[part][item] !== digest) throw changed(id, part === 'shares' ? 'A share' : 'The access')
  }
  if (file.roster !== roster) await checkOlderRoster(file.roster, roster, anchor)
  const signed = await openRoster(roster, anchor.key, anchor.practice)
  for (const person of signed.people) {
    const { encryption, signing, kdf } = file.people[person.id]?.identity ?? {}
    const same =
      canonicalText([encryption, signing, kdf]) === canonicalText([person.encryption, person.signing, person.kdf])
    if (!same) throw changed(person.id, 'The keys')
  }
}

/** Between a new epoch's commit and the pruning, people.json may still hold the roster before, and nothing else. */
async function checkOlderRoster(found: string, current: string, anchor: Anchor): Promise<void> {
  const refused = 'The roster in the list of people is not the one that the history names.'
  let older: boolean
  try {
    const [old, now] = await Promise.all([found, current].map((jws) => openRoster(jws, anchor.key, anchor.practice)))
    older = old !== undefined && now !== undefined && old.vaultId === now.vaultId && old.epoch + 1 === now.epoch
  } catch (cause) {
    throw new KeyriteError('vault-people-changed', refused, { cause })
  }
  must(older, 'vault-people-changed', refused)
}

/** people.json as the log says it should be, or null when it is so already. */
export function pruned(file: PeopleFile, expected: Record<string, PersonDigests>, roster: string): PeopleFile | null {
  const people = Object.entries(file.people).map(([id, entry]): [string, PersonEntry] => {
    const wanted = expected[id]
    const only = (items: Record<string, string>, ids: Record<string, string> | undefined) =>
      Object.fromEntries(Object.entries(items).filter(([item]) => ids && item in ids))
    return [
      id,
      { ...entry, fileKeys: only(entry.fileKeys, wanted?.fileKeys), shares: only(entry.shares, wanted?.shares) },
    ]
  })
  const next = { ...file, roster, people: Object.fromEntries(people) }
  const same = Buffer.compare(encodePeopleFile(next), encodePeopleFile(file)) === 0
  return same ? null : next
}
