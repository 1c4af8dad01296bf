import type { IncomingMessage } from 'node:http'
import type { Soon } from '../service.ts'
import { type Answer, jsonAnswer, makeAnswer, methodNotAllowed, NOT_FOUND, SERVER_ERROR, send } from './answer.ts'
import { type Address, LIMITS, type Listener, listen } from './listener.ts'

/** Health, readiness and metrics: on a listener of their own, because no stranger has any business with them. */

export type OpsOptions = {
  /** On loopback unless it says otherwise. */
  listen: { host?: string; port: number }
  /** Why this process should get no requests now, in short words; empty when it should. */
  ready(): Soon<readonly string[]>
  /** Everything measured, in Prometheus's text format 0.0.4. */
  metrics(): Soon<string>
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Serves `/healthz` (200 while the process lives), `/readyz` (200, or 503 with the reasons) and `/metrics` until
 * close(). Throws `port-in-use`, or `config-invalid` when the address cannot be listened on.
 */
export function createOpsServer(options: OpsOptions): Promise<Listener> {
  const address: Address = { host: '127.0.0.1', ...options.listen }
  return listen(address, { ...LIMITS, connections: 64 }, async (request, response) => {
    send(response, await answerTo(options, request).catch(() => SERVER_ERROR))
  })
}

async function answerTo(options: OpsOptions, { url, method }: IncomingMessage): Promise<Answer> {
  if (url !== '/healthz' && url !== '/readyz' && url !== '/metrics') return NOT_FOUND
  if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed('GET, HEAD')
  if (url === '/healthz') return ALIVE
  if (url === '/readyz') return readiness(await options.ready())
  return makeAnswer(200, METRICS_HEADERS, await options.metrics())
}

const METRICS_HEADERS = { 'Content-Type': METRICS_TYPE, 'Cache-Control': 'no-store' }
const ALIVE = jsonAnswer(200, { status: 'alive' })
const readiness = (reasons: readonly string[]): Answer =>
  reasons.length === 0 ? jsonAnswer(200, { status: 'ready' }) : jsonAnswer(503, { status: 'not ready', reasons })
