import type { Person } from '../../../shared/contract/common.ts'
import type { Sitting } from '../../../shared/contract/sitting.ts'
import type { Option } from '../../components/Choice.tsx'
import { text } from '../../text/index.ts'

/** The name of the person with this id; the id where nobody has it. */
export const nameOf = (people: readonly Person[], id: string): string =>
  people.find((person) => person.id === id)?.name ?? id

/** People to choose from, with their roles. */
export const optionsOf = (people: readonly Person[]): Option[] =>
  people.map(({ id, name, role }) => ({ value: id, label: text.sitting.named(name, text.sitting.role[role]) }))

/** How many hold a share. */
export const holdersOf = ({ people }: Sitting): number => people.filter(({ role }) => role === 'custodian').length
