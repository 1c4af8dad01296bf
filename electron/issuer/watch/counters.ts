import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import type { Algorithm } from '../../../shared/domain/algorithms.ts'
import { isTenantId } from '../../../shared/formats/tenant-id.ts'
import type { Observer } from '../service.ts'
import { type Family, familyText } from './exposition.ts'
import { aPlace, aWord } from './log-fields.ts'
import { OTHER, Tally, type TallyDelta } from './tally.ts'

/** What requests come to, counted by tenant. Clients are registered ones only: nobody else is ever issued a token. */

const counter = (name: string, help: string, ...labels: string[]): Family => ({ name, help, type: 'counter', labels })

export const COUNTERS = {
  issued: counter('keyrite_tokens_issued_total', 'Access tokens issued.', 'tenant', 'client', 'algorithm'),
  served: counter('keyrite_requests_total', 'Answers, by endpoint and status.', 'tenant', 'endpoint', 'status'),
  refused: counter('keyrite_refusals_total', 'Requests refused, by reason.', 'tenant', 'endpoint', 'reason'),
  badSignature: counter('keyrite_bad_signatures_total', 'Signatures that did not verify.', 'tenant', 'where'),
  keyAccessFailed: counter('keyrite_key_access_failures_total', 'Private keys that could not be used.', 'tenant'),
} as const
type CounterName = keyof typeof COUNTERS
const COUNTER_NAMES = Object.keys(COUNTERS) as CounterName[]

export const DURATION = {
  name: 'keyrite_request_duration_seconds',
  help: 'How long answers took, by endpoint.',
  buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
}

/** Requests for no tenant of ours: one series for each status, whatever they asked for. */
const NOBODY = ''
const NO_ENDPOINT = 'none'

/** How the HTTP side and the key store tell what happened. */
export type Events = Observer & {
  /** A private key could not be opened or used. */
  keyAccessFailed(tenant: string): void
}

export type CountsDelta = [name: string, delta: TallyDelta][]

export type Counts = Events & {
  /** Everything counted, to be told to the primary process; starts from nothing again. */
  take(): CountsDelta
  merge(delta: CountsDelta): void
  /** Forgets tenants that are not served any more. */
  keep(tenants: ReadonlySet<string>): void
  /** Series held in memory. */
  readonly size: number
  /** The counters, for a scrape. */
  countersText(): string
  /** Durations and what Node tells of its process; workers keep their own and are added up. */
  readonly process: Registry
}

/** Counters in this process. What is no tenant id, or no code, makes no series of its own. */
export function createCounts(): Counts {
  const tallies = Object.fromEntries(COUNTER_NAMES.map((name) => [name, new Tally()])) as Record<CounterName, Tally>
  const ownProcess = new Registry()
  collectDefaultMetrics({ register: ownProcess })
  const took = new Histogram({ ...DURATION, labelNames: ['endpoint'], registers: [ownProcess] })
  const reasons = codes(64)
  const count = (name: CounterName, tenant: string, ...labels: string[]): void => {
    if (isTenantId(tenant)) tallies[name].add(tenant, ...labels)
  }
  return {
    issued: (tenant, client, algorithm: Algorithm) => count('issued', tenant, client, algorithm),
    served: (tenant, endpoint, status) => {
      if (tenant === NOBODY) tallies.served.add(NOBODY, NO_ENDPOINT, String(status))
      else count('served', tenant, aPlace(endpoint), String(status))
    },
    refused: (tenant, endpoint, reason) => count('refused', tenant, aPlace(endpoint), reasons(reason)),
    badSignature: (tenant, where) => count('badSignature', tenant, where),
    keyAccessFailed: (tenant) => count('keyAccessFailed', tenant),
    took: (endpoint, seconds) => took.observe({ endpoint: aPlace(endpoint) }, seconds),
    take: () => COUNTER_NAMES.map((name) => [name, tallies[name].take()]),
    merge: (delta) => {
      for (const [name, counts] of delta) if (Object.hasOwn(tallies, name)) tallies[name as CounterName].merge(counts)
    },
    keep: (tenants) => {
      for (const name of COUNTER_NAMES) tallies[name].keep(new Set([NOBODY, ...tenants]))
    },
    get size() {
      return COUNTER_NAMES.reduce((sum, name) => sum + tallies[name].size, 0)
    },
    countersText: () => COUNTER_NAMES.map((name) => familyText(COUNTERS[name], tallies[name].samples())).join(''),
    process: ownProcess,
  }
}

/** Lets codes through, the first `max` different ones; the rest is `other`. */
function codes(max: number): (code: string) => string {
  const known = new Set<string>()
  return (code) => {
    if (known.has(code)) return code
    if (known.size >= max || aWord(code) === OTHER) return OTHER
    known.add(code)
    return code
  }
}
