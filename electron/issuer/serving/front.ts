import type { Address } from '../http/listener.ts'
import { createIssuerServer } from '../http/server.ts'
import type { Runtime } from '../runtime.ts'
import type { IssuerService, Observer } from '../service.ts'
import type { Events } from '../watch/counters.ts'
import type { Log } from '../watch/log.ts'

/** What answers requests: this very process, or workers (workers.ts). */
export type Front = {
  readonly url: string
  /** Why no request should come here now, in short words; empty when they may. */
  reasons(): string[]
  close(): Promise<void>
}

type Fronted = IssuerService & Pick<Runtime, 'config'>

/** Answers requests in this process. Codes `port-in-use`, `config-invalid`. */
export function openFront(runtime: Fronted, listen: Address, counts: Events, log: Log): Promise<Front> {
  const { trustProxy, limits } = runtime.config
  return createIssuerServer(runtime, {
    listen,
    trustProxy,
    limits: { connections: limits.connections, failures: limits.clientFailuresPerMinute },
    observer: observerOf(counts, log),
    failed: log.requestFailed,
  }).then(({ url, close }) => ({ url, close, reasons: () => [] }))
}

/** Counts everything, and tells the log what is worth telling. */
function observerOf(counts: Events, log: Log): Observer {
  return {
    issued: counts.issued,
    took: counts.took,
    refused: (tenant, endpoint, reason) => {
      counts.refused(tenant, endpoint, reason)
      log.refused(tenant, endpoint, reason)
    },
    served: (tenant, endpoint, status) => {
      counts.served(tenant, endpoint, status)
      log.served(tenant, endpoint, status)
    },
    badSignature: (tenant, where) => {
      counts.badSignature(tenant, where)
      log.badSignature(tenant, where)
    },
  }
}
