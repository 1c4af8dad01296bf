import type { PersonName } from '../../../shared/domain/roster.ts'
import type { Roster } from '../../../shared/formats/roster.ts'
import type { Written } from './stand-in.ts'
import type { Cast } from './world.ts'

/** Who plays in a rehearsal: the people of the vault, of the plan, or made-up ones. */

const EVERYBODY: readonly PersonName[] = [
  { id: 'ada', name: 'Ada Okafor', role: 'custodian' },
  { id: 'bruno', name: 'Bruno Keller', role: 'custodian' },
  { id: 'chiara', name: 'Chiara Rossi', role: 'custodian' },
  { id: 'farah', name: 'Farah Haddad', role: 'compliance' },
  { id: 'goran', name: 'Goran Petrov', role: 'administrator' },
]

/** A change of people needs somebody who leaves. */
const LEAVING: PersonName = { id: 'leaving-custodian', name: 'A custodian who leaves', role: 'custodian' }

export function castOf(plan: Written, roster: Roster | null): Cast {
  if (roster) return { people: roster.people, threshold: roster.threshold }
  const planned = Array.isArray(plan['people']) ? (plan['people'] as PersonName[]) : []
  if (plan.kind === 'genesis') return { people: planned, threshold: Number(plan['threshold']) }
  if (planned.length > 0) return before(planned, Number(plan['threshold']))
  const named = namedIn(plan).filter((id) => !EVERYBODY.some((one) => one.id === id))
  return {
    people: [...EVERYBODY, ...named.map((id): PersonName => ({ id, name: `${id} of the plan`, role: 'compliance' }))],
    threshold: 2,
  }
}

/** The people before the change: the last custodian of the plan is not there yet, and somebody else is. */
function before(planned: readonly PersonName[], threshold: number): Cast {
  const last = planned.findLast(({ role }) => role === 'custodian')
  const people = [...planned.filter((one) => one !== last), LEAVING]
  const custodians = people.filter(({ role }) => role === 'custodian').length
  return { people, threshold: Math.max(2, Math.min(threshold, custodians)) }
}

/** People whom the plan needs to be there. */
function namedIn(plan: Written): string[] {
  const attesting = Array.isArray(plan['attestations']) ? (plan['attestations'] as { by?: unknown }[]) : []
  return [...new Set([plan['person'], ...attesting.map(({ by }) => by)])].filter((id) => typeof id === 'string')
}
