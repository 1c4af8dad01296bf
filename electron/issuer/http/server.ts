import type { RequestListener } from 'node:http'
import { isKeyriteError } from '../../../shared/errors.ts'
import type { IssuerService, Observer } from '../service.ts'
import { type Answer, SERVER_ERROR, send, UNAVAILABLE } from './answer.ts'
import { answerTo, type Front, type Visit } from './dispatch.ts'
import { type Address, LIMITS, type Limits, type Listener, listen } from './listener.ts'
import { readProxies } from './proxies.ts'
import { NO_OBSERVER } from './serving.ts'
import { THROTTLE, Throttle, type ThrottleLimits } from './throttle.ts'

export type IssuerServer = Listener
export type ServerOptions = {
  listen: Address
  limits?: Partial<Limits & ThrottleLimits>
  /** IP addresses and CIDR ranges of proxies whose `X-Forwarded-Host` is the host; nobody's by default. */
  trustProxy?: readonly string[]
  /** Told what every request came to. A request for no tenant of ours has the tenant '' and the endpoint 'none'. */
  observer?: Observer
  /** Told about failures that no request should cause. */
  failed?: (tenant: string, endpoint: string, error: unknown) => void
}

/**
 * Serves every tenant of `service` over plain HTTP (TLS ends in front of it) until close(). Changes of the service show
 * at once. Throws `port-in-use`, or `config-invalid` when the address cannot be listened on or a proxy is none.
 */
export async function createIssuerServer(service: IssuerService, options: ServerOptions): Promise<IssuerServer> {
  const { observer = NO_OBSERVER, trustProxy = [], failed = () => {} } = options
  const limits = { ...LIMITS, ...THROTTLE, ...options.limits }
  const throttle = new Throttle(limits, () => performance.now() / 1000)
  const serving = { service, observer, throttle, failed }
  const front = { service, serving, isProxy: readProxies(trustProxy), bodyBytes: limits.bodyBytes }
  return listen(options.listen, limits, handlerOf(front))
}

/** The store does not answer, or not in time: asking again is all that helps. */
const isAway = (error: unknown): boolean =>
  isKeyriteError(error, 'store-unreachable') || isKeyriteError(error, 'store-busy')

function handlerOf(front: Front): RequestListener {
  const { observer, failed } = front.serving
  return (request, response) => {
    const started = performance.now()
    const visit: Visit = { tenant: '', endpoint: 'none' }
    const finish = (answer: Answer) => {
      send(response, answer)
      observer.served(visit.tenant, visit.endpoint, answer.status)
      observer.took(visit.endpoint, (performance.now() - started) / 1000)
    }
    const fail = (error: unknown) => {
      failed(visit.tenant, visit.endpoint, error)
      if (!response.headersSent) finish(isAway(error) ? UNAVAILABLE : SERVER_ERROR)
    }
    try {
      const answer = answerTo(front, request, visit)
      if (answer instanceof Promise) answer.then(finish).catch(fail)
      else finish(answer)
    } catch (error) {
      fail(error)
    }
  }
}
