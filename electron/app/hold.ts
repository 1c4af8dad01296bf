import { openCeremony } from '../../shared/domain/state.ts'
import { KeyriteError } from '../../shared/errors.ts'
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
  /** What the watches said of this machine's clock: the closing is timed by them too. */
  readonly offset: number

  constructor(reason: string, offset: number) {
    super('ceremony-paused', `Closing the ceremony: ${reason}`)
    this.reason = reason
    this.offset = offset
  }
}

export function paused(why: Unanswered): KeyriteError {
  const because =
    why === 'idle' ? 'Nobody typed anything for ten minutes, so everything unlocked was forgotten.' : 'Paused.'
  return new KeyriteError('ceremony-paused', because, {
    lost: 'The steps that were finished are recorded, and every deviation noted; of the step under way nothing else is kept.',
  })
}

/** A genesis has no vault until it made one. */
export type Holding = { vault: () => VaultPort<Quorum> | null; ports: Ports<Quorum> }
export type Closed = { ceremony: string; erased: number }

/**
 * Does the work of a ceremony. What people noted in a step that broke off is recorded; where they want it closed, it is
 * closed. The vault is shut in every case. Codes: those of `work`; `ceremony-paused` says so where it had not begun.
 */
export async function hold<T>(
  { vault, ports }: Holding,
  work: () => Promise<T>,
): Promise<{ done: T } | { closed: Closed }> {
  try {
    return { done: await work() }
  } catch (error) {
    const opened = vault()
    const open = opened && openCeremony(opened.state)
    if (open) recordNoted(ports, opened, open.id)
    if (!(error instanceof KeyriteError) || error.code !== 'ceremony-paused') throw error
    if (!open) throw beforeItBegan(error)
    if (!(error instanceof CloseWanted)) throw error
    const { offset, reason } = error
    const corrected = { ...ports, now: () => ports.now() + offset }
    return { closed: await abortCeremony(corrected, opened, { reason, acceptTail: false, timed: true }) }
  } finally {
    vault()?.close()
  }
}

const beforeItBegan = (error: KeyriteError): KeyriteError =>
  new KeyriteError('ceremony-paused', `${error.message} The ceremony had not begun.`, {
    hint: 'Run the same command again.',
    lost: 'Nothing was changed.',
  })
