import { onTestFinished, vi } from 'vitest'
import type { KeyTimes } from '../../shared/domain/key.ts'
import { DAY, HOUR, leastPropagation, leastRetention, type Policy } from '../../shared/domain/policy.ts'
import { policyWith, T0 } from '../issuer/fixtures.ts'
import { cacheOnTheWay, REGISTERED, type Verifier } from './caches.ts'
import { moveTo, partOf, serve, tokenOf } from './world.ts'

/** A year of a real runtime, served over HTTP, in virtual time. */

const YEAR = 365 * DAY

/** The tightest policy that takes every relying party of the document, with monthly rotations. */
export function tightest(changes: Partial<Policy> = {}): Policy {
  const policy = policyWith({
    propagationTime: leastPropagation(REGISTERED),
    rotationInterval: 30 * DAY,
    extension: 2 * DAY,
    horizon: 12,
    ...changes,
  })
  return { ...policy, retentionDuration: leastRetention(policy) }
}

export type Year = Awaited<ReturnType<typeof startYear>>

/** A tenant of a real runtime at the start of its life; `Date` and the runtime's clock go together from here on. */
export async function startYear() {
  const policy = tightest()
  const { made, tenants, entries } = await serve([{ tenant: 'initech', policy }])
  const [tenant] = tenants
  const keys = entries[0]?.keys ?? []
  if (!tenant) throw new Error('no tenant')
  vi.useFakeTimers({ toFake: ['Date'], now: T0 * 1000 })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const to = async (now: number) => {
    vi.setSystemTime(now * 1000)
    await moveTo(made, now)
  }
  await to(T0)
  return { policy, tenant, keys, to, get: cacheOnTheWay(() => made.clock.now()) }
}

/** The instants at which something can go wrong for whoever keeps a set for `keeps` seconds, and those of quiet days. */
function instantsOf(keys: readonly KeyTimes[], lifetime: number, keeps: readonly number[]): number[] {
  const around = keys.flatMap(({ announceAt, signFrom, removeAt }) => [
    ...[announceAt, signFrom, signFrom + lifetime - 1, removeAt].flatMap((at) => [at - 1, at, at + 1]),
    ...keeps.flatMap((seconds) => [announceAt + seconds - 2, signFrom - seconds]),
  ])
  const quiet = Array.from({ length: 73 }, (_, count) => T0 + count * (5 * DAY + HOUR))
  const within = [...around, ...quiet].filter((at) => at >= T0 && at <= T0 + YEAR)
  return [...new Set(within)].sort((a, b) => a - b)
}

type Failure = { name: string; at: number; kid: unknown }
type Lived = { tokens: number; checks: number; kids: Set<unknown>; failures: Failure[] }

/**
 * Lives a year. A busy relying party sees the newest token and the oldest one alive at every instant; an idle one fetches
 * in the last second before each announcement, and then sees the first token of the new key: the longest that it can
 * have gone without looking.
 */
export async function live(
  year: Year,
  busy: readonly Verifier[],
  idle: readonly Verifier[],
  until = T0 + YEAR,
): Promise<Lived> {
  const { policy, tenant, keys, to } = year
  const lifetime = policy.accessTokenLifetime
  const lived: Lived = { tokens: 0, checks: 0, kids: new Set(), failures: [] }
  const eves = new Set(keys.flatMap(({ announceAt, signFrom }) => [announceAt - 1, signFrom]))
  const instants = instantsOf(
    keys,
    lifetime,
    [...busy, ...idle].map(({ keeps }) => keeps),
  )
  let alive: { token: string; exp: number; kid: unknown }[] = []
  for (const now of instants.filter((at) => at <= until)) {
    await to(now)
    const token = await tokenOf(tenant)
    const { kid } = partOf(token, 0)
    alive = [...alive.filter((one) => one.exp > now), { token, exp: now + lifetime, kid }]
    lived.tokens++
    lived.kids.add(kid)
    const shown = alive.length > 1 ? [alive[0], alive.at(-1)].filter((one) => one !== undefined) : alive
    for (const verifier of eves.has(now) ? [...busy, ...idle] : busy)
      for (const one of shown) {
        lived.checks++
        if (!(await verifier.accepts(one.token, now)))
          lived.failures.push({ name: verifier.name, at: now, kid: one.kid })
      }
  }
  return lived
}
