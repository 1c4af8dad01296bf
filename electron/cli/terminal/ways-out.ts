import { KeyriteError } from '../../../shared/errors.ts'
import type { Unanswered } from './prompter.ts'

/** How people leave a question other than by answering it. */

/** Somebody wants the ceremony closed: thrown like a pause, and the command then closes it with these words. */
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

export type WayOut = 'deviation' | 'pause' | 'close'
export const WAYS_OUT = [
  { value: 'deviation', label: 'Note a deviation' },
  { value: 'pause', label: 'Pause: stop here, go on another time' },
  { value: 'close', label: 'Close the ceremony with a reason' },
] as const

/** Within the menu Escape means the same as Ctrl-C: nobody is asked whether they meant it. */
export async function orStop<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof KeyriteError && error.code === 'interrupted' ? paused('stop') : error
  }
}

export function paused(why: Unanswered): KeyriteError {
  const because =
    why === 'idle' ? 'Nobody typed anything for ten minutes, so everything unlocked was forgotten.' : 'Paused.'
  return new KeyriteError('ceremony-paused', because, {
    lost: 'The steps that were finished are recorded, and every deviation noted; of the step under way nothing else is kept.',
  })
}
