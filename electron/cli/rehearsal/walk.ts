import { DAY, HOUR } from '../../../shared/domain/policy.ts'
import type { VirtualClock } from './clock.ts'
import { type RelyingParty, verifies } from './relying-party.ts'

/** Virtual time passing: the runtime lives through it in steps while relying parties keep asking and verifying. */

export type Walked = {
  /** Virtual days. */
  days: number
  /** Tokens verified with the key set that the relying party had cached. */
  checks: number
  /** Of those, tokens verified again at the end of their life with a key set fetched then. */
  lateChecks: number
  failures: number
  /** Times that a tenant's signing key changed. */
  switches: number
}

const STEP = 6 * HOUR
/** With more tenants than this, quiet days are shared out among them; near a transition everyone is checked. */
const ALL_EVERY_STEP = 8

export type Walk = {
  parties: readonly RelyingParty[]
  /** Issuer -> the instants at which anything changes for it. */
  schedules: ReadonlyMap<string, readonly number[]>
  clock: VirtualClock
  until: number
  tick: () => Promise<unknown>
  onProgress: (done: number, total: number) => void
}

export async function walk({ parties, schedules, clock, until, tick, onProgress }: Walk): Promise<Walked> {
  const walked: Walked = {
    days: Math.round((until - clock.now()) / DAY),
    checks: 0,
    lateChecks: 0,
    failures: 0,
    switches: 0,
  }
  const pending = new Map<RelyingParty, { token: string; at: number }>()
  const stride = Math.ceil(parties.length / ALL_EVERY_STEP)
  const steps = Math.max(1, Math.ceil((until - clock.now()) / STEP))
  for (let step = 0; clock.now() < until; step++) {
    clock.advance(Math.min(STEP, until - clock.now()))
    await tick()
    const now = clock.now()
    const due = parties.filter(
      (party, index) => (step + index) % stride === 0 || nearTransition(schedules.get(party.issuer), now),
    )
    for (const party of due) await check(party, now, pending, walked)
    onProgress(Math.min(step + 1, steps), steps)
  }
  return walked
}

const nearTransition = (instants: readonly number[] | undefined, now: number): boolean =>
  (instants ?? []).some((at) => Math.abs(at - now) <= STEP)

async function check(
  party: RelyingParty,
  now: number,
  pending: Map<RelyingParty, { token: string; at: number }>,
  walked: Walked,
): Promise<void> {
  const earlier = pending.get(party)
  if (earlier && now - earlier.at <= STEP) {
    walked.lateChecks++
    const { set } = await party.fetchKeys()
    const lastSecond = expiry(earlier.token) - 1
    if (!(await verifies(earlier.token, set, party.issuer, party.client.audience, lastSecond))) walked.failures++
  }
  const token = await party.token()
  pending.set(party, { token, at: now })
  walked.checks++
  if (!(await party.accepts(token, now))) walked.failures++
  const kid = part(token, 0)['kid']
  if (party.lastKid !== '' && party.lastKid !== kid) walked.switches++
  party.lastKid = String(kid)
}

const expiry = (token: string): number => Number(part(token, 1)['exp'])

const part = (token: string, index: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<string, unknown>
