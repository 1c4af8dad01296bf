import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry } from 'prom-client'
import { z } from 'zod'
import { type CountsDelta, createCounts, type Events } from './counters.ts'
import { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts'

/**
 * Metrics of many processes. Workers tell the primary what they counted since the last second and forget it: the primary's
 * counters never go back when a worker dies, which a sum of living workers would, and Prometheus would take that for a
 * burst of tokens. Durations and process metrics are small; those of living workers are added up at each scrape.
 */

const TYPE = 'keyrite:counts'
const deltaSchema = z.array(
  z.tuple([z.string().max(40), z.array(z.tuple([z.string().max(2000), z.int().min(1)])).max(400_000)]),
)
const messageSchema = z.strictObject({ type: z.literal(TYPE), delta: deltaSchema })

export type WorkerMetrics = Events & {
  /** Tells the primary at once what was counted; before a worker ends. */
  flush(): void
  stop(): void
}

/** In a worker: counts, and tells the primary every `flushEvery` milliseconds. */
export function metricsOfWorker({ flushEvery = 1000 } = {}): WorkerMetrics {
  const counts = createCounts()
  AggregatorRegistry.setRegistries(counts.process)
  // Making one is what lets this worker answer the primary's scrapes.
  new AggregatorRegistry()
  const flush = () => {
    const delta = counts.take().filter(([, entries]) => entries.length > 0)
    if (delta.length > 0 && process.connected) process.send?.({ type: TYPE, delta })
  }
  const timer = setInterval(flush, flushEvery)
  timer.unref()
  return Object.assign(counts, { flush, stop: () => clearInterval(timer) })
}

/**
 * In the primary: takes what workers counted, and scrapes their process metrics. When a worker does not answer in five
 * seconds, as one that is just dying, that one scrape goes without them.
 */
export function metricsOfCluster(options: MetricsOptions): Metrics & { stop(): void } {
  const workers = new AggregatorRegistry()
  const metrics = createMetrics({ processText: () => workers.clusterMetrics().catch(() => ''), ...options })
  const listen = (_worker: Worker, message: unknown) => {
    const read = messageSchema.safeParse(message)
    if (read.success) metrics.merge(read.data.delta satisfies CountsDelta)
  }
  cluster.on('message', listen)
  return Object.assign(metrics, { stop: () => cluster.off('message', listen) })
}
