import { randomBytes } from 'node:crypto'
import type { SharePlace } from '../../shared/domain/roster.ts'
import { must } from '../../shared/errors.ts'
import { type Bytes, wipe } from '../../shared/formats/bytes.ts'
import { agreeToRoster, type Roster, type RosterPerson } from '../../shared/formats/roster.ts'
import { sealShare, type UnlockedPerson, type VaultName } from './people.ts'
import { dealShares } from './sharing.ts'

/** Dealing a new quorum secret: at genesis, in `custody`, and in every destruction. */

export type Dealt = {
  /** The new quorum secret; whoever asked for it wipes it. */
  secret: Bytes
  roster: Roster
  /** Each custodian's share, addressed to them. */
  shares: ReadonlyMap<string, string>
}

type Next = { people: RosterPerson[]; epoch: number; threshold: number }

/** Draws 32 random bytes, splits them among the custodians of the list, and seals each share to its custodian. */
export async function deal(vault: VaultName, { people, epoch, threshold }: Next): Promise<Dealt> {
  const { vaultId, practice } = vault
  const secret = new Uint8Array(randomBytes(32))
  const custodians = people.filter((person) => person.role === 'custodian')
  const ids = custodians.map((person) => person.id)
  const { shares, commitments, secretCommitment } = await dealShares(secret, ids, { vaultId, epoch, threshold })
  const sealed = new Map<string, string>()
  for (const share of shares) {
    const to = custodians.find((person) => person.id === share.person)
    must(to, 'internal', 'A share was dealt to somebody who is no custodian.')
    sealed.set(share.person, await sealShare(vault, share, epoch, to.encryption))
    wipe(share.bytes)
  }
  const roster = { vaultId, practice, epoch, threshold, people, shares: commitments, secretCommitment }
  return { secret, roster, shares: sealed }
}

/** Those shares that lie in one place. */
export const sharesIn = (
  place: SharePlace,
  { shares }: Pick<Dealt, 'shares'>,
  holders: Readonly<Record<string, SharePlace>>,
): Map<string, string> => new Map([...shares].filter(([id]) => holders[id] === place))

/** Everyone present who stands on a roster agrees to it with their own key. */
export async function agreementsOf(
  rosterJws: string,
  roster: Roster,
  present: ReadonlyMap<string, UnlockedPerson>,
): Promise<Record<string, string>> {
  const agreements: Record<string, string> = {}
  for (const { id } of roster.people) {
    const person = present.get(id)
    if (person) agreements[id] = await agreeToRoster(rosterJws, roster, person.signer)
  }
  return agreements
}
