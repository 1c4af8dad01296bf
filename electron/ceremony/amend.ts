import { type Decided, decideAmend } from '../../shared/domain/amend.ts'
import { amendedObjects } from '../../shared/domain/objects.ts'
import { count } from '../../shared/domain/plural.ts'
import type { PlanOf } from '../../shared/formats/plan.ts'
import { act, type Context, type Outcome } from './context.ts'

/** Changes to tenants and legal holds. */

const decide = ({ plan, vault }: Context, now: number): Decided[] => {
  const { changes, reason } = plan as PlanOf<'amend'>
  return decideAmend(vault.state, changes, reason, now)
}

export const checkAmend = (context: Context, now: number): string => describe(decide(context, now))

export async function makeChanges(context: Context): Promise<Outcome> {
  const decided = decide(context, context.ports.now())
  const events = decided.map(({ event }) => event)
  const { approved } = await act(context, amendedObjects(events), async () => undefined)
  return { observed: describe(decided), events: [approved, ...events] }
}

/** As many changes as a line of the record has room for; the plan in the record names all. */
const SAID = 5

function describe(decided: readonly Decided[]): string {
  const rest = decided.length - SAID
  const said = decided.slice(0, SAID).map((one) => one.said)
  return [...said, ...(rest > 0 ? [`And ${count(rest, 'more change')}.`] : [])].join(' ')
}
