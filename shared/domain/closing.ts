import { SCRIPTS, type Step } from './script.ts'
import type { Ceremony } from './state.ts'

/**
 * The step behind which an open ceremony cannot be closed any more, only finished; null while it can. An emergency can
 * always be closed: what it named compromised stays so.
 */
export const cannotCloseAfter = ({ kind, done }: Pick<Ceremony, 'kind' | 'done'>): Step | null =>
  kind === 'emergency'
    ? null
    : (SCRIPTS[kind].find((step) => step.noWayBack && done.some((one) => one.step === step.id)) ?? null)
