import type { EventOf } from '../domain/events.ts'
import type { PendingRoster } from '../domain/state-people.ts'
import { must } from '../errors.ts'
import { checkApprovals } from './approval.ts'
import { digest } from './bytes.ts'
import { canonicalText } from './json.ts'
import { parseRosterText } from './roster.ts'

/** What both thresholds approve when a roster comes into force: exactly this one, in the epoch after. */
export const activationObjects = ({ epoch, roster }: { epoch: number; roster: string }) => ({
  epoch,
  roster: digest(roster),
})

/** What the old threshold approves when shares are dealt. */
export const dealtObjects = ({ roster, custodians }: Pick<PendingRoster, 'roster' | 'custodians'>) => ({
  deal: digest(roster),
  custodians,
})

/** That the new threshold approved the roster that is dealt. Codes of `checkApprovals`, `signature-invalid`. */
export async function checkAccepted(
  { ceremony, step, objects, approvals }: EventOf<'custody-accepted'>,
  pending: PendingRoster,
  { vaultId, planDigest }: { vaultId: string; planDigest: string },
): Promise<string[]> {
  const wanted = digest(canonicalText(activationObjects(pending)))
  must(objects === wanted, 'signature-invalid', 'The new custodians approved another roster.')
  const roster = parseRosterText(pending.roster)
  return checkApprovals(approvals, { vaultId, epoch: pending.epoch, ceremony, planDigest, step, objects }, roster)
}
