import { KEY_SPECS } from './algorithms.ts'
import { readyAt, type ScheduledKey } from './key.ts'
import type { Policy } from './policy.ts'

/** Every way in which one relying party may meet the tokens of one key: the instants that the rotation prover tries. */

/** How one token is met by one key set. Instants in seconds since 1970 by the publisher's clock. */
export type Meeting = {
  /** When the runtime first published the key: as scheduled, or later where its bundle came late. */
  publishedAt: number
  switchAt: number
  signedAt: number
  verifiedAt: number
  fetchedAt: number
  /** The set that was fetched is the one published at this instant: a lagging replica or a cache on the way gave it. */
  setOf: number
}

/** A relying party: for how long it uses what it fetched, and how old that may be when it is fetched. In seconds. */
export type Party = { name: string; uses: number; stale: number }

/** One key with what bounds the walk. */
export type Subject = {
  key: ScheduledKey
  policy: Policy
  /** Nobody has a key set of before: the tenant began here. */
  begin: number
  /** What was over before is not looked at. */
  from: number
  /** The end of the signed window for switching to this key. */
  switchUntil: number
}

/** The subjects of a schedule, in the order in which keys are announced. */
export function subjectsOf(policy: Policy, keys: readonly ScheduledKey[], from: number): Subject[] {
  const ordered = [...keys].sort((a, b) => a.announceAt - b.announceAt || a.signFrom - b.signFrom)
  const [first] = ordered
  const begin = first?.propagation === 'none (first key)' ? first.announceAt : Number.NEGATIVE_INFINITY
  return ordered.map((key) => {
    const before = keys.filter((one) => !one.standby && sameAlgorithm(one, key) && one.signFrom < key.signFrom)
    const predecessor = before.sort((a, b) => b.signFrom - a.signFrom)[0]
    // A standby key is called upon whenever it must be.
    const switchUntil = key.standby ? key.extendUntil : (predecessor?.extendUntil ?? key.signFrom)
    return { key, policy, begin, from, switchUntil }
  })
}

/** True where the set of a meeting is of a time before its key: an imported key stood in the sets of the issuer before. */
export const isUnknown = ({ key }: Subject, { setOf, publishedAt }: Meeting): boolean =>
  setOf < publishedAt && key.propagation !== 'none (imported key)'

const sameAlgorithm = (a: ScheduledKey, b: ScheduledKey): boolean => KEY_SPECS[a.spec].alg === KEY_SPECS[b.spec].alg

/**
 * First publication x switch x signing x verification x fetch x served set:
 * - first publication: from `announceAt` to the last at which the key could still sign (a late bundle, or a runtime that
 *   was down). A tenant's first bundle, with its first or imported key, is never late;
 * - switch: in the signed window, from when the key is ready (`readyAt`) to the predecessor's `extendUntil`;
 * - signing: from the switch to the key's own `extendUntil`, because its successor may be late;
 * - verification: from `skew` before the signing to `skew` after the token's end;
 * - fetch: within `party.uses` before that;
 * - served set: of at most `party.stale` before the fetch.
 *
 * Why the instants that are tried are all that matter. A token fails exactly where the set is of a time before the key's
 * publication, or from its removal on. So whether a token fails, as a function of the set's time, changes only at these
 * two boundaries. Each choice bounds the next one by a difference (at most so long before or after it); so, going
 * backwards, whether a choice can lead to a failure changes only at the boundaries shifted by sums of those differences,
 * and is constant in between. Tried are both ends of each range and every shifted boundary in it, each with the second
 * before and the second after. The first publication moves a boundary itself. Up to `signFrom` - propagation a later one
 * only makes matters worse; after that it moves switch, tokens and sets along with it, which changes only the distance
 * to the fixed ends, always in one direction. So both ends and that bend are enough.
 */
export function forEachMeeting(subject: Subject, party: Party, skew: number, visit: (meeting: Meeting) => void): void {
  for (const publishedAt of publications(subject, party, skew))
    for (const switchAt of switches(subject, publishedAt))
      for (const signedAt of signings(subject, party, skew, publishedAt, switchAt))
        look(subject, party, skew, { publishedAt, switchAt, signedAt }, visit)
}

/** Beside the bend, the marks are where the time from first use to the last meeting begins or ceases to be cut short. */
function publications({ key, policy, begin, from }: Subject, { uses, stale }: Party, skew: number): number[] {
  const inFirstBundle = key.announceAt === begin && key.propagation === 'none (first key)'
  if (inFirstBundle || key.propagation === 'none (imported key)') return [key.announceAt]
  const ahead = key.propagation === 'full' ? policy.propagationTime : 0
  const last = Math.max(key.announceAt, Math.min(key.extendUntil - ahead, key.removeAt) - 1)
  const over = key.extendUntil + policy.accessTokenLifetime + skew - uses - stale
  const marks = [key.announceAt, key.signFrom - ahead, begin + skew, from + skew, over]
  return instants(marks, key.announceAt, last)
}

function switches({ key, policy, switchUntil }: Subject, publishedAt: number): number[] {
  const late = publishedAt > key.announceAt
  const ready = Math.max(readyAt(key, policy.propagationTime, late ? publishedAt : null), publishedAt)
  return instants([], ready, Math.min(key.extendUntil - 1, Math.max(ready, switchUntil)))
}

function signings(subject: Subject, party: Party, skew: number, publishedAt: number, switchAt: number): number[] {
  const { key, policy, from } = subject
  const lives = policy.accessTokenLifetime + skew
  const forgotten = publishedAt + party.uses + party.stale
  const shifted = [from + skew, from - lives, forgotten + skew, forgotten - lives, key.removeAt - lives]
  return instants([switchAt, ...shifted], switchAt, key.extendUntil - 1)
}

type Signing = Pick<Meeting, 'publishedAt' | 'switchAt' | 'signedAt'>

function look(
  { key, policy, begin, from }: Subject,
  { uses, stale }: Party,
  skew: number,
  { publishedAt, switchAt, signedAt }: Signing,
  visit: (meeting: Meeting) => void,
): void {
  const { removeAt } = key
  const first = Math.max(signedAt - skew, begin, from)
  const last = signedAt + policy.accessTokenLifetime + skew
  for (const verifiedAt of instants([signedAt, publishedAt, removeAt, publishedAt + uses + stale], first, last)) {
    const fetches = [publishedAt, removeAt, publishedAt + stale, removeAt + stale]
    for (const fetchedAt of instants(fetches, Math.max(verifiedAt - uses, begin), verifiedAt))
      for (const setOf of instants([fetchedAt, publishedAt, removeAt], Math.max(fetchedAt - stale, begin), fetchedAt))
        visit({ publishedAt, switchAt, signedAt, verifiedAt, fetchedAt, setOf })
  }
}

/** The marks and the ends, each with the second before and after, as far as they lie in the range. The likeliest come first. */
function instants(marks: readonly number[], low: number, high: number): number[] {
  const found: number[] = []
  for (const mark of [...marks, low, high])
    for (const at of [mark, mark - 1, mark + 1]) if (at >= low && at <= high && !found.includes(at)) found.push(at)
  return found
}
