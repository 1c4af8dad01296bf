import { Registry } from 'prom-client'
import type { Status } from '../status.ts'
import { type Counts, createCounts } from './counters.ts'
import { type Family, familyText } from './exposition.ts'
import { type Facts, gaugesText } from './gauges.ts'

/** What `/metrics` says. Names and labels are listed in docs/operations/README.md; every number of a tenant carries it. */

/** One look at the runtime. */
export type Look = { status: Status; facts: Facts | null; ready: boolean }

export type MetricsOptions = {
  /** Reads the state from the store; when it fails the store counts as unreachable. */
  look: () => Promise<Look> | Look
  /** A look serves scrapes for so many milliseconds; 15 seconds unless told. */
  lookEvery?: number
  /** A look that takes longer counts as a store that cannot be reached; 5 seconds unless told. */
  lookTimeout?: number
  /** Durations and process metrics, when they are not those of this process. */
  processText?: () => Promise<string>
}

export type Metrics = Counts & {
  /** Sets all gauges from a look that was taken elsewhere. */
  collect(status: Status, facts?: Facts | null): void
  /** The whole answer to a scrape. Only the very first one waits for a look; later ones never wait for the store. */
  text(): Promise<string>
  readonly contentType: string
}

const live = (name: string, help: string): Family => ({ name, help, type: 'gauge', labels: [] })

export const LIVE_GAUGES = {
  storeReachable: live('keyrite_store_reachable', '1 while the store answers.'),
  ready: live('keyrite_ready', '1 while this runtime may serve tokens.'),
  lookAge: live('keyrite_status_age_seconds', 'Age of the numbers that come from the store.'),
}

/** Makes the metrics of a process that serves alone, or of the primary process of a cluster. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { look, lookEvery = 15_000, lookTimeout = 5000 } = options
  const counts = createCounts()
  let health = { reachable: false, ready: false }
  let state = ''
  let takenAt: number | null = null
  let looking: { since: number; done: Promise<void> } | null = null

  const collect = (status: Status, facts: Facts | null = null): void => {
    state = gaugesText(status, facts)
    counts.keep(new Set(status.tenants.map(({ tenant }) => tenant)))
    takenAt = performance.now()
  }
  const unreachable = () => {
    health = { reachable: false, ready: false }
  }
  const takeLook = async (): Promise<void> => {
    try {
      const seen = await look()
      health = { reachable: true, ready: seen.ready }
      collect(seen.status, seen.facts)
    } catch {
      unreachable()
    }
  }
  const begin = (since: number) => {
    const done = takeLook().then(() => {
      looking = null
    })
    return { since, done }
  }
  const refresh = async (): Promise<void> => {
    const now = performance.now()
    if (!looking && (takenAt === null || now - takenAt >= lookEvery)) looking = begin(now)
    const patience = looking ? lookTimeout - (now - looking.since) : 0
    if (looking && takenAt === null && patience > 0) await Promise.race([looking.done, after(patience)])
    if (looking && performance.now() - looking.since >= lookTimeout) unreachable()
  }
  const liveText = (): string =>
    familyText(LIVE_GAUGES.storeReachable, [[[], health.reachable ? 1 : 0]]) +
    familyText(LIVE_GAUGES.ready, [[[], health.ready ? 1 : 0]]) +
    familyText(LIVE_GAUGES.lookAge, takenAt === null ? [] : [[[], (performance.now() - takenAt) / 1000]])
  const text = async (): Promise<string> => {
    await refresh()
    const own = options.processText ?? (() => counts.process.metrics())
    return [liveText(), state, counts.countersText(), await own()].join('')
  }
  return Object.assign(counts, { collect, text, contentType: Registry.PROMETHEUS_CONTENT_TYPE })
}

const after = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
