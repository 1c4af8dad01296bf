import type { EventOf, VaultEvent } from '../../shared/domain/events.ts'
import { holdersOf, type PlannedPerson, type SharePlace } from '../../shared/domain/roster.ts'
import { isKeyriteError, KeyriteError, must } from '../../shared/errors.ts'
import { type Approval, signApproval } from '../../shared/formats/approval.ts'
import { type Bytes, wipe } from '../../shared/formats/bytes.ts'
import type { Identity, PersonEntry } from '../../shared/formats/people-file.ts'
import {
  costOf,
  parseRosterText,
  type Roster,
  type RosterPerson,
  rosterText,
  signRoster,
} from '../../shared/formats/roster.ts'
import { agreementsOf, type Dealt, deal, sharesIn } from './deal.ts'
import type { Inside } from './inside.ts'
import { checkNobodyElse, createIdentity, type UnlockedPerson, unlockPerson } from './people.ts'
import { digestsOf } from './people-store.ts'
import type { Quorum } from './quorum.ts'
import { combineShares } from './sharing.ts'

/**
 * A change of people: new shares are dealt and wait beside the old ones; all custodians of the new roster prove theirs;
 * then one transaction re-wraps every data key and puts the roster in force.
 */

export type NextPeople = {
  people: readonly PlannedPerson[]
  threshold: number
  /** A passphrase for everybody who is new. */
  passphrases: ReadonlyMap<string, string>
}

/** Shares dealt in memory: nothing of them is written yet. */
export type NextDealt = {
  /** The next roster as canonical JSON. */
  roster: string
  custodians: Record<string, SharePlace>
  dealt: Dealt
  entries: Record<string, PersonEntry>
  joined: ReadonlyMap<string, UnlockedPerson>
}

/**
 * Deals to the people of a new list. Codes `people-invalid`, `passphrase-missing`, `passphrase-weak`,
 * `vault-people-changed` when people.json is not what the root signed.
 */
export async function dealNext(inside: Inside, { people, threshold, passphrases }: NextPeople): Promise<NextDealt> {
  await inside.recheck()
  const known = new Map(inside.roster.people.map((person) => [person.id, person]))
  const { people: old } = inside.entries()
  const identities: Record<string, { identity: Identity }> = { ...old }
  const joined = new Map<string, UnlockedPerson>()
  const next: RosterPerson[] = []
  for (const { id, name, role } of people) {
    const before = known.get(id)
    if (!before) {
      const passphrase = passphrases.get(id)
      must(passphrase !== undefined, 'passphrase-missing', `No passphrase of ${id} was given.`)
      await checkNobodyElse(inside.anchor, id, passphrase, identities)
      const identity = await createIdentity(inside.anchor, id, passphrase)
      joined.set(id, await unlockPerson(inside.anchor, id, identity, passphrase))
      identities[id] = { identity }
    }
    next.push({ ...(before ?? keysOf(identities[id]?.identity, id)), id, name, role })
  }
  const custodians = holdersOf(people)
  const epoch = inside.roster.epoch + 1
  const dealt = await deal(inside.anchor, { people: next, epoch, threshold })
  const inVault = sharesIn('vault', dealt, custodians)
  const entries: Record<string, PersonEntry> = {}
  for (const { id } of next) {
    const identity = identities[id]?.identity
    const share = inVault.get(id)
    if (identity) entries[id] = { identity, fileKeys: old[id]?.fileKeys ?? {}, shares: share ? { [epoch]: share } : {} }
  }
  return { roster: rosterText(dealt.roster), custodians, dealt, entries, joined }
}

function keysOf(identity: Identity | undefined, id: string): Pick<RosterPerson, 'encryption' | 'signing' | 'kdf'> {
  if (!identity) throw new KeyriteError('internal', `${id} has no keys.`)
  const { encryption, signing, kdf } = identity
  return { encryption, signing, kdf: costOf(kdf) }
}

