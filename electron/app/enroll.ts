import type { VaultEvent } from '../../shared/domain/events.ts'
import { SCRIPTS, type Step } from '../../shared/domain/script.ts'
import { must } from '../../shared/errors.ts'
import type { DeskPort, Ports, VaultPort } from '../ceremony/ports.ts'
import type { Quorum } from '../vault/quorum.ts'
import { connect, type Room } from './wiring.ts'

/** A genesis by people: everybody chooses a passphrase in the step that creates the vault. */

export type Enrolling = { folder: string; choose: () => Promise<Map<string, string>> }

/** The ports of such a genesis, for a room with its desk, and the vault once it is made. */
export function enrolling(
  room: Room & { desk: DeskPort },
  { folder, choose }: Enrolling,
): { ports: Ports<Quorum>; made: () => VaultPort<Quorum> | null } {
  const ports = connect(room)
  let vault: VaultPort<Quorum> | null = null
  const createVault: Ports<Quorum>['createVault'] = async (from, events, _, at) => {
    const [step] = SCRIPTS.genesis
    must(step, 'internal', 'The script of a genesis has no first step.')
    await ports.desk.begin(step, { number: 1, of: SCRIPTS.genesis.length + 1 })
    const passphrases = await choose()
    const { by, deviated } = await initialled(ports.desk, step, events)
    vault = await connect({ ...room, newVault: { folder, passphrases } }).createVault(
      from,
      [...events, ...deviated],
      by,
      at,
    )
    return vault
  }
  return { ports: { ...ports, createVault }, made: () => vault }
}

/** Initials for the step that creates the vault, given before its events are written: they stand in them. */
async function initialled(
  desk: DeskPort,
  step: Step,
  events: readonly VaultEvent[],
): Promise<{ by: string; deviated: VaultEvent[] }> {
  const done = events.find((event) => event.type === 'step-done')
  must(done, 'internal', 'The events of a genesis name no step.')
  const { initials, deviations } = await desk.observed(step, done.observed)
  must(initials, 'internal', 'Nobody put their initials to the step.')
  const { ceremony } = done
  return { by: initials, deviated: deviations.map((deviation) => ({ type: 'deviation', ceremony, ...deviation })) }
}
