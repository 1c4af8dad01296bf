import { must } from '../errors.ts'
import { checkPeople, holdersOf, type PersonName, type PlannedPerson, type SharePlace } from './roster.ts'
import type { VaultState } from './state.ts'

/** Decisions of a change of people, taken before it starts and again in its step. */

export type CustodyDecision = {
  joining: PlannedPerson[]
  leaving: PersonName[]
  staying: PlannedPerson[]
  custodians: Record<string, SharePlace>
}

/**
 * Who joins, leaves and stays, from the complete new list. Codes `people-invalid` for a list that no vault may have, and
 * for an id that belonged to somebody who left.
 */
export function decideCustody(
  { former }: Pick<VaultState, 'former'>,
  roster: { people: readonly PersonName[] },
  plan: { people: readonly PlannedPerson[]; threshold: number },
): CustodyDecision {
  checkPeople(plan.people, plan.threshold)
  const known = (id: string) => roster.people.some((person) => person.id === id)
  const listed = (id: string) => plan.people.some((person) => person.id === id)
  const [staying, joining] = [plan.people.filter(({ id }) => known(id)), plan.people.filter(({ id }) => !known(id))]
  const again = joining.find(({ id }) => former.includes(id))
  must(
    !again,
    'people-invalid',
    `The id ${again?.id} belonged to somebody who left. An id is never given to another person, so that old records stay true.`,
  )
  return {
    joining,
    leaving: roster.people.filter(({ id }) => !listed(id)),
    staying,
    custodians: holdersOf(plan.people),
  }
}
