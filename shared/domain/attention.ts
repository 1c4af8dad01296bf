import { spentKeys, waitingUntil } from './destruction.ts'
import { keysWaiting } from './handoff.ts'
import type { PersonStatus } from './home.ts'
import { type KeyFacts, signerAt } from './key.ts'
import { keysFor, scheduled } from './known.ts'
import { copiesOf } from './ledger.ts'
import { DAY } from './policy.ts'
import { openCeremony, type Runtime, type Tenant, type VaultState } from './state.ts'

/** What needs somebody: it all follows from the vault's history and the time. */

export const WHATS = [
  'rotation-due',
  'no-key',
  'open-copies',
  'receipts-missing',
  'handoff-due',
  'backup-untested',
  'passphrase-due',
  'head-card',
  'ceremony-open',
  'tail',
  'destruction-due',
] as const

export type Named = { id: string; name: string }

/** `by`: when it is or was due, seconds since 1970; null where it has no day. */
export type Attention = {
  what: (typeof WHATS)[number]
  by: number | null
  overdue: boolean
  /** Whom it is about: keys, tenants, runtimes, people, backups or ceremonies. */
  about: Named[]
  /** How many of them; of open copies how many copies, of the head card the number of the event on it. */
  count: number
}

/** From so long before it is due something is shown. */
export const SOON = 30 * DAY
/** Receipts come back a week after a handoff at the latest, and then every five weeks. */
export const FIRST_RECEIPTS = 7 * DAY
export const RECEIPTS_EVERY = 35 * DAY

type Tail = { from: number; to: number } | null
type Due = Named & { by: number | null }

/** Everything that needs somebody, what is overdue first, then by the day. `tail`: events that no quorum accepted. */
export function attentionOf(
  state: VaultState,
  people: readonly PersonStatus[],
  now: number,
  tail: Tail = null,
): Attention[] {
  const found = [
    gather('no-key', withoutKey(state, now), now),
    gather('rotation-due', rotationsDue(state, now), now),
    openCopies(state),
    gather('receipts-missing', receiptsMissing(state, now), now),
    gather('handoff-due', handoffsDue(state, now), now),
    backups(state),
    gather('passphrase-due', passphrasesDue(people, now), now),
    headCard(state),
    gather('ceremony-open', unfinished(state), now),
    tail && { what: 'tail' as const, by: null, overdue: true, about: [], count: tail.to - tail.from + 1 },
    gather('destruction-due', destructionsDue(state, now), now),
  ].filter((one) => one !== null)
  return found.sort((a, b) => Number(b.overdue) - Number(a.overdue) || (a.by ?? Infinity) - (b.by ?? Infinity))
}

/** One line for all that need the same, due when the first of them is. */
function gather(what: Attention['what'], due: readonly Due[], now: number): Attention | null {
  if (due.length === 0) return null
  const sorted = due.toSorted((a, b) => (a.by ?? Infinity) - (b.by ?? Infinity))
  const by = sorted[0]?.by ?? null
  const about = sorted.map(({ id, name }) => ({ id, name }))
  return { what, by, overdue: by !== null && by <= now, about, count: about.length }
}

/** Every runtime has what it should have: what the schedule takes for granted. */
const READY: KeyFacts = { hasPrivate: true, tainted: false, firstPublishedAt: null }

const living = (state: VaultState): Tenant[] => [...state.tenants.values()].filter(({ offboarded }) => !offboarded)
const named = ({ tenant, name }: Tenant): Named => ({ id: tenant, name })

function algorithmsOf(state: VaultState, tenant: Tenant, now: number) {
  return tenant.policy.signingAlgorithms.map((spec) => {
    const keys = keysFor(state, tenant, spec)
    const signer = signerAt(keys.map(scheduled), () => READY, tenant.policy.propagationTime, now)
    return { keys, signs: signer !== null }
  })
}

/** Tenants of which an algorithm has no key that signs now, since the last one ended. */
function withoutKey(state: VaultState, now: number): Due[] {
  return living(state).flatMap((tenant) => {
    const silent = algorithmsOf(state, tenant, now).filter(({ signs }) => !signs)
    if (silent.length === 0) return []
    const ends = silent.map(({ keys }) => Math.max(0, ...keys.map(({ times }) => times.extendUntil)))
    const ended = Math.max(...ends.map((end) => (end <= now ? end : 0)))
    return [{ ...named(tenant), by: ended > 0 ? ended : now }]
  })
}

/**
 * When the tenant's next key must exist, so that it is announced for the whole propagation time before the last one ends;
 * of several algorithms the first that is due. Null where a key waits already, where none signs, and for a tenant that
 * has gone.
 */
