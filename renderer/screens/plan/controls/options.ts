import type { Choices } from '../../../../shared/contract/plan.ts'
import type { Option } from '../../../components/Choice.tsx'
import { text } from '../../../text/index.ts'

/** What forms offer from the vault, in words. */

export const tenantOptions = ({ tenants }: Choices, withOffboarded = false): Option[] =>
  tenants
    .filter(({ offboarded }) => withOffboarded || !offboarded)
    .map(({ tenant, name }) => ({ value: tenant, label: name, note: tenant }))

export const runtimeOptions = ({ runtimes }: Choices): Option[] =>
  runtimes.map(({ runtimeId }) => ({ value: runtimeId, label: runtimeId }))

export const personOptions = ({ people }: Choices): Option[] =>
  people.map(({ id, name, role }) => ({ value: id, label: name, note: text.plan.form.roles[role] }))

export const holdOptions = ({ holds }: Choices): Option[] => holds.map((hold) => ({ value: hold, label: hold }))

export const backupOptions = ({ backups }: Choices): Option[] =>
  backups.map(({ number, holder, place }) => ({
    value: String(number),
    label: text.plan.form.backupName(number),
    note: text.plan.form.backupNote(holder, place),
  }))

/** Keys by label. `doomed`: one that cannot be destroyed now says why and cannot be chosen. */
export function keyOptions({ keys }: Choices, doomed = false): Option[] {
  const { blocked, destroyed, keyNote } = text.plan.form
  // What can be chosen stands first.
  const rank = (key: Choices['keys'][number]) => (key.blocked !== null ? 2 : key.destroyed ? 1 : 0)
  const offered = doomed ? keys.toSorted((one, other) => rank(one) - rank(other)) : keys.filter((key) => !key.destroyed)
  return offered.map((key) => {
    const why = doomed && key.blocked !== null ? blocked(key.blocked) : key.destroyed ? destroyed : ''
    return {
      value: key.kid,
      label: key.label,
      note: [keyNote(key.tenant, key.spec, key.state), why].filter(Boolean).join('. '),
      disabled: doomed && key.blocked !== null,
    }
  })
}

/** Known copies that are still open: of the keys chosen in the same plan, or of all. */
export function copyOptions({ keys }: Choices): Option[] {
  const copies = new Map(keys.flatMap(({ openCopies }) => openCopies.map((copy) => [copy.id, copy.what] as const)))
  return [...copies].map(([id, what]) => ({ value: id, label: what, note: id }))
}
