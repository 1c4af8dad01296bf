import { KeyriteError } from '../../../shared/errors.ts'
import { paused } from '../../app/hold.ts'

/** How people leave a question other than by answering it. */

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
