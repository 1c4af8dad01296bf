import { Registry } from 'prom-client'
import type { Status } from '../status.ts'
import { type Counts, createCounts } from './counters.ts'
import { type Family, familyText, type Sample } from './exposition.ts'
import { type Facts, gaugesText } from './gauges.ts'
import { type LookOptions, Looks } from './looks.ts'

/** What `/metrics` says. Names and labels are listed in docs/operations/README.md; every number of a tenant carries it. */

export type { Look } from './looks.ts'

export type MetricsOptions = LookOptions & {
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
  const counts = createCounts()
  const processText = options.processText ?? (() => counts.process.metrics())
  let state = ''
  const collect = (status: Status, facts: Facts | null = null): void => {
    state = gaugesText(status, facts)
    counts.keep(new Set(status.tenants.map(({ tenant }) => tenant)))
  }
  const looks = new Looks(options, ({ status, facts }) => collect(status, facts))
  const text = async (): Promise<string> => {
    await looks.refresh()
    return [liveText(looks), state, counts.countersText(), await processText()].join('')
  }
  return Object.assign(counts, { collect, text, contentType: Registry.PROMETHEUS_CONTENT_TYPE })
}

/** What is not known yet is left out: before the first look nobody can say that the store is out of reach. */
function liveText({ health, age }: Looks): string {
  const one = (value: number | boolean | undefined | null): Sample[] =>
    value === undefined || value === null ? [] : [[[], Number(value)]]
  return (
    familyText(LIVE_GAUGES.storeReachable, one(health?.reachable)) +
    familyText(LIVE_GAUGES.ready, one(health?.ready)) +
    familyText(LIVE_GAUGES.lookAge, one(age))
  )
}
