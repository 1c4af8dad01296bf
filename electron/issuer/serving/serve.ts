import type { Address, Listener } from '../http/listener.ts'
import { createOpsServer } from '../http/ops.ts'
import type { Runtime } from '../runtime.ts'
import { workerCount } from '../settings.ts'
import { metricsOfCluster } from '../watch/cluster.ts'
import type { Log } from '../watch/log.ts'
import { createMetrics, type Look, type Metrics } from '../watch/metrics.ts'
import { type Front, openFront } from './front.ts'
import { keepTicking, ticker } from './ticking.ts'
import { openWorkers } from './workers.ts'

export type ServeOptions = {
  /** The runtime's folder, which its workers open too. */
  dir: string
  /** Instead of the configured port. */
  port?: number
  /** Instead of the configured number. */
  workers?: number
  /** Ends serving, gracefully. */
  stop: AbortSignal
  log: Log
  /** Called once requests are answered. */
  onReady?: (served: Served) => void
  tickSeconds?: number
}
export type Served = { url: string; opsUrl: string | null; workers: number }

/** Who found that settings changed: the file or the environment tells nobody's name. */
const ACTOR = 'issuer serve'

/**
 * Serves a runtime until `stop`: requests in this process or in workers, health and metrics on a listener of their own,
 * and ticks all the while. What was signed keeps being served whatever fails. Codes `port-in-use`, `config-invalid`.
 */
export async function serveRuntime(runtime: Runtime, options: ServeOptions): Promise<void> {
  const { stop, log, dir, tickSeconds } = options
  const { config } = runtime
  const listen: Address = { ...config.listen, ...(options.port !== undefined && { port: options.port }) }
  // Electron's program is not Node: there everything is served in one process.
  const workers = process.versions.electron ? 1 : (options.workers ?? workerCount(config.workers))
  await ticker(runtime, log)()
  // A receipt that cannot be written now must not keep a tenant from its tokens.
  await runtime.noteSettings(ACTOR).catch(log.phasesFailed)
  let front: Front | null = null
  const reasons = () => [...(front?.reasons() ?? ['not listening yet']), ...notReady(runtime)]
  const look = () => lookAt(runtime, reasons)
  const metrics = workers === 1 ? createMetrics({ look }) : metricsOfCluster({ look })
  front = await (workers === 1 ? openFront(runtime, listen, metrics, log) : openWorkers({ dir, listen }, workers, log))
  try {
    const ops = await openOps(config.ops, reasons, metrics)
    try {
      options.onReady?.({ url: front.url, opsUrl: ops?.url ?? null, workers })
      await keepTicking(runtime, { stop, log, ...(tickSeconds !== undefined && { seconds: tickSeconds }) })
    } finally {
      await ops?.close()
    }
  } finally {
    await front.close()
    if ('stop' in metrics && typeof metrics.stop === 'function') metrics.stop()
  }
}

async function lookAt(runtime: Runtime, reasons: () => string[]): Promise<Look> {
  const status = await runtime.status()
  return { status, facts: await runtime.facts(status), ready: reasons().length === 0 }
}

/** Why no token can be signed here now. */
function notReady(runtime: Runtime): string[] {
  const why = runtime.cannotSign()
  return why === null ? [] : [why]
}

const openOps = (listen: Address | null, ready: () => string[], metrics: Metrics): Promise<Listener> | null =>
  listen === null ? null : createOpsServer({ listen, ready, metrics: () => metrics.text() })
