import type { VaultState } from '../../shared/domain/state.ts'
import { must } from '../../shared/errors.ts'
import type { PeopleFile } from '../../shared/formats/people-file.ts'
import type { Roster } from '../../shared/formats/roster.ts'
import { openSealedShare, type UnlockedPerson, type VaultName } from './people.ts'
import { findShares } from './share-files.ts'
import { checkShare, type Share } from './sharing.ts'

type Place = {
  anchor: VaultName
  state: Pick<VaultState, 'pending' | 'holders'>
  present: ReadonlyMap<string, UnlockedPerson>
  /** Folders with custodians' own media. */
  folders: readonly string[]
  entries: Pick<PeopleFile, 'people' | 'pending'>
}

/**
 * A present custodian's share of a roster (in force, or dealt and waiting), from the vault or from their own medium,
 * checked against its commitment. Codes `quorum-missing`, `share-invalid` naming the person.
 */
export async function presentShare(
  { anchor, state, present, folders, entries }: Place,
  id: string,
  roster: Roster,
): Promise<Share> {
  const person = present.get(id)
  must(person, 'quorum-missing', `${id} is not present.`)
  const { epoch, vaultId } = roster
  const waiting = epoch === state.pending?.epoch
  const holders = (waiting ? state.pending?.custodians : state.holders) ?? {}
  const kept = (waiting ? entries.pending : entries.people)[id]?.shares[String(epoch)]
  const known = kept !== undefined || holders[id] === 'medium'
  must(known, 'share-invalid', `${id} has no share of epoch ${epoch} in this vault.`)
  const candidates = kept === undefined ? findShares(folders, { vaultId, person: id, epoch }) : [kept]
  let refused: unknown
  for (const jwe of candidates) {
    try {
      const share = await openSealedShare(anchor, person, jwe, epoch)
      checkShare(share, roster)
      return share
    } catch (error) {
      refused = error
    }
  }
  throw refused
}
