import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { EventOf, LoggedEvent } from '../../shared/domain/events.ts'
import { isAlone } from '../../shared/domain/script.ts'
import { type Ceremony, evolve, type VaultState } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { checkApprovals, tailAct } from '../../shared/formats/approval.ts'
import { Authority } from '../../shared/formats/authority.ts'
import { digest, fromBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { openCertificate } from '../../shared/formats/certificate.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { checkAccepted } from '../../shared/formats/custody.ts'
import { eventSigningInput } from '../../shared/formats/event.ts'
import { openInventory } from '../../shared/formats/inventory.ts'
import { brokenAt, followRow, type LogRow, SOFTWARE } from '../../shared/formats/log.ts'
import { closedAlone, closingEvents, type RecordBody, recordBody } from '../../shared/formats/record.ts'
import { checkAgreement, openRoster, type Roster } from '../../shared/formats/roster.ts'
import { checkSignOffs } from '../../shared/formats/sign-off.ts'
import type { Anchor } from '../../shared/formats/trust-anchor.ts'
import { presume, stateBefore } from './earlier.ts'

/**
 * A ceremony once more, from its rows of the log alone: every link, every signature, every approval, and the fold that the
 * vault itself uses. Nothing of the record is taken on trust but where it says that the rows begin and end.
 */

export type Replayed = {
  /** The record as it follows from the events. */
  record: RecordBody
  /** How the events closed the ceremony. */
  ended: NonNullable<Ceremony['ended']>
  closing: { objects: string; approvals: string[] }
  counts: { events: number; signatures: number; approvals: number }
}

/** Codes `vault-history-broken`, naming the first event that is wrong, and those of reading the rows. */
export async function replay(
  rows: Iterable<LogRow>,
  { rosters, events, ceremony: id, kind, anchor: carried }: RecordBody,
  anchor: Anchor,
): Promise<Replayed> {
  const [first = ''] = rosters
  const { epoch } = await openRoster(first, anchor.key, anchor.practice)
  const replay = new Replay({ ...anchor, jws: carried }, first, epoch)
  let record: RecordBody | null = null
  const after: string[] = []
  for (const row of rows) {
    if (record) after.push(await replay.take(row))
    else await replay.begin(row, events.from).take(row)
    if (row.seq !== events.to) continue
    must(
      row.hash === events.head,
      'vault-history-broken',
      `The link of event ${row.seq} is not the one that the record names.`,
    )
    record = replay.record(id, events)
  }
  must(record, 'vault-history-broken', `It ends before event ${events.to}, the last one that the record covers.`)
  must(
    after.join() === closingEvents(kind).join(),
    'vault-history-broken',
    `After event ${events.to} it does not hold exactly what closes a ceremony: ${closingEvents(kind).join(', ')}.`,
  )
  return { record, ...replay.closed(id) }
}

class Replay {
  readonly #anchor: Anchor
  readonly #state: VaultState
  readonly #authority = new Authority()
  readonly #rosters = new Map<string, Promise<Roster>>()
  readonly #keys = new Map<string, KeyObject>()
  readonly #counts = { events: 0, signatures: 0, approvals: 0 }

  constructor(anchor: Anchor, roster: string, epoch: number) {
    this.#anchor = anchor
    this.#state = stateBefore(anchor, roster, epoch)
  }

  /** Stands before the first row: where the record says that its events begin. */
  begin(row: LogRow, from: number): this {
    if (this.#counts.events > 0) return this
    must(
      row.seq === from,
      'vault-history-broken',
      `It begins with event ${row.seq}, but the record begins with event ${from}.`,
    )
    Object.assign(this.#state, { seq: from - 1, head: row.prev })
    return this
  }

  /** Takes the next row and gives the type of its event. */
  async take(row: LogRow): Promise<string> {
    const state = this.#state
    const logged = followRow(this.#anchor.vaultId, state, row)
    if (logged.at < state.lastAt) throw brokenAt(logged.seq, 'it is older than the one before')
    const roster = await this.#rosterOf(state.roster)
    this.#checkActor(logged, roster)
    await named(logged.seq, this.#checkInside(logged, roster))
    presume(state, logged.event)
    this.#authority.see(logged, state)
    evolve(state, logged)
    this.#counts.events++
    return logged.event.type
  }

  record(id: string, covers: { to: number; head: string }): RecordBody {
    return recordBody(this.#state, this.#ceremony(id), { seq: covers.to, head: covers.head })
  }

  closed(id: string): Omit<Replayed, 'record'> {
    this.#authority.end(this.#state)
    const { ended, approvals, kind } = this.#ceremony(id)
    const closing = ended?.record && isAlone(kind) ? closedAlone(ended.record) : approvals.at(-1)
    must(ended && closing, 'vault-history-broken', `It does not end ${id}.`)
    return { ended, closing: { objects: closing.objects, approvals: closing.approvals }, counts: this.#counts }
  }

  #ceremony(id: string): Ceremony {
    const ceremony = this.#state.ceremonies.get(id)
    must(ceremony, 'vault-history-broken', `It holds no event of ${id}.`)
    return ceremony
  }

  /** Every event by a person has their signature; the software by itself writes nothing but checkpoints. */
  #checkActor(logged: LoggedEvent, roster: Roster): void {
    const { seq, actor, signature, hash, event } = logged
    if (actor === SOFTWARE && signature === null && event.type === 'checkpoint') return
    const person = roster.people.find((one) => one.id === actor)
    if (!person) throw brokenAt(seq, 'it names a person who is not on the roster')
    const { x } = person.signing
    const key = this.#keys.get(x) ?? createPublicKey({ key: { ...person.signing }, format: 'jwk' })
    this.#keys.set(x, key)
    const holds = signature !== null && verify(null, utf8(eventSigningInput(hash)), key, fromBase64url(signature))
    if (!holds) throw brokenAt(seq, `${actor} did not sign it`)
    this.#counts.signatures++
  }

  /** The signatures that an event carries, by the roster in force before it. */
  async #checkInside({ event, at }: LoggedEvent, roster: Roster): Promise<void> {
    const { key, practice } = this.#anchor
    if (event.type === 'approved') await this.#checkApproved(event, roster)
    if (event.type === 'custody-accepted') await this.#checkAccepted(event)
    if (event.type === 'tail-accepted') await this.#checkTail(event, roster)
    if (event.type === 'checkpoint') await this.#checkCheckpoint(event, at)
    if (event.type === 'inventory-taken') await openInventory(event.statement, key, practice)
    if (event.type === 'certificate-issued') {
      await openCertificate(event.statement, key, practice)
      await checkSignOffs(event.signatures, digest(event.statement), roster)
    }
    if ('agreements' in event && 'roster' in event) {
      const next = await this.#rosterOf(event.roster)
      for (const [id, word] of Object.entries(event.agreements)) await checkAgreement(word, event.roster, next, id)
    }
  }

  async #checkApproved(event: EventOf<'approved'>, roster: Roster): Promise<void> {
    const { ceremony, step, objects, approvals } = event
    const planDigest = this.#state.ceremonies.get(ceremony)?.planDigest ?? ''
    const act = { vaultId: this.#anchor.vaultId, epoch: roster.epoch, ceremony, planDigest, step, objects }
    await checkApprovals(approvals, act, roster)
    this.#counts.approvals += approvals.length
  }

  async #checkAccepted(event: EventOf<'custody-accepted'>): Promise<void> {
    const { pending, ceremonies, vaultId } = this.#state
    must(pending, 'vault-history-broken', 'it accepts a roster that was not dealt.')
    const planDigest = ceremonies.get(event.ceremony)?.planDigest ?? ''
    this.#counts.approvals += (await checkAccepted(event, pending, { vaultId, planDigest })).length
  }

  async #checkTail({ from, to, head, approvals }: EventOf<'tail-accepted'>, roster: Roster): Promise<void> {
    const fits = head === this.#state.head && to <= this.#state.seq
    must(fits, 'vault-history-broken', 'it accepts another history.')
    const act = { vaultId: this.#anchor.vaultId, epoch: roster.epoch, ...tailAct(from, to, head) }
    await checkApprovals(approvals, act, roster)
    this.#counts.approvals += approvals.length
  }

  /** No person signs the row of a checkpoint: the statement in it says all of it, its time too. */
  async #checkCheckpoint({ statement }: EventOf<'checkpoint'>, at: number): Promise<void> {
    const { seq, head, roster } = this.#state
    const said = await openCheckpoint(statement, this.#anchor.key, this.#anchor.practice)
    const fits = said.vaultId === this.#anchor.vaultId && said.seq === seq && said.head === head && said.iat === at
    must(fits && said.roster === digest(roster), 'vault-history-broken', 'its checkpoint is of another history.')
  }

  #rosterOf(jws: string): Promise<Roster> {
    const known = this.#rosters.get(jws) ?? this.#open(jws)
    this.#rosters.set(jws, known)
    return known
  }

  async #open(jws: string): Promise<Roster> {
    const roster = await openRoster(jws, this.#anchor.key, this.#anchor.practice)
    must(roster.vaultId === this.#anchor.vaultId, 'vault-mismatch', 'The roster is of another vault.')
    return roster
  }
}

/** A signature inside an event that does not hold is named by its event. */
async function named<T>(seq: number, check: Promise<T>): Promise<T> {
  try {
    return await check
  } catch (cause) {
    const why = cause instanceof KeyriteError ? cause.message : 'a signature in it does not hold.'
    throw new KeyriteError('vault-history-broken', `Event ${seq} of the vault does not hold: ${why}`, { cause })
  }
}
