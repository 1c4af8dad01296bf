import type { Check } from '../../../shared/contract/machine.ts'

/** What looking at the machine found. `fix` only where the words that stand for the check do not fit. */
export type Finding = { state: Check['state']; found: string; fix?: string }

export const pass = (found: string): Finding => ({ state: 'pass', found })
export const fail = (found: string, fix?: string): Finding => ({ state: 'fail', found, ...(fix && { fix }) })
/** Whatever a machine does not tell is never taken for good. */
export const unknown = (found: string, fix?: string): Finding => ({ state: 'unknown', found, ...(fix && { fix }) })

/** Names in one line, the first few of many. */
export function named(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
