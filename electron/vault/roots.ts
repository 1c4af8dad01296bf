import type { EventOf } from '../../shared/domain/events.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { openRoster, rosterTextOf } from '../../shared/formats/roster.ts'
import { openSuccession } from '../../shared/formats/succession.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'

/** The roots of a history, one after the other: what was signed while one was in force counts only with that one's signature. */

/** A succession with what was in force before it. */
export type Rotation = { seq: number; event: EventOf<'root-rotated'>; anchor: string; roster: string }

export class Roots {
  readonly #anchors = new Map<string, Anchor>()

  /**
   * Opens the first trust anchor and follows every succession. Code `vault-history-broken`, naming the event, unless
   * both roots signed it and the new one is the successor that the old one names.
   */
  static async open(first: string, rotations: readonly Rotation[]): Promise<Roots> {
    const roots = new Roots()
    roots.#anchors.set(first, await openTrustAnchor(first))
    for (const rotation of rotations)
      roots.#anchors.set(rotation.event.succession.anchor, await roots.#follow(rotation))
    return roots
  }

  /** The root of a trust anchor that the history names. Code `vault-history-broken` for any other. */
  of(anchor: string): Anchor {
    const found = this.#anchors.get(anchor)
    must(found, 'vault-history-broken', 'The list of people and the history name different roots.')
    return found
  }

  async #follow({ seq, event, anchor: jws, roster }: Rotation): Promise<Anchor> {
    const { succession, compromised, successor } = event
    try {
      const before = this.of(jws)
      const { anchor, claims } = await openSuccession(succession, before)
      const signed = await openRoster(event.roster, anchor.key, anchor.practice)
      const fits =
        claims.compromised === compromised &&
        anchor.successor === successor &&
        anchor.name === before.name &&
        signed.vaultId === anchor.vaultId &&
        rosterTextOf(event.roster) === rosterTextOf(roster)
      must(fits, 'signature-invalid', 'The new root changes more than the root.')
      return anchor
    } catch (cause) {
      const why = cause instanceof KeyriteError ? ` ${cause.message}` : ''
      throw new KeyriteError(
        'vault-history-broken',
        `Event ${seq} changes the root, and both roots did not sign that.${why}`,
        {
          cause,
        },
      )
    }
  }
}
