import { randomInt } from 'node:crypto'
import { SCRIPTS } from '../../../shared/domain/script.ts'
import type { PlanOf } from '../../../shared/formats/plan.ts'
import type { Ports, VaultPort } from '../../ceremony/ports.ts'
import type { Quorum } from '../../vault/quorum.ts'
import { connect, type Room } from '../wiring.ts'
import { enrollAtTerminal } from './people.ts'
import type { Prompter } from './prompter.ts'
import { seat } from './room.ts'

/** The ports of a genesis at a terminal: everybody chooses a passphrase in the step that creates the vault. */
export function enrolling(
  room: Room,
  ask: Prompter,
  { folder, plan }: { folder: string; plan: PlanOf<'genesis'> },
): { ports: Ports<Quorum>; made: () => VaultPort<Quorum> | null } {
  const seated = seat(room, ask, { people: () => plan.people, present: () => plan.people.map(({ id }) => id) })
  const ports = connect(seated)
  let vault: VaultPort<Quorum> | null = null
  const createVault: Ports<Quorum>['createVault'] = async (...wanted) => {
    const [step] = SCRIPTS.genesis
    if (step) await ports.desk.begin(step, { number: 1, of: SCRIPTS.genesis.length + 1 })
    const passphrases = await enrollAtTerminal(ask, plan.people, (below) => randomInt(below))
    vault = await connect({ ...seated, newVault: { folder, passphrases } }).createVault(...wanted)
    return vault
  }
  return { ports: { ...ports, createVault }, made: () => vault }
}
