import type { EventOf, LoggedEvent } from '../../shared/domain/events.ts'
import type { VaultState } from '../../shared/domain/state.ts'
import type { PendingRoster } from '../../shared/domain/state-people.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { checkApprovals } from '../../shared/formats/approval.ts'
import { checkAccepted } from '../../shared/formats/custody.ts'
import { eventSigningInput } from '../../shared/formats/event.ts'
import { KB } from '../../shared/formats/json.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { brokenAt, EVENT_SIGNATURE, SOFTWARE } from '../../shared/formats/log.ts'
import { checkAgreement, type Roster, rosterSchema } from '../../shared/formats/roster.ts'
import type { EncryptedDatabase } from '../sqlite/database.ts'
import { readHistory, rosterOf } from './history.ts'
import type { Roots } from './roots.ts'
import { SignatureChecks } from './signatures.ts'

/** What the events of a history claim beyond their chain: signatures of people, approvals, agreements to rosters. */

type Later = { seq: number; check: () => Promise<void> }

/** Gathers claims while a history is read; signatures are checked meanwhile. Whoever makes it calls `close`. */
export class Claims {
  approvals = 0
  readonly #signatures = new SignatureChecks()
  readonly #later: Later[] = []
  /** Whom each event names, by its number. */
  readonly #actors: string[] = []
  /** Person -> public key as each roster names it; the roster's own signature is checked at the end. */
  readonly #signers = new Map<string, ReadonlyMap<string, string>>()
  readonly #rosters = new Map<string, Roster>()
  /** Roster -> the trust anchor in force when it came into force. */
  readonly #anchors = new Map<string, string>()
  /** The roster in force before the event at hand. */
  #before: string | undefined

  get signatures(): number {
    return this.#signatures.count
  }

  /** Takes each event with the state after it. */
  see(logged: LoggedEvent, now: VaultState): void {
    const { seq, actor, event } = logged
    this.#actors[seq] = actor
    const inForce = this.#before ?? now.roster
    if (actor !== SOFTWARE) this.#signed(logged, this.#signersOf(inForce).get(actor))
    if (event.type === 'approved') this.#approved(seq, event, now, inForce)
    if (event.type === 'custody-accepted' && now.pending) this.#accepted(seq, event, now, now.pending)
    if (now.roster !== this.#before) {
      const { agreements, roster } = now
      this.#signersOf(roster)
      this.#anchors.set(roster, now.anchor)
      this.#check(seq, async () => {
        for (const [id, agreement] of Object.entries(agreements))
          await checkAgreement(agreement, roster, this.#roster(roster), id)
      })
    }
    this.#before = now.roster
  }

  /** Checks what was gathered. Code `vault-history-broken`: a roster that the root did not sign, or the first event that does not hold. */
  async settle(roots: Roots): Promise<void> {
    for (const [jws, anchor] of this.#anchors) this.#rosters.set(jws, await rosterOf(jws, roots.of(anchor)))
    const failure = await this.#firstFailure()
    const unsigned = await this.#signatures.firstBroken()
    if (failure && failure.seq < unsigned) throw failure.error
    if (unsigned !== Number.POSITIVE_INFINITY) throw notSigned(unsigned, this.#actors[unsigned] ?? '')
  }

  close(): void {
    this.#signatures.close()
  }

  #signed({ seq, actor, hash, signature }: LoggedEvent, signer: string | undefined): void {
    if (signer !== undefined && signature !== null && EVENT_SIGNATURE.test(signature))
      return this.#signatures.add(seq, eventSigningInput(hash), signature, signer)
    this.#check(seq, async () => {
      throw signer === undefined ? brokenAt(seq, 'it names a person who is not on the roster') : notSigned(seq, actor)
    })
  }

  #approved(seq: number, event: EventOf<'approved'>, now: VaultState, inForce: string): void {
    const { ceremony, step, objects, approvals } = event
    const planDigest = now.ceremonies.get(ceremony)?.planDigest ?? ''
    const expected = { vaultId: now.vaultId, epoch: now.epoch, ceremony, planDigest, step, objects }
    this.#check(seq, async () => {
      await checkApprovals(approvals, expected, this.#roster(inForce))
      this.approvals += approvals.length
    })
  }

  #accepted(seq: number, event: EventOf<'custody-accepted'>, now: VaultState, pending: PendingRoster): void {
    const planDigest = now.ceremonies.get(event.ceremony)?.planDigest ?? ''
    const { vaultId } = now
    this.#check(seq, async () => {
      this.approvals += (await checkAccepted(event, pending, { vaultId, planDigest })).length
    })
  }

  #check(seq: number, check: Later['check']): void {
    this.#later.push({ seq, check })
  }

  async #firstFailure(): Promise<{ seq: number; error: KeyriteError } | null> {
    for (const { seq, check } of this.#later) {
      try {
        await check()
      } catch (cause) {
        return { seq, error: named(seq, cause) }
      }
    }
    return null
  }

  #signersOf(jws: string): ReadonlyMap<string, string> {
    const signers = this.#signers.get(jws) ?? claimedSigners(jws)
    this.#signers.set(jws, signers)
    return signers
  }

  #roster(jws: string): Roster {
    const roster = this.#rosters.get(jws)
    if (!roster) throw new KeyriteError('internal', 'A roster was used before it was checked.')
    return roster
  }
}

/**
 * That every event from `from` on was signed by the person it names, and carries the approvals it claims: what a quorum
 * that accepts them relies on. Code `vault-history-broken`, naming the first that does not hold.
 */
export async function checkClaimsFrom(db: EncryptedDatabase, anchor: string, from: number): Promise<void> {
  const claims = new Claims()
  try {
    const { roots } = await readHistory(db, anchor, {
      onEvent: (logged, now) => {
        if (logged.seq >= from) claims.see(logged, now)
      },
    })
    await claims.settle(roots)
  } finally {
    claims.close()
  }
}

/** Nobody, for a roster that cannot be read: it is refused at the end. */
function claimedSigners(jws: string): ReadonlyMap<string, string> {
  try {
    const { people } = peekStatement(jws, rosterSchema, 'roster', 256 * KB)
    return new Map(people.map(({ id, signing }) => [id, signing.x]))
  } catch {
    return new Map()
  }
}

const notSigned = (seq: number, actor: string): KeyriteError => brokenAt(seq, `${actor} did not sign it`)

/** A signature inside an event that does not hold is a broken history, named by its event. */
function named(seq: number, cause: unknown): KeyriteError {
  if (cause instanceof KeyriteError && cause.code === 'vault-history-broken') return cause
  const why = cause instanceof KeyriteError ? cause.message : 'a signature in it does not hold'
  return new KeyriteError('vault-history-broken', `Event ${seq} of the vault does not hold: ${why}`, { cause })
}