export function nextKeyDue(state: VaultState, tenant: Tenant, now: number): number | null {
  if (tenant.offboarded) return null
  const due = algorithmsOf(state, tenant, now).flatMap(({ keys, signs }) => {
    const waits = keys.some(({ times }) => times.signFrom > now)
    const end = Math.max(...keys.map(({ times }) => times.signUntil))
    return signs && !waits ? [end - tenant.policy.propagationTime] : []
  })
  return due.length === 0 ? null : Math.min(...due)
}

const rotationsDue = (state: VaultState, now: number): Due[] =>
  living(state).flatMap((tenant) => {
    const by = nextKeyDue(state, tenant, now)
    return by !== null && by <= now + SOON ? [{ ...named(tenant), by }] : []
  })

/** Copies of destroyed keys of which nobody showed that they are gone; one that many keys share counts once. */
function openCopies(state: VaultState): Attention | null {
  const copies = new Set<string>()
  const about: Named[] = []
  for (const key of state.keys.values()) {
    if (!key.destroyed && !state.elsewhere.has(key.kid)) continue
    const open = copiesOf(state, key).filter(({ status }) => status === 'open')
    // Only the row of a key and the file that it came in are its alone.
    for (const { id } of open) copies.add(id === 'vault' ? `vault:${key.kid}` : id)
    if (open.length > 0) about.push({ id: key.kid, name: key.label })
  }
  return about.length === 0 ? null : { what: 'open-copies', by: null, overdue: false, about, count: copies.size }
}

/** Runtimes that were handed something and of which nothing came back since, or nothing for too long. */
function receiptsMissing(state: VaultState, now: number): Due[] {
  return [...state.runtimes.values()].flatMap((runtime) => {
    const by = receiptsBy(state, runtime)
    const missing = by !== null && (by.missing || by.at <= now)
    return missing ? [{ id: runtime.runtimeId, name: runtime.runtimeId, by: by.at }] : []
  })
}

function receiptsBy(
  state: VaultState,
  { runtimeId, handoffs, receipts }: Runtime,
): { at: number; missing: boolean } | null {
  const handed = handoffs.findLast(({ exported }) => exported)?.exported?.at ?? null
  const taken = receipts.takenAt
  const restored = state.restores.at(-1)
  if (state.awaited.has(runtimeId) && restored) return { at: restored.at, missing: true }
  if (handed === null) return null
  if (taken === null || taken < handed) return { at: handed + FIRST_RECEIPTS, missing: true }
  return { at: taken + RECEIPTS_EVERY, missing: false }
}

/** Runtimes for which keys or news wait in the vault. */
const handoffsDue = (state: VaultState, now: number): Due[] =>
  [...state.runtimes.values()].flatMap((runtime) => {
    const by = keysWaiting(state, runtime, now)
    return by === null ? [] : [{ id: runtime.runtimeId, name: runtime.runtimeId, by }]
  })

/** The newest backup, where none was made, nobody opened it, or a key is not in it. */
function backups(state: VaultState): Attention | null {
  const kept = [...state.keys.values()].filter((key) => !key.destroyed)
  if (kept.length === 0) return null
  const newest = [...state.backups.values()].findLast(({ made }) => made)
  const outside = newest ? kept.filter(({ kid }) => !newest.kids.has(kid)).length : kept.length
  if (newest && newest.openedAt !== null && outside === 0) return null
  const about = newest ? [{ id: String(newest.number), name: `Backup ${newest.number}, ${newest.place}` }] : []
  return { what: 'backup-untested', by: null, overdue: false, about, count: about.length }
}

const passphrasesDue = (people: readonly PersonStatus[], now: number): Due[] =>
  people.flatMap(({ id, name, due }) => (due <= now + SOON ? [{ id, name, by: due }] : []))

/** Its checkpoint signs the event just before it: that number stands on the card. */
const headCard = ({ checkpoint }: VaultState): Attention | null =>
  checkpoint && { what: 'head-card', by: null, overdue: false, about: [], count: checkpoint.seq - 1 }

function unfinished(state: VaultState): Due[] {
  const open = openCeremony(state)
  return open ? [{ id: open.id, name: open.id, by: waitingUntil(state, open) ?? open.startedAt }] : []
}

const destructionsDue = (state: VaultState, now: number): Due[] =>
  spentKeys(state, now).kids.flatMap((kid) => {
    const key = state.keys.get(kid)
    if (!key) return []
    const gone = state.tenants.get(key.tenant)?.offboarded?.at ?? Infinity
    const since = Math.min(key.compromised?.at ?? Infinity, gone, key.times.extendUntil)
    return [{ id: kid, name: key.label, by: since }]
  })
