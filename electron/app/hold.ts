import { openCeremony } from '../../shared/domain/state.ts'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { abortCeremony } from '../ceremony/abort.ts'
import type { Ports, VaultPort } from '../ceremony/ports.ts'
import { recordNoted } from '../ceremony/steps.ts'
import type { Quorum } from '../vault/quorum.ts'

/** How a ceremony is held by people: to its end, to a pause, or to its closing. The same at a terminal and at a window. */

/** Why nobody answered: somebody stopped, or nobody was at the keyboard for too long. */
export type Unanswered = 'escape' | 'stop' | 'idle'

/** Somebody wants the ceremony closed: thrown like a pause, and whoever holds it then closes it with these words. */
export class CloseWanted extends KeyriteError {
  readonly reason: string

  constructor(reason: string) {
    super('ceremony-paused', `Closing the ceremony: ${reason}`)
    this.reason = reason
  }
}

export function paused(why: Unanswered): KeyriteError {
  const because =
    why === 'idle' ? 'Nobody typed anything for ten minutes, so everything unlocked for it was forgotten.' : 'Paused.'
  return new KeyriteError('ceremony-paused', because, {
    lost: 'The steps that were finished are recorded, and every deviation noted; of the step under way nothing else is kept.',
  })
}

/**
 * A genesis has no vault until it made one. `fresh`: a ceremony that is to begin, so that no other may be open. `accepted`:
 * whether a quorum has accepted by now what no checkpoint covers; closing needs that too.
 */
export type Holding = {
  vault: () => VaultPort<Quorum> | null
  ports: Ports<Quorum>
  fresh: boolean
  accepted?: () => boolean
}
export type Closed = { ceremony: string; erased: number }

/**
 * Does the work of a ceremony. What people noted in a step that broke off is recorded; where they want it closed, it is
 * closed. The vault is shut in every case. Codes: those of `work`; `ceremony-open` where another one is;
 * `ceremony-paused` says so where it had not begun.
 */
export async function hold<T>(
  { vault, ports, fresh, accepted = () => false }: Holding,
  work: () => Promise<T>,
): Promise<{ done: T } | { closed: Closed }> {
  const timed = steady(ports, () => vault()?.state.lastAt ?? 0)
  try {
    mustBeFree(vault(), fresh)
    return { done: await work() }
  } catch (error) {
    if (isKeyriteError(error, 'ceremony-open')) throw error
    const opened = vault()
    const open = opened ? openCeremony(opened.state) : null
    if (opened && open) recordNoted(timed, opened, open.id)
    if (!isKeyriteError(error, 'ceremony-paused')) throw error
    if (!opened || !open) throw beforeItBegan(error)
    if (!(error instanceof CloseWanted)) throw error
    return { closed: await abortCeremony(timed, opened, { reason: error.reason, acceptTail: accepted(), timed: true }) }
  } finally {
    vault()?.close()
  }
}

function mustBeFree(vault: VaultPort<Quorum> | null, fresh: boolean): void {
  const open = fresh && vault ? openCeremony(vault.state) : null
  must(!open, 'ceremony-open', `Ceremony ${open?.id} is not closed yet.`)
}

/** Ports whose clock goes on from here as the watches corrected it, whatever becomes of the machine's: what broke off may be a clock. */
function steady(ports: Ports<Quorum>, newest: () => number): Ports<Quorum> {
  const behind = ports.now() - ports.elapsed()
  // Both clocks are cut to whole seconds, at other moments: together they may be a second short.
  return { ...ports, now: () => Math.max(newest(), behind + ports.elapsed() + (ports.desk.offset ?? 0)) }
}

const beforeItBegan = (error: KeyriteError): KeyriteError =>
  new KeyriteError('ceremony-paused', `${error.message} The ceremony had not begun.`, {
    hint: 'Run the same command again.',
    lost: 'Nothing was changed.',
  })
