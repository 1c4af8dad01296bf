import { FAULTS, type Failures, type Fault, UNSURE } from './failures.ts'
import type { Operation } from './points.ts'

/** Which points "npm test" tries; "npm run faults" tries every point with every error. The choice is always the same. */

/** Of the points of one ceremony every so many, besides the first and the last. */
export const EVERY = 8

export type Try = { n: number; fault: Fault }

/** Spreads the faults over one kind after another; what an operation met in an earlier kind it need not meet again. */
export class Spread {
  /** Name of an operation -> names of the errors it met. */
  readonly met = new Map<string, Set<string>>()

  /**
   * The first, the last and every 8th point with one error after the other, the same of what fails once it was done, and
   * every operation that no earlier kind had with every error.
   */
  of({ operations, distinct, commits }: Failures): Try[] {
    const turns = spread(distinct).flatMap((n) => this.#try(operations, n, FAULTS[n % FAULTS.length]))
    const unsure = spread(commits).flatMap((n) => this.#try(operations, n, UNSURE))
    const fresh = operations.flatMap((_, index) =>
      FAULTS.flatMap((fault) => this.#try(operations, index + 1, fault, true)),
    )
    return [...turns, ...unsure, ...fresh]
  }

  #try(operations: readonly Operation[], n: number, fault: Fault | undefined, onlyNew = false): Try[] {
    const name = operations[n - 1]?.name ?? ''
    const errors = this.met.get(name) ?? new Set()
    if (!fault || (onlyNew && errors.has(fault.name))) return []
    this.met.set(name, errors.add(fault.name))
    return [{ n, fault }]
  }
}

const spread = (points: readonly number[]): number[] =>
  points.filter((_, index) => index % EVERY === 0 || index === points.length - 1)
