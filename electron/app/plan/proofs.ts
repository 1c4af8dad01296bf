import { setImmediate } from 'node:timers/promises'
import type { TenantSchedule } from '../../../shared/contract/plan.ts'
import { JWKS_MAX_AGE, type RelyingParty, SKEW } from '../../../shared/domain/policy.ts'
import { ASSUMPTIONS, type Claim, type Proof, partiesOf, prove, sayException } from '../../../shared/domain/prover.ts'
import { scheduleEnd } from '../../../shared/domain/schedule.ts'
import type { Outlook } from './outlook.ts'

/** The rotation prover's answer for each tenant of a plan, without keeping everybody waiting while it is sought. */

/** As many milliseconds as the prover works before others have their turn. */
const TURN = 25
/** As many tenants as a review shows. */
const SHOWN = 200

export type Proved = { outlook: Outlook; proof: Proof }

/** Proves every tenant. Tenants whose times and relying parties are the same are walked once. */
export async function proveAll(outlooks: readonly Outlook[], now: number): Promise<Proved[]> {
  const known = new Map<string, Proof>()
  const proved: Proved[] = []
  let since = performance.now()
  for (const outlook of outlooks) {
    const likes = likenessOf(outlook.claim)
    const before = known.get(likes)
    const { policy, keys, relyingParties } = outlook.claim
    const proof = before ?? prove(policy, keys, partiesOf(relyingParties), { from: now })
    // An exception names its key, so it is told of no other.
    if (proof.excepted.length === 0 && proof.outcome === 'no outage') known.set(likes, proof)
    proved.push({ outlook, proof })
    if (performance.now() - since < TURN) continue
    await setImmediate()
    since = performance.now()
  }
  return proved
}

const likenessOf = ({ policy, keys, relyingParties }: Claim): string =>
  JSON.stringify([policy, keys.map((key) => ({ ...key, kid: '' })), partiesOf(relyingParties)])

/** Why the first tenant with an outage keeps the plan from being held; null where none does. */
export function refusalOf(proved: readonly Proved[]): { tenant: string; message: string } | null {
  for (const { outlook, proof } of proved)
    if (outlook.refuses && proof.outcome === 'outage')
      return {
        tenant: outlook.tenant,
        message: `Tenant ${outlook.tenant}: a relying party may reject its tokens. ${proof.counterexample.why}`,
      }
  return null
}

/** At most 200 tenants as they are drawn, those with an outage first. */
export function schedulesOf(proved: readonly Proved[], now: number): TenantSchedule[] {
  const rank = ({ proof }: Proved) => (proof.outcome === 'outage' ? 0 : proof.excepted.length > 0 ? 1 : 2)
  return proved
    .toSorted((one, other) => rank(one) - rank(other))
    .slice(0, SHOWN)
    .map((one) => scheduleOf(one, now))
}

function scheduleOf({ outlook, proof }: Proved, now: number): TenantSchedule {
  const { tenant, name, claim, keys } = outlook
  const { states, outcome } = proof
  const why = whyOf(outlook, proof)
  const margin = marginOf(claim, now)
  const until = scheduleEnd(claim.keys)
  return { tenant, name, keys, relyingParties: knowingOf(outlook, now), verdict: outcome, states, until, margin, why }
}

function whyOf({ keys }: Outlook, proof: Proof): string | null {
  if (proof.outcome === 'outage') return proof.counterexample.why
  const nameOf = (kid: string) => keys.find((key) => key.kid === kid)?.label ?? kid
  const accepted = proof.excepted.map((one) => sayException({ ...one, kid: nameOf(one.kid) }))
  return accepted.length > 0 ? accepted.join(' ') : null
}

/**
 * After how many seconds a relying party surely has a set that was published now: it keeps what it has, gets an answer as
 * old as a cache on the way may give, and clocks differ.
 */
const learnsAfter = ({ cacheSeconds, refreshesOnUnknownKid }: RelyingParty): number =>
  (refreshesOnUnknownKid ? Math.min(cacheSeconds, ASSUMPTIONS.refetchPause) : cacheSeconds) + JWKS_MAX_AGE + SKEW

/** Keys to come that are announced before they sign: whoever verifies has to learn them first. */
const toLearn = ({ keys }: Claim, now: number) =>
  keys
    .filter((key) => !key.standby && key.propagation === 'full' && key.signFrom > now)
    .toSorted((one, other) => one.signFrom - other.signFrom)

function marginOf(claim: Claim, now: number): number | null {
  const slowest = Math.max(...partiesOf(claim.relyingParties).map(learnsAfter))
  const margins = toLearn(claim, now).map(({ announceAt, signFrom }) => signFrom - announceAt - slowest)
  return margins.length === 0 ? null : Math.min(...margins)
}

/** When each registered relying party knows the next key: one that the plan makes, if it makes one. */
function knowingOf({ claim, keys }: Outlook, now: number): TenantSchedule['relyingParties'] {
  const made = new Set(keys.flatMap((key) => (key.planned ? [key.label] : [])))
  const coming = toLearn(claim, now)
  const key = coming.find(({ kid }) => made.has(kid)) ?? coming[0]
  if (!key) return []
  const label = keys.find(({ kid }) => kid === key.kid)?.label ?? key.kid
  return claim.relyingParties.map((party) => ({
    relyingParty: party.name,
    cacheSeconds: party.cacheSeconds,
    kid: label,
    announcedAt: key.announceAt,
    knowsBy: key.announceAt + learnsAfter(party),
    signsFrom: key.signFrom,
  }))
}
