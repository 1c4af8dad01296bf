import type { VaultEvent } from '../../shared/domain/events.ts'
import type { Step } from '../../shared/domain/script.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import type { Plan } from '../../shared/formats/plan.ts'
import type { ActPort, Ports, QuorumPort, VaultPort } from './ports.ts'

/** What a step's performer is given. */
export type Context<P extends Plan = Plan> = {
  ports: Ports
  vault: VaultPort
  plan: P
  planDigest: string
  ceremony: string
  step: Pick<Step, 'id' | 'who' | 'title'>
  /** The person who acts and signs the step's events. */
  actor: string
  /** Words given beforehand for a destruction; where none are, those present type them in its step. */
  confirm: readonly string[]
}

/** What a performer did: events and rows that the runner commits together with the step. */
export type Outcome = {
  observed: string
  events?: VaultEvent[]
  put?: ReadonlyMap<string, Uint8Array>
  remove?: readonly string[]
  /** The performer has committed the step itself, with `closing`. */
  committed?: true
}

/** The event that closes a step, for performers whose commit is not an ordinary one. */
export const closing = (context: Context, observed: string): VaultEvent => ({
  type: 'step-done',
  ceremony: context.ceremony,
  step: context.step.id,
  observed,
})

/** The labels of keys for one line of the record: the first ten, then how many more. */
export function listed(keys: readonly { label: string }[]): string {
  const said = keys.slice(0, 10).map((key) => key.label)
  const rest = keys.length - said.length
  return rest > 0 ? `${said.join(', ')} and ${rest} more` : said.join(', ')
}

/** Custodians whose passphrase was given, in the order of the roster. */
export const custodiansOf = ({ roster, present }: Context['vault']): string[] =>
  roster.people.filter(({ id, role }) => role === 'custodian' && present.has(id)).map(({ id }) => id)

/** What custodians sign when they approve these objects in this step. */
export const actOn = ({ ceremony, planDigest, step }: Context, objects: unknown): ActPort => ({
  ceremony,
  planDigest,
  step: step.id,
  objects: digest(canonicalText(objects)),
})

/**
 * One quorum act: M custodians approve exactly these objects in this step, and for its length their secret is combined.
 * Gives the result and the event that keeps their approvals. Code `quorum-missing` when fewer approve.
 */
export async function act<T>(
  context: Context,
  objects: unknown,
  work: (quorum: QuorumPort, approved: VaultEvent) => Promise<T>,
): Promise<{ result: T; approved: VaultEvent }> {
  const { ports, vault, ceremony, step } = context
  const willing = await ports.desk.approve(step.title, custodiansOf(vault), vault.roster.threshold)
  const named = actOn(context, objects)
  const approvals = await vault.approve(named, willing)
  const approved: VaultEvent = { type: 'approved', ceremony, step: step.id, objects: named.objects, approvals }
  return { result: await vault.withQuorum(named, approvals, (quorum) => work(quorum, approved)), approved }
}
