import { KeyriteError } from '../errors.ts'
import type { EventOf, LoggedEvent, PersonDigests } from './events.ts'
import type { SharePlace } from './roster.ts'
import type { Ceremony, VaultState } from './state.ts'

/** How a vault's people, their shares and its root change: the part of the fold that `custody`, `passphrase` and `root-rotate` add to. */

/** Shares that are dealt and wait until every custodian of the new roster has proved theirs. */
export type PendingRoster = {
  epoch: number
  /** The next roster as canonical JSON; the root signs it when it comes into force. */
  roster: string
  custodians: Record<string, SharePlace>
  people: Record<string, PersonDigests>
  /** The new threshold approved it. */
  accepted: boolean
}

/** The life of one quorum secret that is over. Whoever kept their share of it still has it. */
export type PastEpoch = {
  epoch: number
  since: number
  until: number
  ceremony: string | null
  holders: Record<string, SharePlace>
}

export type PeopleState = {
  people: Record<string, PersonDigests>
  /** People who left; their ids are never given to anybody else. */
  former: string[]
  /** Where each custodian's share lies, and since when this epoch lives. */
  holders: Record<string, SharePlace>
  epochSince: number
  /** The roster before the one in force. */
  previousRoster: string
  pending: PendingRoster | null
  pastEpochs: PastEpoch[]
  /** Passphrases that were changed: they still open older copies of people.json. */
  pastPassphrases: { person: string; at: number }[]
  /** Roots that handed over, oldest first. */
  pastAnchors: {
    anchor: string
    until: number
    compromised: boolean
    succession: EventOf<'root-rotated'>['succession']
  }[]
}

export const noPeople = (): PeopleState => ({
  people: {},
  former: [],
  holders: {},
  epochSince: 0,
  previousRoster: '',
  pending: null,
  pastEpochs: [],
  pastPassphrases: [],
  pastAnchors: [],
})

type PeopleEvent = EventOf<
  'custody-dealt' | 'custody-accepted' | 'epoch-activated' | 'passphrase-changed' | 'root-rotated'
>
type Logged = Pick<LoggedEvent, 'seq' | 'at' | 'actor'> & { event: PeopleEvent; ceremony: Ceremony | null }

export function applyPeople(state: VaultState, logged: Logged): void {
  const { seq, event } = logged
  const why = refusal(state, logged)
  if (why !== null)
    throw new KeyriteError(
      'vault-history-broken',
      `Event ${seq} of the vault cannot follow the ones before it: ${why}.`,
    )
  if ('sealed' in event) for (const [id, digest] of Object.entries(event.sealed)) state.sealed.set(id, digest)
}

/** Folds an event, or says why it cannot follow. */
function refusal(state: VaultState, logged: Logged): string | null {
  const { event } = logged
  switch (event.type) {
    case 'custody-dealt':
      return deal(state, event, logged)
    case 'custody-accepted':
      if (!state.pending) return 'a roster is accepted that was not dealt'
      state.pending.accepted = true
      return null
    case 'epoch-activated':
      return activate(state, event, logged)
    case 'passphrase-changed':
      return changePassphrase(state, event, logged)
    case 'root-rotated':
      return rotateRoot(state, event, logged)
  }
}

/** Custodians whose share stands in people.json, and those named whose share lies on their own medium. */
export function firstHolders({ people, medium = [] }: EventOf<'vault-created'>): Record<string, SharePlace> {
  const inVault = Object.keys(people).filter((id) => Object.keys(people[id]?.shares ?? {}).length > 0)
  return Object.fromEntries([
    ...inVault.map((id): [string, SharePlace] => [id, 'vault']),
    ...medium.map((id): [string, SharePlace] => [id, 'medium']),
  ])
}

/** Custodians of the roster that is dealt who have not proved their new share. */
export function unproved({ pending, proved }: Pick<VaultState, 'pending' | 'proved'>): string[] {
  if (!pending) return []
  const known = proved.get(pending.epoch)
  return Object.keys(pending.custodians).filter((id) => !known?.has(id))
}

function deal(
  state: VaultState,
  { epoch, roster, custodians, people }: EventOf<'custody-dealt'>,
  { ceremony }: Logged,
): string | null {
  if (ceremony?.kind !== 'custody') return 'shares are dealt outside of a custody ceremony'
  if (epoch !== state.epoch + 1) return 'an epoch is skipped'
  if (state.pending) return 'shares are dealt twice'
  for (const [id, { identity }] of Object.entries(people)) {
    if (state.former.includes(id)) return `the id ${id} belonged to somebody who left`
    if (identity !== (state.people[id]?.identity ?? identity)) return `the keys of ${id} are exchanged`
  }
  // Proofs of an earlier dealing that was given up are of other shares.
  state.proved.delete(epoch)
  state.pending = { epoch, roster, custodians, people, accepted: false }
  return null
}

function activate(state: VaultState, event: EventOf<'epoch-activated'>, { at, ceremony }: Logged): string | null {
  const { pending } = state
  if (event.epoch !== state.epoch + 1) return 'an epoch is skipped'
  if ((ceremony?.kind === 'custody') !== (pending !== null)) return 'a custody ceremony activates what it has dealt'
  if (pending && unproved(state).length > 0) return 'not every custodian has proved their new share'
  if (pending && !pending.accepted) return 'the new threshold has not approved'
  const { epoch, holders, epochSince: since } = state
  state.pastEpochs.push({ epoch, since, until: at, ceremony: ceremony?.id ?? null, holders })
  if (pending) state.former.push(...Object.keys(state.people).filter((id) => !(id in event.people)))
  else state.proved.delete(event.epoch)
  Object.assign(state, {
    epoch: event.epoch,
    epochSince: at,
    previousRoster: state.roster,
    roster: event.roster,
    agreements: event.agreements,
    people: event.people,
    holders: pending?.custodians ?? holders,
    pending: null,
  })
  ceremony?.rosters.push(event.roster)
  return null
}

function changePassphrase(
  state: VaultState,
  { person, identity }: EventOf<'passphrase-changed'>,
  { at, actor, ceremony }: Logged,
): string | null {
  if (ceremony?.kind !== 'passphrase') return 'a passphrase is changed outside of its ceremony'
  if (actor !== person) return `${actor} changes the passphrase of ${person}`
  const known = state.people[person]
  if (known) state.people = { ...state.people, [person]: { ...known, identity } }
  state.pastPassphrases.push({ person, at })
  return null
}

function rotateRoot(state: VaultState, event: EventOf<'root-rotated'>, { at, ceremony }: Logged): string | null {
  if (ceremony?.kind !== 'root-rotate') return 'the root changes outside of its ceremony'
  const { succession, compromised, successor, roster, agreements, acceptances, removed } = event
  state.pastAnchors.push({ anchor: state.anchor, until: at, compromised, succession })
  Object.assign(state, { anchor: succession.anchor, successor, previousRoster: state.roster, roster, agreements })
  // The same roster, signed by the new root: it stands for the whole ceremony.
  ceremony.rosters.splice(-1, 1, roster)
  ceremony.anchor = succession.anchor
  for (const [id, acceptance] of Object.entries(acceptances)) {
    const runtime = state.runtimes.get(id)
    if (runtime) runtime.acceptance = acceptance
  }
  for (const id of removed) state.sealed.delete(id)
  return null
}
