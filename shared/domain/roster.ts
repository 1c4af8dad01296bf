import { must } from '../errors.ts'

/** People, roles and thresholds: one person has one role. */

export const ROLES = ['custodian', 'compliance', 'administrator'] as const
export type Role = (typeof ROLES)[number]
export type PersonName = { id: string; name: string; role: Role }
/** Where a custodian's share lies: in people.json, or in a file on their own medium. */
export const SHARE_PLACES = ['vault', 'medium'] as const
export type SharePlace = (typeof SHARE_PLACES)[number]
/** A person as a plan names them. */
export type PlannedPerson = PersonName & { share?: SharePlace | undefined }

/** The custodians of a list and where each one's share is to lie. Code `people-invalid` for a share of anybody else. */
export function holdersOf(people: readonly PlannedPerson[]): Record<string, SharePlace> {
  for (const { id, role, share } of people)
    must(role === 'custodian' || share === undefined, 'people-invalid', `${id} is no custodian and gets no share.`)
  const custodians = people.filter(({ role }) => role === 'custodian')
  return Object.fromEntries(custodians.map(({ id, share }) => [id, share ?? 'vault']))
}

/**
 * Checks the people of a vault before any key is made. Codes: `people-invalid` for duplicate ids or names (one person,
 * two roles), a threshold outside 2 <= M <= N <= 16, or no compliance officer or administrator.
 */
export function checkPeople(people: readonly PersonName[], threshold: number): void {
  const rule = (holds: boolean, message: string) => must(holds, 'people-invalid', message)
  const count = (role: Role) => people.filter((person) => person.role === role).length
  rule(new Set(people.map((person) => person.id)).size === people.length, 'Two people have the same id.')
  const names = people.map((person) => person.name.normalize('NFKC').toLowerCase().trim())
  rule(new Set(names).size === names.length, 'One person stands on the list twice. One person has one role.')
  const custodians = count('custodian')
  rule(threshold >= 2, 'At least two custodians must act together.')
  rule(threshold <= custodians, `${threshold} custodians must act together, but the plan names only ${custodians}.`)
  rule(custodians <= 16, 'At most 16 custodians can hold a share.')
  rule(count('compliance') >= 1, 'At least one compliance officer must witness.')
  rule(count('administrator') >= 1, 'At least one administrator must run the machine.')
}
