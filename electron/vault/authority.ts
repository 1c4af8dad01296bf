import type { EventOf, LoggedEvent, VaultEvent } from '../../shared/domain/events.ts'
import { madeObjects } from '../../shared/domain/objects.ts'
import { openCeremony, type VaultState } from '../../shared/domain/state.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { certificateSchema } from '../../shared/formats/certificate.ts'
import { acceptanceSchema } from '../../shared/formats/enrollment.ts'
import { canonicalText, MB } from '../../shared/formats/json.ts'
import { peekStatement } from '../../shared/formats/jws.ts'
import { brokenAt } from './log.ts'

/**
 * Which quorum stands behind an event. Whoever can open the file could write any event; but an event that only a quorum
 * may cause must follow an `approved` event of the same ceremony whose objects are exactly what it says.
 */

/** An approval that an event relies on, and the roster that was in force; its signatures are checked by the caller. */
export type Relied = { seq: number; approval: EventOf<'approved'>; planDigest: string; roster: string }

type Made = { tenants: VaultEvent[]; keys: EventOf<'key-generated'>[]; compromised: string[]; seq: number }

const nothing = (): Made => ({ tenants: [], keys: [], compromised: [], seq: 0 })

/** Reads events in order and throws `vault-history-broken`, naming the first that no quorum approved. */
export class Authority {
  /** The approvals that events relied on since `forget`. */
  relied: Relied[] = []
  readonly #given = new Map<string, Relied>()
  #made = nothing()

  /** Takes each event with the state before it. */
  see(logged: LoggedEvent, before: VaultState): void {
    const { event, seq } = logged
    if (!this.#gather(event, seq)) this.#settle(before)
    if (event.type === 'approved') {
      const ceremony = before.ceremonies.get(event.ceremony)
      const given = { seq, approval: event, planDigest: ceremony?.planDigest ?? '', roster: before.roster }
      this.#given.set(`${event.ceremony} ${event.objects}`, given)
    }
    const wanted = objectsOf(event, before)
    if (wanted.length > 0) this.#rely(seq, wanted, before)
  }

  /** After the last event. */
  end(state: VaultState): void {
    this.#settle(state)
  }

  /** Keys come one event each, and are approved together. */
  #gather(event: VaultEvent, seq: number): boolean {
    if (event.type === 'tenant-added') this.#made.tenants.push(event)
    else if (event.type === 'key-generated') this.#made.keys.push(event)
    else if (event.type === 'key-compromised') this.#made.compromised.push(event.kid)
    else return false
    this.#made.seq = seq
    return true
  }

  #settle(before: VaultState): void {
    const { tenants, keys, compromised, seq } = this.#made
    this.#made = nothing()
    if (tenants.length + keys.length > 0) this.#rely(seq, [madeObjects(tenants, keys)], before)
    if (compromised.length > 0) this.#rely(seq, [{ compromised }], before)
  }

  #rely(seq: number, wanted: unknown[], before: VaultState): void {
    const ceremony = openCeremony(before)?.id
    const given = wanted
      .map((objects) => this.#given.get(`${ceremony} ${digest(canonicalText(objects))}`))
      .find(Boolean)
    if (!given) throw brokenAt(seq, 'no quorum approved it')
    this.relied.push(given)
  }
}

/** What a quorum must have approved for this event; several where more than one act can cause it, none where none is needed. */
function objectsOf(event: VaultEvent, before: VaultState): unknown[] {
  switch (event.type) {
    case 'runtime-enrolled':
      return [peekStatement(event.acceptance, acceptanceSchema, 'acceptance of an enrollment')]
    case 'handoff-exported': {
      const { runtimeId, number } = event
      const intent = before.runtimes.get(runtimeId)?.handoffs.at(-1)
      return [{ runtimeId, number, transportKey: intent?.transportKey, keys: intent?.keys }]
    }
    case 'receipts-taken': {
      const { type: _, ...taken } = event
      return [taken]
    }
    case 'keys-destroyed':
      return [{ destroy: event.kids }, { abort: openCeremony(before)?.id }]
    case 'epoch-activated':
      return [{ epoch: event.epoch }]
    case 'certificate-issued':
      return [peekStatement(event.statement, certificateSchema, 'certificate', 8 * MB)]
    case 'ceremony-aborted':
      return [{ abort: event.ceremony }]
    case 'ceremony-ended':
      return [{ record: event.record }]
    default:
      return []
  }
}
