import type { VaultEvent } from '../../shared/domain/events.ts'
import { isKeyriteError } from '../../shared/errors.ts'
import { wipe } from '../../shared/formats/bytes.ts'
import { type Roster, signRoster } from '../../shared/formats/roster.ts'
import { agreementsOf, deal, sharesIn } from './deal.ts'
import type { Inside } from './inside.ts'
import { digestsOf } from './people-store.ts'
import type { Quorum } from './quorum.ts'

/** A new quorum secret for the same people: shares on media are written first, then the entries that wait, then the event. */
export async function activateEpoch(
  inside: Inside,
  quorum: Quorum,
  at: number,
  actor: string,
  also: (roster: Roster) => VaultEvent[],
): Promise<void> {
  const { anchor, state, present } = inside
  const { people, threshold, epoch: before } = inside.roster
  const epoch = before + 1
  const dealt = await deal(anchor, { people, threshold, epoch })
  const { roster } = dealt
  const rosterJws = await signRoster(roster, await quorum.root())
  const agreements = await agreementsOf(rosterJws, roster, present)
  const sealed = quorum.rewrapAll({ secret: dealt.secret, epoch })
  wipe(dealt.secret)
  const inVault = sharesIn('vault', dealt, state.holders)
  const entries = Object.fromEntries(
    Object.entries(inside.entries().people).map(([id, entry]) => {
      const share = inVault.get(id)
      return [id, { ...entry, shares: share ? { [epoch]: share } : {} }]
    }),
  )
  const takeBack = inside.writeShares(sharesIn('medium', dealt, state.holders).values(), at)
  const event: VaultEvent = {
    type: 'epoch-activated',
    epoch,
    roster: rosterJws,
    agreements,
    people: digestsOf(entries),
    sealed: sealed.digests,
  }
  try {
    inside.stage(entries)
    inside.commit([...also(roster), event], at, actor, { put: sealed.put })
  } catch (error) {
    // A commit that the medium could not confirm may stand nevertheless, and then these shares are needed.
    if (!isKeyriteError(error, 'medium-failed')) takeBack()
    throw error
  }
  inside.inForce({ roster })
}
