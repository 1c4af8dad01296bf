import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { must } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { openAcceptance, signAcceptance } from '../../shared/formats/enrollment.ts'
import { thumbprint } from '../../shared/formats/fingerprint.ts'
import type { StatementSigner } from '../../shared/formats/jws.ts'
import { signRoster } from '../../shared/formats/roster.ts'
import { signSuccession } from '../../shared/formats/succession.ts'
import { type Anchor, openTrustAnchor, signTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { agreementsOf } from './deal.ts'
import type { Inside } from './inside.ts'
import { p256Public } from './people.ts'
import type { Quorum } from './quorum.ts'

/** The sealed successor takes over as root, and a new successor is made and sealed. */

export type NextSuccessor = { kid: string; key: KeyObject }

export function makeSuccessor(): NextSuccessor {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid: thumbprint(p256Public(publicKey)), key: privateKey }
}

/**
 * In one transaction: both roots sign the succession; the new one signs its trust anchor, the roster, and the acceptance
 * of every runtime anew; the old one's rows are overwritten and deleted. The vault's people stay as they are.
 */
export async function rotateRoot(
  inside: Inside,
  quorum: Quorum,
  { successor, compromised, also }: { successor: NextSuccessor; compromised: boolean; also: readonly VaultEvent[] },
  at: number,
  actor: string,
): Promise<void> {
  const { anchor: before, state, roster, present } = inside
  const { vaultId, practice, name } = before
  const { old, next, root, sealed, removed } = await quorum.takeOver(successor)
  must(
    next.kid === before.successor,
    'vault-history-broken',
    'The sealed successor is not the one of the trust anchor.',
  )
  const jws = await signTrustAnchor({ vaultId, name, practice, root, successor: successor.kid, iat: at }, next)
  const claims = { vaultId, from: old.kid, to: next.kid, anchor: digest(jws), compromised, iat: at }
  const succession = {
    old: await signSuccession(claims, practice, old),
    next: await signSuccession(claims, practice, next),
    anchor: jws,
  }
  const rosterJws = await signRoster(roster, next)
  const event: EventOf<'root-rotated'> = {
    type: 'root-rotated',
    succession,
    compromised,
    successor: successor.kid,
    roster: rosterJws,
    agreements: await agreementsOf(rosterJws, roster, present),
    acceptances: await acceptedAnew(state.runtimes.values(), before, next, at),
    sealed: sealed.digests,
    removed,
  }
  inside.commit([...also, event], at, actor, { put: sealed.put, remove: removed })
  inside.inForce({ roster, anchor: await openTrustAnchor(jws) })
}

async function acceptedAnew(
  runtimes: Iterable<{ runtimeId: string; acceptance: string }>,
  { key, practice }: Anchor,
  root: StatementSigner,
  iat: number,
): Promise<Record<string, string>> {
  const acceptances: Record<string, string> = {}
  for (const { runtimeId, acceptance } of runtimes) {
    const said = await openAcceptance(acceptance, key, practice)
    acceptances[runtimeId] = await signAcceptance({ ...said, iat }, practice, root)
  }
  return acceptances
}
