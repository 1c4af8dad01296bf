import { KeyriteError } from '../errors.ts'
import type { ScheduledKey } from './key.ts'
import { count } from './plural.ts'
import { HOUR, JWKS_MAX_AGE, MINUTE, type Policy, type RelyingParty, SKEW, spellDuration } from './policy.ts'
import { forEachMeeting, isUnknown, type Meeting, type Party, type Subject, subjectsOf } from './prover-walk.ts'
import { publishedAt } from './slots.ts'
import { keysOf, type Tenant, type VaultKey, type VaultState } from './state.ts'

/**
 * The rotation prover (lifecycle.md, "Schedule"): no relying party that refreshes within its registered cache time meets
 * a token it cannot verify. It looks at every way in which a schedule may be lived, and finds none that breaks a relying
 * party, or shows one.
 */

/** What is granted to the world, in seconds. */
export type Assumptions = {
  /** How far the clocks of whoever signs, publishes and verifies may differ. */
  skew: number
  /** For how long a replica of the runtime may still serve the set before. */
  replicaLag: number
  /** How old an answer may be that a cache on the way gives: a late bundle changes the set without notice. */
  maxAge: number
  /** A relying party that refreshes on an unknown kid does not do so again within this time: five minutes are common. */
  refetchPause: number
}

export const ASSUMPTIONS: Assumptions = { skew: SKEW, replicaLag: 0, maxAge: JWKS_MAX_AGE, refetchPause: 5 * MINUTE }

/** Stands for those whom nobody registered: a common library keeps key sets for 12 hours (issuer.md, "Relying parties"). */
export const UNREGISTERED: RelyingParty = {
  name: 'a relying party that keeps key sets for 12 hours',
  cacheSeconds: 12 * HOUR,
  refreshesOnUnknownKid: false,
}

export type Counterexample = Meeting & {
  relyingParty: string
  kid: string
  /** What the relying party holds when it meets the token. */
  cachedKids: string[]
  why: string
}

/** An emergency replacement, and for how many seconds of its use some relying party may not know it yet. */
export type Exception = { kid: string; relyingParty: string; seconds: number }

export type Proof = { states: number; excepted: Exception[] } & (
  | { outcome: 'no outage' }
  | { outcome: 'outage'; counterexample: Counterexample }
)

/**
 * Tries every way in which these keys may be used and met (`forEachMeeting` says which, and why they are all). `keys` are the
 * tenant's keys that are not compromised, past ones included, because the first one tells when the tenant began; what
 * was over before `from` (seconds since 1970) is not looked at. Replacements in an emergency sign before everybody can
 * know them: that is accepted, and stands under `excepted`.
 */
export function prove(
  policy: Policy,
  keys: readonly ScheduledKey[],
  relyingParties: readonly RelyingParty[],
  { from = 0, ...given }: Partial<Assumptions> & { from?: number } = {},
): Proof {
  const assumptions = { ...ASSUMPTIONS, ...given }
  const parties = distinct(relyingParties.map((party) => asParty(party, assumptions)))
  const excepted: Exception[] = []
  let counterexample: Counterexample | null = null
  let states = 0
  for (const subject of subjectsOf(policy, keys, from)) {
    const walks = parties.map((party) => ({ party, ...walk(subject, party, assumptions.skew) }))
    for (const { party, failed, ...walked } of walks) {
      states += walked.states
      if (failed) counterexample ??= tell(subject, party, failed, keys)
    }
    const [worst] = walks.sort((a, b) => b.unknownFor - a.unknownFor)
    if (worst && worst.unknownFor > 0)
      excepted.push({ kid: subject.key.kid, relyingParty: worst.party.name, seconds: worst.unknownFor })
  }
  return counterexample
    ? { outcome: 'outage', states, excepted, counterexample }
    : { outcome: 'no outage', states, excepted }
}

/**
 * Who fetches again on an unknown kid never relies on a fetch from before the pause: it would fetch anew. What it gets
 * then may still come from a lagging replica or a cache on the way.
 */
function asParty({ name, cacheSeconds, refreshesOnUnknownKid }: RelyingParty, given: Assumptions): Party {
  const uses = refreshesOnUnknownKid ? Math.min(cacheSeconds, given.refetchPause) : cacheSeconds
  return { name, uses, stale: given.maxAge + given.replicaLag }
}

/** Whoever may do exactly the same need not be walked again. */
const distinct = (parties: readonly Party[]): Party[] =>
  parties.filter((party, index) => parties.findIndex((other) => other.uses === party.uses) === index)

type Walked = { states: number; failed: Meeting | null; unknownFor: number }

