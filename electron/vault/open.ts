import { join } from 'node:path'
import type { VaultState } from '../../shared/domain/state.ts'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Bytes, wipe } from '../../shared/formats/bytes.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import type { Identity, PeopleFile } from '../../shared/formats/people-file.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import type { EncryptedDatabase } from '../sqlite/database.ts'
import { openVaultFile } from './log.ts'
import { openFileKey, type UnlockedPerson, unlockPerson } from './people.ts'

/** From passphrases to an open file: what happens before anything of a vault can be read. */

export const dbPath = (folder: string): string => join(folder, 'vault.db')

/** Events after the newest checkpoint that no quorum accepted; null where there are none. */
export function tailOf(state: VaultState): { from: number; to: number } | null {
  const covered = Math.max(state.checkpoint?.seq ?? 0, state.acceptedTail)
  // The acceptance itself, and what its quorum did before a crash, come after the accepted part and count as tail again.
  return state.seq > covered ? { from: covered + 1, to: state.seq } : null
}

/** Unlocks everybody whose passphrase was given; nobody else's entry is touched. */
export async function unlockPeople(
  file: PeopleFile,
  passphrases: ReadonlyMap<string, string>,
): Promise<Map<string, UnlockedPerson>> {
  const anchor = await openTrustAnchor(file.anchor)
  const present = new Map<string, UnlockedPerson>()
  for (const [id, passphrase] of passphrases) {
    // A change that was interrupted leaves two entries; which of them counts, only the log tells.
    const entries = [file.people[id], file.pending[id]].flatMap((entry) => entry ?? [])
    const identities = new Map(entries.map(({ identity }) => [canonicalText(identity), identity]))
    const person = await unlockAny(anchor, id, [...identities.values()], passphrase)
    if (person) present.set(id, person)
  }
  must(present.size > 0, 'passphrase-missing', 'No passphrase of a person of this vault was given.')
  return present
}

async function unlockAny(
  anchor: Anchor,
  id: string,
  identities: readonly Identity[],
  passphrase: string,
): Promise<UnlockedPerson | null> {
  let refused: unknown
  for (const identity of identities) {
    try {
      return await unlockPerson(anchor, id, identity, passphrase)
    } catch (error) {
      refused = error
    }
  }
  if (refused) throw refused
  return null
}

/** While a vault moves to a new file, two file keys are wrapped; the one that opens the file counts. Codes of `openVaultFile`, `vault-people-changed`. */
export async function openWithAnyFileKey(
  folder: string,
  file: PeopleFile,
  present: ReadonlyMap<string, UnlockedPerson>,
): Promise<EncryptedDatabase> {
  const anchor = await openTrustAnchor(file.anchor)
  const wraps = [...present.values()].flatMap((person) =>
    [file.people[person.id], file.pending[person.id]].flatMap((entry) =>
      Object.entries(entry?.fileKeys ?? {}).map(([id, jwe]) => ({ person, id, jwe })),
    ),
  )
  const tried = new Set<string>()
  let failure = new KeyriteError('vault-people-changed', "Nobody who is here has access to the vault's file.")
  for (const { person, id, jwe } of wraps) {
    if (tried.has(id)) continue
    let key: Bytes | undefined
    try {
      key = await openFileKey(anchor, person, id, jwe)
      tried.add(id)
      return openVaultFile(dbPath(folder), key)
    } catch (error) {
      if (!isKeyriteError(error) || !['vault-damaged', 'decryption-failed'].includes(error.code)) throw error
      failure = error
    } finally {
      wipe(key)
    }
  }
  throw failure
}
