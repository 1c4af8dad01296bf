import { HOUR, MINUTE } from '../../shared/domain/policy.ts'
import type { Clock } from './service.ts'
import type { ClockHold, ClockState } from './store/store.ts'

/**
 * Trusted time (lifecycle.md, "Runtime clock"): a high-water that never goes back. A forward jump of the wall clock
 * against the monotonic one of more than six hours holds it until an operator confirms. Only a serving process, a signed
 * file and an operator's word move the time; the clock of a short command alone does not.
 */

export const JUMP = 6 * HOUR
/** How long tokens are still signed by a time that stands still. */
const STANDS = 5 * MINUTE

export class TrustedClock {
  readonly #clock: Clock
  readonly #onJump: (hold: ClockHold) => void
  #floor: number
  #hold: ClockHold | null
  /** When, by the monotonic clock, this process learned of the hold. */
  #heldSince: number | null = null
  /** True while this process has only its wall clock to show for a long downtime: then it does not follow it. */
  #unproved: boolean
  #serves = false
  /** Trusted and monotonic time when both were last known to agree. */
  #base: { trusted: number; monotonic: number }
  /** The newest confirmation by an operator that this process knows. */
  #confirmed: number

  constructor(clock: Clock, state: ClockState, onJump: (hold: ClockHold) => void) {
    this.#clock = clock
    this.#onJump = onJump
    this.#floor = state.floor
    const downtime = downtimeHold(state, clock.now())
    this.#hold = state.hold ?? downtime
    this.#unproved = downtime !== null
    this.#base = this.#baseNow()
    this.#confirmed = state.confirmedAt ?? 0
  }

  /** What is held and why, or null. */
  get hold(): ClockHold | null {
    return this.#hold
  }

  /**
   * True in a command whose clock is more than six hours ahead of what the runtime last served, and that nobody confirmed:
   * either nobody served for so long, or this clock is wrong.
   */
  get unproved(): boolean {
    return this.#unproved
  }

  /** What the clock of the machine says, trusted or not. */
  get wall(): number {
    return this.#clock.now()
  }

  /** A serving process sets the time: after a downtime it follows its clock. */
  serve(): void {
    this.#unproved = false
    this.#serves = true
  }

  /** False in a short command: what cannot be undone waits for a process that serves. */
  get serves(): boolean {
    return this.#serves
  }

  /**
   * True once time has stood still for so long that tokens would be of no use: none is signed until somebody confirms
   * the clock.
   */
  get stands(): boolean {
    if (this.#hold?.kind !== 'jump') {
      this.#heldSince = null
      return false
    }
    const monotonic = this.#clock.monotonic()
    this.#heldSince ??= monotonic
    return monotonic - this.#heldSince >= STANDS
  }

  /** Trusted time in seconds. */
  now(): number {
    if (this.#unproved || this.#hold?.kind === 'jump') return this.#floor
    const wall = this.#clock.now()
    const expected = this.#base.trusted + (this.#clock.monotonic() - this.#base.monotonic)
    if (wall - expected > JUMP) {
      this.#hold = { kind: 'jump', from: this.#floor, to: wall }
      this.#onJump(this.#hold)
      return this.#floor
    }
    if (wall > this.#floor) this.#floor = wall
    return this.#floor
  }

  /** Takes over what another process stored: a higher floor, a confirmation or a hold. */
  reload(state: ClockState): void {
    const released = this.#hold !== null && state.hold === null && (state.confirmedAt ?? 0) > this.#hold.from
    if (state.floor > this.#floor) this.#floor = state.floor
    if (state.hold) this.#hold = state.hold
    else if (released) this.release()
    else if ((state.confirmedAt ?? 0) > this.#confirmed) this.#agree(state.confirmedAt ?? 0)
    this.#confirmed = Math.max(this.#confirmed, state.confirmedAt ?? 0)
  }

  /** A jump that was confirmed before this process looked at its clock is none any more. */
  #agree(at: number): void {
    const monotonic = this.#clock.monotonic()
    const expected = this.#base.trusted + (monotonic - this.#base.monotonic)
    this.#base = { trusted: Math.max(expected, at), monotonic }
  }

  /** Ends a hold: from here on the wall clock counts as confirmed. Gives the time. */
  release(): number {
    this.#hold = null
    this.#unproved = false
    this.#floor = Math.max(this.#floor, this.#clock.now())
    this.#base = this.#baseNow()
    return this.#floor
  }

  #baseNow(): { trusted: number; monotonic: number } {
    return { trusted: Math.max(this.#floor, this.#clock.now()), monotonic: this.#clock.monotonic() }
  }
}

/** After a downtime of more than six hours phases follow the clock, but nothing is erased until it is confirmed. */
function downtimeHold(state: ClockState, wall: number): ClockHold | null {
  if (state.servedUntil === null) return null
  const seen = Math.max(state.servedUntil, state.confirmedAt ?? 0)
  return wall - seen > JUMP ? { kind: 'downtime', from: seen, to: wall } : null
}
