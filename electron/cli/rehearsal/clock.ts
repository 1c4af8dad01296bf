import type { Clock } from '../../issuer/service.ts'

/** One clock for vault and runtime, which only the rehearsal moves: a life of months in seconds. */
export class VirtualClock implements Clock {
  readonly start: number
  #now: number

  constructor(start: number) {
    this.start = start
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.start
  }

  advance(seconds: number): void {
    this.#now += seconds
  }

  /** Moves to an instant; never back. */
  goTo(instant: number): void {
    this.#now = Math.max(this.#now, instant)
  }
}
