import { text } from '../../../text/index.ts'

const SHORTEST = 3

/** What is wrong with a reason that goes into the record; undefined where nothing is. */
export const reasonProblem = (typed: string): string | undefined =>
  typed.trim().length < SHORTEST ? text.sitting.reasonShort : undefined
