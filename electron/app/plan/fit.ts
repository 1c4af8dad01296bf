import { lintScript, SCRIPTS } from '../../../shared/domain/script.ts'
import type { Plan, ReadPlan } from '../../../shared/formats/plan.ts'
import type { Context } from '../../ceremony/context.ts'
import type { Ports, VaultPort } from '../../ceremony/ports.ts'
import type { Quorum } from '../../vault/quorum.ts'

/** Whether a plan that can be read can also be carried out: the order of its script, and the vault it is meant for. */

/** Steps of a kind's script that need what no earlier step gives, in words; an empty list means that it is in order. */
export const looseSteps = (kind: Plan['kind']): string[] =>
  lintScript(SCRIPTS[kind]).map((said) => `A step of this script needs what no earlier step gives: ${said}.`)

/** The context in which a plan is checked without being held. Words of a confirmation are typed in the ceremony, not before. */
export function checkingContext(ports: Ports<Quorum>, vault: VaultPort<Quorum>, read: ReadPlan): Context {
  const [actor = ''] = vault.present.keys()
  return {
    ports: { ...ports, desk: { ...ports.desk, automated: false } },
    vault,
    plan: read.plan,
    planDigest: read.digest,
    ceremony: '',
    step: { id: 'check-plan', who: 'administrator', title: 'Read the plan' },
    actor,
    confirm: [],
  }
}
