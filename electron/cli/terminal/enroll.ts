import { randomInt } from 'node:crypto'
import { must } from '../../../shared/errors.ts'
import type { PlanOf } from '../../../shared/formats/plan.ts'
import { enrolling as enrollingAt } from '../../app/enroll.ts'
import type { Room } from '../../app/wiring.ts'
import type { Ports, VaultPort } from '../../ceremony/ports.ts'
import type { Quorum } from '../../vault/quorum.ts'
import { enrollAtTerminal } from './people.ts'
import type { Prompter } from './prompter.ts'
import { seat } from './room.ts'

/** The ports of a genesis at a terminal. */
export function enrolling(
  room: Room,
  ask: Prompter,
  { folder, plan }: { folder: string; plan: PlanOf<'genesis'> },
): { ports: Ports<Quorum>; made: () => VaultPort<Quorum> | null } {
  const { desk, ...seated } = seat(room, ask, {
    people: () => plan.people,
    present: () => plan.people.map(({ id }) => id),
  })
  must(desk, 'internal', 'Nobody sits at the table.')
  const choose = () => enrollAtTerminal(ask, plan.people, (below) => randomInt(below))
  return enrollingAt({ ...seated, desk }, { folder, choose })
}
