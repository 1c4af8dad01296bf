import type { Overview } from '../../../shared/contract/home.ts'
import type { Choices } from '../../../shared/contract/plan.ts'
import type { CeremonyKind } from '../../state.tsx'
import type { Values } from './field-types.ts'
import { FORMS } from './forms.ts'
import { begun } from './values.ts'

/** What a form begins with: what is known already, and otherwise what most people want. */

export type Known = { overview: Pick<Overview, 'people' | 'threshold'> | null; practice: boolean; choices: Choices }

export const startingValues = (kind: CeremonyKind, given: Values, known: Known): Values =>
  begun(FORMS[kind], { ...suggested(kind, known), ...given })

function suggested(kind: CeremonyKind, { overview, practice, choices }: Known): Values {
  if (kind === 'genesis') return { practice, threshold: 3, people: FIRST_PEOPLE }
  if (kind === 'custody' && overview) return { threshold: overview.threshold, people: peopleOf(overview) }
  const [runtime, ...others] = choices.runtimes
  return runtime && others.length === 0 ? { runtime: runtime.runtimeId } : {}
}

/** Three of five custodians, a witness, and somebody who runs the machine. Only names are left to type. */
const FIRST_PEOPLE: readonly Values[] = [
  ...[1, 2, 3, 4, 5].map((number) => ({ id: `custodian-${number}`, name: '', role: 'custodian' })),
  { id: 'compliance-1', name: '', role: 'compliance' },
  { id: 'administrator-1', name: '', role: 'administrator' },
]

/** Where a share lies stays as it is: leaving it out would move it into the vault. */
const peopleOf = ({ people }: Pick<Overview, 'people'>): Values[] =>
  people.map(({ id, name, role, share }) => ({ id, name, role, ...(share === 'medium' && { share }) }))
