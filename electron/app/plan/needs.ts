import type { Review } from '../../../shared/contract/plan.ts'
import { type Act, isAlone, SCRIPTS } from '../../../shared/domain/script.ts'
import type { Plan } from '../../../shared/formats/plan.ts'
import type { Vault } from '../../vault/vault.ts'

/** Who and what must be there for a plan to be held. */

const ON_MEDIUM: ReadonlySet<Act> = new Set([
  'publish-anchor',
  'compare-enrollment',
  'export-files',
  'check-receipts',
  'seal-envelopes',
  'sign-revocations',
  'write-backup',
  'read-losses',
  'publish-succession',
  'read-keys',
  'export-keys',
])

/** True where the plan names files that are read before the ceremony begins. */
export const readsMedium = (plan: Plan): boolean =>
  ['enroll-runtime', 'intake', 'restore', 'import-key', 'export-key'].includes(plan.kind)

/** The people of the plan itself where it makes a vault, of the open vault otherwise. */
export function needsOf(plan: Plan, vault: Pick<Vault, 'roster' | 'state'> | null): Review['needs'] {
  const threshold = plan.kind === 'genesis' ? plan.threshold : (vault?.roster.threshold ?? 0)
  const listed = plan.kind === 'genesis' ? plan.people : (vault?.roster.people ?? [])
  const people = listed.map(({ id, name, role }) => ({ id, name, role }))
  const alone = plan.kind === 'passphrase' && isAlone(plan.kind) ? plan.person : null
  return {
    threshold,
    of: people.filter(({ role }) => role === 'custodian').length,
    people: alone === null ? people : people.filter(({ id }) => id === alone),
    alone,
    medium: usesMedium(plan, vault),
  }
}

function usesMedium(plan: Plan, vault: Pick<Vault, 'state'> | null): boolean {
  const onOwn =
    plan.kind === 'genesis' || plan.kind === 'custody'
      ? plan.people.some(({ share }) => share === 'medium')
      : Object.values(vault?.state.holders ?? {}).includes('medium')
  const tried = plan.kind === 'destroy' && plan.negativeRestore.length > 0
  return onOwn || tried || SCRIPTS[plan.kind].some(({ act }) => ON_MEDIUM.has(act))
}