/** All meetings of one key and one relying party: the first that fails, and how long an emergency key stays unknown. */
function walk(subject: Subject, party: Party, skew: number): Walked {
  const { removeAt, propagation } = subject.key
  const walked: Walked = { states: 0, failed: null, unknownFor: 0 }
  /** By first publication: when the emergency key is met first and last by a set that does not have it. */
  const unknown = new Map<number, { first: number; last: number }>()
  forEachMeeting(subject, party, skew, (meeting) => {
    walked.states += 1
    const { publishedAt, setOf, verifiedAt } = meeting
    const removed = setOf >= removeAt
    if (!removed && !isUnknown(subject, meeting)) return
    if (removed || propagation !== 'none (emergency)') walked.failed ??= meeting
    else {
      const { first, last } = unknown.get(publishedAt) ?? { first: verifiedAt, last: verifiedAt }
      unknown.set(publishedAt, { first: Math.min(first, verifiedAt), last: Math.max(last, verifiedAt) })
    }
  })
  walked.unknownFor = Math.max(0, ...[...unknown.values()].map(({ first, last }) => last + 1 - first))
  return walked
}

function tell(subject: Subject, party: Party, failed: Meeting, keys: readonly ScheduledKey[]): Counterexample {
  const { kid, removeAt } = subject.key
  // The key is published when it really was, not when it was to be.
  const lived = keys.map((key) => (key.kid === kid ? { ...key, announceAt: failed.publishedAt } : key))
  const why = sayWhy(failed, removeAt, party.name, subject.policy.accessTokenLifetime)
  return { relyingParty: party.name, kid, ...failed, cachedKids: publishedAt(lived, new Set(), failed.setOf), why }
}

function sayWhy(failed: Meeting, removeAt: number, party: string, lifetime: number): string {
  const { publishedAt, switchAt, signedAt, verifiedAt, setOf } = failed
  const apart = Math.max(signedAt - verifiedAt, verifiedAt - signedAt - lifetime)
  const clocks = apart > 0 ? ` Their clocks are ${spellDuration(apart)} apart.` : ''
  return setOf < publishedAt
    ? `The key signs ${spellDuration(switchAt - publishedAt)} after it was first published, but ${party} may then still use a key set that is ${spellDuration(verifiedAt - setOf)} old.${clocks}`
    : `The key leaves the published set ${spellDuration(Math.max(0, removeAt - signedAt))} after it signed a token, but ${party} may still be shown that token ${spellDuration(verifiedAt - signedAt)} after it was signed.${clocks}`
}

/** What is to be proved of one tenant. `keys`: all that are not compromised, past ones included. */
export type Claim = {
  tenant: string
  policy: Policy
  keys: readonly ScheduledKey[]
  relyingParties: readonly RelyingParty[]
}

/**
 * A tenant of the vault as it stands, or as it will be once `planned` keys are made (or a standby key has the times given
 * there) and those `gone` are compromised.
 */
export function claimOf(
  state: VaultState,
  { tenant, policy, relyingParties }: Tenant,
  { planned = [] as readonly ScheduledKey[], gone = new Set<string>() as ReadonlySet<string> } = {},
): Claim {
  const left = new Set([...gone, ...planned.map((key) => key.kid)])
  // Half-made keys were erased when their ceremony was aborted: nobody ever saw them.
  const halfMade = ({ destroyed, bornIn }: VaultKey) =>
    destroyed !== null && state.ceremonies.get(bornIn ?? '')?.ended?.how === 'aborted'
  const standing = keysOf(state, tenant).filter((key) => !key.compromised && !left.has(key.kid) && !halfMade(key))
  const keys = standing.map(({ kid, spec, standby, times }): ScheduledKey => ({ kid, spec, standby, ...times }))
  return { tenant, policy, keys: [...keys, ...planned], relyingParties }
}

/**
 * Proves every tenant's schedule from `from` on (seconds since 1970), before anyone signs. Gives one line for the record.
 * Tenants whose times and relying parties are the same are walked once. Code `policy-rejected`, naming the first tenant
 * with an outage and why.
 */
export function proveTenants(claims: readonly Claim[], from = 0): string {
  const proved = new Set<string>()
  const excepted: Exception[] = []
  let states = 0
  for (const { tenant, policy, keys, relyingParties } of claims) {
    const parties = partiesOf(relyingParties)
    const likes = JSON.stringify([policy, keys.map((key) => ({ ...key, kid: '' })), parties])
    if (proved.has(likes)) continue
    const proof = prove(policy, keys, parties, { from })
    if (proof.outcome === 'outage')
      throw new KeyriteError(
        'policy-rejected',
        `Tenant ${tenant}: a relying party may reject its tokens. ${proof.counterexample.why}`,
      )
    if (proof.excepted.length === 0) proved.add(likes)
    states += proof.states
    excepted.push(...proof.excepted)
  }
  const rest = excepted.length - SAID
  const more = rest > 0 ? [`And ${count(rest, 'more such key')}.`] : []
  return [`No outage: ${count(states, 'state')} explored.`, ...excepted.slice(0, SAID).map(sayException), ...more].join(
    ' ',
  )
}

/** As many exceptions as a line of the record has room for; "tenant prove" names all. */
const SAID = 3

/** Those registered, or who stands for them where nobody is. */
export const partiesOf = (registered: readonly RelyingParty[]): readonly RelyingParty[] =>
  registered.length > 0 ? registered : [UNREGISTERED]

/** "Accepted in an emergency: …" */
export const sayException = ({ kid, relyingParty, seconds }: Exception): string =>
  `Accepted in an emergency: when key ${kid} is first used, ${relyingParty} may reject its tokens for up to ${spellDuration(seconds)}.`
