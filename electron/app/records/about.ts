import type { VaultState } from '../../../shared/domain/state.ts'
import { type Plan, type PlanOf, parsePlan } from '../../../shared/formats/plan.ts'
import { capital, listed, numberWord } from '../../../shared/pages/words.ts'

/** What a ceremony was about, in one line, from its plan and with the names that the vault has. */

type About = { [K in Plan['kind']]: (plan: PlanOf<K>, state: VaultState) => string }

const MOST = 3

/** At most three: "Acme, Contoso and two more tenants". */
const few = (names: readonly string[], what: string): string =>
  names.length <= MOST
    ? listed(names)
    : listed([...names.slice(0, MOST - 1), `${numberWord(names.length - MOST + 1)} more ${what}s`])

const tenantName = (state: VaultState, id: string): string => state.tenants.get(id)?.name ?? id
const tenants = (chosen: 'all' | readonly string[], state: VaultState): string =>
  chosen === 'all'
    ? 'all tenants'
    : few(
        chosen.map((id) => tenantName(state, id)),
        'tenant',
      )
const keys = (kids: readonly string[], state: VaultState): string =>
  few(
    kids.map((kid) => state.keys.get(kid)?.label ?? kid.slice(0, 8)),
    'key',
  )

const ABOUT: About = {
  genesis: ({ people, threshold }) =>
    `${capital(numberWord(threshold))} of ${numberWord(people.filter(({ role }) => role === 'custodian').length)} custodians`,
  onboard: ({ tenants: all }) =>
    few(
      all.map(({ tenant, name }) => name ?? tenant),
      'tenant',
    ),
  'enroll-runtime': ({ enrollment }) => `By its file ${enrollment}`,
  handoff: ({ runtime, tenants: chosen }, state) => `To ${runtime}: ${tenants(chosen, state)}`,
  envelope: ({ runtime, tenants: chosen }, state) => `For ${runtime}: ${tenants(chosen, state)}`,
  rotate: ({ tenants: chosen }, state) => capital(tenants(chosen, state)),
  emergency: ({ scope, reason }, state) => `${inScope(scope, state)}: ${reason}`,
  custody: ({ reason }) => reason,
  passphrase: ({ person }) => person,
  'root-rotate': ({ reason }) => reason,
  intake: ({ runtime }) => `From ${runtime}`,
  destroy: ({ keys: kids, tenant, reason }, state) =>
    `${kids ? keys(kids, state) : tenant ? `Every key of ${tenantName(state, tenant)}` : 'Every retired key'}: ${reason}`,
  backup: ({ holder, place }) => `For ${holder}, ${place}`,
  restore: ({ backup, reason }) => `Backup ${backup}: ${reason}`,
  inventory: () => 'Rows, ledger and receipts compared',
  'import-key': ({ tenant: { tenant, name } }) => `For ${name ?? tenant}`,
  'export-key': ({ keys: kids, holder }, state) => `${keys(kids, state)}, for ${holder}`,
  amend: ({ reason }) => reason,
}

function inScope(scope: PlanOf<'emergency'>['scope'], state: VaultState): string {
  if ('key' in scope) return keys([scope.key], state)
  return 'tenant' in scope ? tenantName(state, scope.tenant) : `Everything that ${scope.runtime} has`
}

/** The line for a plan as it was read; empty for one of an earlier version that no longer reads. */
export function aboutOf(text: string, state: VaultState): string {
  try {
    const { plan } = parsePlan(text)
    const about = ABOUT[plan.kind] as (plan: Plan, state: VaultState) => string
    return about(plan, state)
  } catch {
    return ''
  }
}
