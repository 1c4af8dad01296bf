import type { EventOf, LoggedEvent, VaultEvent } from '../domain/events.ts'
import { amendedObjects, envelopeObjects, exportObjects, madeObjects, revocationObjects } from '../domain/objects.ts'
import { intendedWith } from '../domain/revocations.ts'
import { isAlone } from '../domain/script.ts'
import { openCeremony, type VaultState } from '../domain/state.ts'
import type { PendingRoster } from '../domain/state-people.ts'
import { digest } from './bytes.ts'
import { certificateSchema } from './certificate.ts'
import { activationObjects, dealtObjects } from './custody.ts'
import { acceptanceSchema } from './enrollment.ts'
import { INVENTORY_MAX, inventorySchema } from './inventory.ts'
import { canonicalText, MB } from './json.ts'
import { peekStatement } from './jws.ts'
import { brokenAt } from './log.ts'
import { rosterTextOf } from './roster.ts'
import { rotationObjects } from './succession.ts'

/**
 * Which quorum stands behind an event. Whoever can open the file could write any event; but an event that only a quorum
 * may cause must follow an `approved` event of the same ceremony whose objects are exactly what it says.
 */

/** An approval that an event relies on, and the roster that was in force; its signatures are checked by the caller. */
export type Relied = { seq: number; approval: EventOf<'approved'>; planDigest: string; roster: string; anchor: string }

/** The approval of a roster that is dealt, by its own custodians. */
export type Accepted = { seq: number; event: EventOf<'custody-accepted'>; planDigest: string; pending: PendingRoster }

type Made = {
  tenants: VaultEvent[]
  keys: EventOf<'key-generated'>[]
  imported: EventOf<'key-imported'>[]
  compromised: string[]
  amended: VaultEvent[]
  seq: number
}

const nothing = (): Made => ({ tenants: [], keys: [], imported: [], compromised: [], amended: [], seq: 0 })

const AMENDMENTS: readonly VaultEvent['type'][] = ['tenant-amended', 'tenant-offboarded', 'hold-placed', 'hold-lifted']

/** Reads events in order and throws `vault-history-broken`, naming the first that no quorum approved. */
export class Authority {
  /** The approvals that events relied on since `forget`. */
  relied: Relied[] = []
  /** Rosters that their own custodians approved, likewise. */
  accepted: Accepted[] = []
  readonly #given = new Map<string, Relied>()
  #made = nothing()

  /** Takes each event with the state before it. */
  see(logged: LoggedEvent, before: VaultState): void {
    const { event, seq } = logged
    if (!this.#gather(event, seq)) this.#settle(before)
    if (event.type === 'approved') {
      const ceremony = before.ceremonies.get(event.ceremony)
      const { roster, anchor } = before
      const given = { seq, approval: event, planDigest: ceremony?.planDigest ?? '', roster, anchor }
      this.#given.set(`${event.ceremony} ${event.objects}`, given)
    }
    if (event.type === 'custody-accepted' && before.pending) {
      const planDigest = before.ceremonies.get(event.ceremony)?.planDigest ?? ''
      this.accepted.push({ seq, event, planDigest, pending: before.pending })
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
    if (event.type === 'tenant-added' || event.type === 'standby-activated') this.#made.tenants.push(event)
    else if (event.type === 'key-generated') this.#made.keys.push(event)
    else if (event.type === 'key-imported') this.#made.imported.push(event)
    else if (event.type === 'key-compromised') this.#made.compromised.push(event.kid)
    else if (AMENDMENTS.includes(event.type)) this.#made.amended.push(event)
    else return false
    this.#made.seq = seq
    return true
  }

  #settle(before: VaultState): void {
    const { tenants, keys, imported, compromised, amended, seq } = this.#made
    this.#made = nothing()
    if (tenants.length + keys.length + imported.length > 0)
      this.#rely(seq, [madeObjects(tenants, keys, imported)], before)
    if (amended.length > 0) this.#rely(seq, [amendedObjects(amended)], before)
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

/** Whoever approves that a ceremony is aborted approves the end of the keys that it made, and of no other. */
function onlyHalfMade(kids: readonly string[], before: VaultState): boolean {
  const ceremony = openCeremony(before)?.id
  return kids.every((kid) => before.keys.get(kid)?.bornIn === ceremony)
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
    case 'export-written': {
      const intent = before.exports[event.number - 1]
      return intent ? [exportObjects(intent)] : [null]
    }
    case 'envelope-sealed': {
      const all = before.runtimes.get(event.runtimeId)?.envelopes ?? []
      const together = all.filter((one) => one.seq === all.at(-1)?.seq)
      return [envelopeObjects(event.runtimeId, together)]
    }
    case 'revocation-signed':
      return [revocationObjects(intendedWith(before, event))]
    case 'receipts-taken': {
      const { type: _, ...taken } = event
      return [taken]
    }
    case 'keys-destroyed':
      return [
        { destroy: event.kids },
        ...(onlyHalfMade(event.kids, before) ? [{ abort: openCeremony(before)?.id }] : []),
      ]
    case 'custody-dealt':
      return [dealtObjects(event)]
    case 'epoch-activated':
      return before.pending
        ? [activationObjects({ epoch: event.epoch, roster: rosterTextOf(event.roster) })]
        : [{ epoch: event.epoch }]
    case 'root-rotated':
      return [rotationObjects(event)]
    case 'certificate-issued':
      return [peekStatement(event.statement, certificateSchema, 'certificate', 8 * MB)]
    case 'backup-made': {
      const { number, holder, place, replaces, seq, head } = before.backups.get(event.number) ?? {}
      return [{ backup: number, holder, place, replaces, seq, head }]
    }
    case 'backup-opened':
      return [{ open: event.number, seq: event.seq, head: event.head }]
    case 'restore-tried':
      return [{ tryRestore: event.folders, keys: event.kids }]
    case 'vault-restored': {
      const { type: _, ...restored } = event
      return [restored]
    }
    case 'inventory-taken':
      return [peekStatement(event.statement, inventorySchema, 'inventory', INVENTORY_MAX)]
    case 'ceremony-aborted':
      return [{ abort: event.ceremony }]
    case 'ceremony-ended':
      return isAlone(openCeremony(before)?.kind ?? 'genesis') ? [] : [{ record: event.record }]
    default:
      return []
  }
}
