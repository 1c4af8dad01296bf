import { decideCustody } from '../../shared/domain/custody.ts'
import type { VaultEvent } from '../../shared/domain/events.ts'
import { count } from '../../shared/domain/plural.ts'
import { isAlone, SCRIPTS } from '../../shared/domain/script.ts'
import { unproved } from '../../shared/domain/state-people.ts'
import { type KeyriteError, must } from '../../shared/errors.ts'
import { activationObjects, dealtObjects } from '../../shared/formats/custody.ts'
import { readStatementHeader } from '../../shared/formats/jws.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { parseRosterText } from '../../shared/formats/roster.ts'
import { act, actOn, type Context, closing, type Outcome } from './context.ts'
import { untilStrong } from './passphrase.ts'

/** A change of people: deal, prove, put in force. Until the last of these nobody's share is lost. */

type Custody = PlanOf<'custody'>

const named = (people: readonly { id: string }[]): string => people.map(({ id }) => id).join(', ')

/** Codes of `decideCustody`, `share-invalid` where a share is to lie on a medium and none was named. */
export function checkCustody({ vault }: Pick<Context, 'vault'>, plan: Custody): string {
  const { joining, leaving, custodians } = decideCustody(vault.state, vault.roster, plan)
  const places = Object.values(custodians)
  mustHaveMedium(vault, places)
  const said = [
    joining.length > 0 ? `joining: ${named(joining)}` : '',
    leaving.length > 0 ? `leaving: ${named(leaving)}` : '',
  ].filter(Boolean)
  return `${plan.threshold} of ${count(places.length, 'custodian')} from now on, ${said.length > 0 ? said.join('; ') : 'the same people'}.`
}

/** Before a step that deals: somewhere to put the shares that lie on media. Code `share-invalid`. */
export function mustHaveMedium({ shareFolders }: Context['vault'], places: readonly string[]): void {
  must(
    shareFolders.length > 0 || !places.includes('medium'),
    'share-invalid',
    'A share is to lie on a medium of its custodian, and no folder for it was named.',
    { hint: 'Insert that medium and name its folder with --shares.' },
  )
}

/**
 * Before a ceremony begins: every custodian here whose share lies on a medium of their own has brought it, and where new
 * shares will be dealt there is a medium for them. Code `share-invalid`, naming the person.
 */
export async function checkMedia({ vault, plan }: Context): Promise<void> {
  const { holders } = vault.state
  if (isAlone(plan.kind)) return
  if (SCRIPTS[plan.kind].some((step) => step.newRoster)) mustHaveMedium(vault, Object.values(holders))
  for (const [id, place] of Object.entries(holders))
    if (place === 'medium' && vault.present.has(id)) await vault.proveShare(id)
}

export async function dealShares(context: Context): Promise<Outcome> {
  const plan = context.plan as Custody
  const { vault, ports, ceremony, actor } = context
  const { joining, custodians } = decideCustody(vault.state, vault.roster, plan)
  const dealt = await untilStrong(ports, async () => {
    const passphrases = new Map<string, string>()
    for (const { id } of joining) passphrases.set(id, await ports.desk.secret('passphrase', id, 'new passphrase'))
    return vault.dealNext({ people: plan.people, threshold: plan.threshold, passphrases })
  })
  const onMedia = Object.keys(custodians).filter((id) => custodians[id] === 'medium')
  const observed = [
    `${count(Object.keys(custodians).length, 'new share')} dealt beside the ones in force.`,
    joining.length > 0 ? `Enrolled: ${named(joining)}.` : '',
    onMedia.length > 0 ? `On their own medium: ${onMedia.join(', ')}.` : '',
  ]
    .filter(Boolean)
    .join(' ')
  await act(context, dealtObjects(dealt), async (_, approved) => {
    const also = (present: string[]): VaultEvent[] => [
      approved,
      ...(joining.length > 0 ? [{ type: 'attendance', ceremony, present } as const] : []),
      closing(context, observed),
    ]
    vault.keepDealt(dealt, also, ports.now(), actor)
  })
  return { observed, committed: true }
}

/**
 * Every custodian of the new list proves their share. Those who are here prove it now, and that is kept; the step is not
 * done before the last one has. Codes `share-invalid`, `quorum-missing` naming who is missing.
 */
export async function proveNewShares({ vault, ports, actor }: Context): Promise<Outcome> {
  const { state } = vault
  const epoch = state.pending?.epoch ?? 0
  const proofs: VaultEvent[] = []
  let refused: unknown
  for (const person of unproved(state).filter((id) => vault.present.has(id))) {
    try {
      await vault.proveNext(person)
      proofs.push({ type: 'share-proved', person, epoch })
    } catch (error) {
      refused ??= error
    }
  }
  const all = Object.keys(state.pending?.custodians ?? {})
  const missing = unproved(state).filter((id) => !proofs.some((one) => 'person' in one && one.person === id))
  if (missing.length > 0 && proofs.length > 0) vault.commit(proofs, ports.now(), actor)
  if (refused) throw refused as KeyriteError
  must(
    missing.length === 0,
    'quorum-missing',
    `${missing.join(', ')} did not prove their new share yet. Until everybody has, the old list stays in force.`,
    { hint: 'Bring them and go on with "ceremony resume --accept-tail", or close it with "ceremony abort".' },
  )
  return { observed: `All ${all.length} new shares are proved.`, events: proofs }
}

/** The old threshold approves, then the new one, exactly the roster that is dealt. */
export async function activateRoster(context: Context): Promise<Outcome> {
  const { vault, ports, ceremony, step, actor } = context
  const { pending, epoch: before } = vault.state
  must(pending, 'ceremony-conflict', 'No new shares are dealt.')
  const roster = parseRosterText(pending.roster)
  const { leaving } = decideCustody(vault.state, vault.roster, context.plan as Custody)
  const objects = activationObjects(pending)
  const observed = `Epoch ${pending.epoch}: ${roster.threshold} of ${roster.shares.length} custodians. Every key is wrapped anew.${leftOpen(before, named(leaving))}`
  await act(context, objects, async (quorum, approved) => {
    const here = Object.keys(pending.custodians).filter((id) => vault.present.has(id))
    const willing = await ports.desk.approve(`${step.title}: the new list`, here, roster.threshold)
    const asked = actOn(context, objects)
    const approvals = await vault.approveNext(asked, willing)
    const accepted: VaultEvent = {
      type: 'custody-accepted',
      ceremony,
      step: step.id,
      objects: asked.objects,
      approvals,
    }
    const by = approvals.map((jws) => readStatementHeader(jws).kid)
    const also = [approved, accepted, closing(context, observed)]
    await vault.activateNext(quorum, { by, also }, ports.now(), actor)
  })
  return { observed, committed: true }
}

const leftOpen = (epoch: number, leaving: string): string =>
  ` Shares of epoch ${epoch} stay open copies: they still work on older copies of the vault${leaving ? `, and ${leaving} may have kept theirs` : ''}.`
