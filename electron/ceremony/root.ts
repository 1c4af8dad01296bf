import { sealAnew } from '../../shared/domain/ledger-envelopes.ts'
import { count } from '../../shared/domain/plural.ts'
import { must } from '../../shared/errors.ts'
import { spoken } from '../../shared/formats/fingerprint.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { act, type Context, closing, type Outcome } from './context.ts'

/** The sealed successor takes over as root. */

export const describeRotation = ({ vault }: Pick<Context, 'vault'>, plan: PlanOf<'root-rotate'>): string =>
  plan.compromised
    ? `The successor ${spoken(vault.state.successor)} takes over. The old root is suspected: ${count(vault.state.runtimes.size, 'runtime')} and every relying party that pins the root must compare the new one by voice.`
    : `The successor ${spoken(vault.state.successor)} takes over; who pinned the old root follows the succession.`

export async function rotateRoot(context: Context): Promise<Outcome> {
  const { compromised } = context.plan as PlanOf<'root-rotate'>
  const { vault, ports, actor } = context
  const root = vault.state.successor
  const successor = vault.makeSuccessor()
  const observed = `Root ${spoken(root)} is in force; both roots signed the succession. The rows of the old root are overwritten and deleted, and a new successor is sealed.`
  await act(context, { root, successor: successor.kid, compromised }, async (quorum, approved) => {
    const also = [approved, closing(context, observed)]
    await vault.rotateRoot(quorum, { successor, compromised, also }, ports.now(), actor)
  })
  return { observed, committed: true }
}

export async function publishSuccession({ vault, ports }: Context): Promise<Outcome> {
  const past = vault.state.pastAnchors.at(-1)
  must(past, 'ceremony-conflict', 'The root was not changed.')
  const { iat } = vault.anchor
  const anchor = ports.media.writeAnchor(vault.anchor.jws, iat)
  const succession = ports.media.writeSuccession({ ...past.succession, before: past.anchor }, iat)
  const how = past.compromised
    ? 'Runtimes and relying parties take the new trust anchor only after its fingerprint was compared by voice.'
    : 'Runtimes import the succession.'
  const compared = await ports.desk.compare('the new root', vault.anchor.key.kid)
  const anew = sealAnew(vault.state)
  return { observed: `${anchor.name} and ${succession.name}; root ${compared}. ${how}${anew && ` ${anew}`}` }
}