/** Keeps what was dealt: share files first, then the entries that wait, then the event that names them. */
export function keepDealt(
  inside: Inside,
  { roster, custodians, dealt, entries, joined }: NextDealt,
  also: (present: string[]) => VaultEvent[],
  at: number,
  actor: string,
): void {
  const takeBack = inside.writeShares(sharesIn('medium', dealt, custodians).values(), at)
  try {
    inside.stage(entries)
    const event: VaultEvent = {
      type: 'custody-dealt',
      epoch: dealt.roster.epoch,
      roster,
      custodians,
      people: digestsOf(entries),
    }
    inside.commit([...also([...inside.present.keys(), ...joined.keys()]), event], at, actor)
  } catch (error) {
    // A commit that a medium could not confirm may stand nevertheless, and then these shares are needed.
    if (!isKeyriteError(error, 'medium-failed')) takeBack()
    throw error
  } finally {
    wipe(dealt.secret)
  }
  for (const [id, person] of joined) inside.present.set(id, person)
}

/** The roster that is dealt. Code `ceremony-conflict` where none is. */
export function nextRoster({ state }: Pick<Inside, 'state'>): Roster {
  must(state.pending, 'ceremony-conflict', 'No new shares are dealt.')
  return parseRosterText(state.pending.roster)
}

/** Custodians of the roster that is dealt sign an act of its epoch. Code `quorum-missing`. */
export async function approveNext(
  inside: Inside,
  act: Pick<Approval, 'ceremony' | 'planDigest' | 'step' | 'objects'>,
  by: readonly string[],
): Promise<string[]> {
  const { threshold, people, epoch } = nextRoster(inside)
  const signing = people
    .filter(({ id, role }) => role === 'custodian' && by.includes(id))
    .flatMap(({ id }) => inside.present.get(id) ?? [])
    .slice(0, threshold)
  must(
    signing.length === threshold,
    'quorum-missing',
    `${threshold} custodians of the new list must approve, and only ${signing.length} are here.`,
  )
  const { vaultId, practice } = inside.anchor
  return Promise.all(signing.map(({ signer }) => signApproval({ vaultId, epoch, ...act }, practice, signer)))
}

/**
 * Puts the roster that is dealt in force: the shares of those who accepted it give the new quorum secret, every data key
 * is wrapped anew, and one transaction names the epoch. Codes `share-invalid`, `quorum-missing`.
 */
export async function activateNext(
  inside: Inside,
  quorum: Quorum,
  { by, also }: { by: readonly string[]; also: readonly VaultEvent[] },
  at: number,
  actor: string,
): Promise<void> {
  const roster = nextRoster(inside)
  const secret = await combined(inside, roster, by)
  const sealed = quorum.rewrapAll({ secret, epoch: roster.epoch })
  wipe(secret)
  const jws = await signRoster(roster, await quorum.root())
  const agreements = await agreementsOf(jws, roster, inside.present)
  const entries = await withAccess(inside, roster)
  inside.stage(entries)
  const event: EventOf<'epoch-activated'> = {
    type: 'epoch-activated',
    epoch: roster.epoch,
    roster: jws,
    agreements,
    people: digestsOf(entries),
    sealed: sealed.digests,
  }
  inside.commit([...also, event], at, actor, { put: sealed.put })
  inside.inForce({ roster })
}

async function combined(inside: Inside, roster: Roster, by: readonly string[]): Promise<Bytes> {
  const shares = []
  for (const id of by.slice(0, roster.threshold)) shares.push(await inside.share(id, roster))
  try {
    return await combineShares(shares, roster)
  } finally {
    for (const share of shares) wipe(share.bytes)
  }
}

/** The entries that wait, with access to the vault's file for those who had none. */
async function withAccess(inside: Inside, roster: Roster): Promise<Record<string, PersonEntry>> {
  const { pending } = inside.entries()
  const without = roster.people.filter(({ id }) => Object.keys(pending[id]?.fileKeys ?? {}).length === 0)
  const wraps = await inside.wrapFileKey(without)
  return Object.fromEntries(
    Object.entries(pending).map(([id, entry]) => [id, { ...entry, fileKeys: wraps.get(id) ?? entry.fileKeys }]),
  )
}
