import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { KeyriteError } from '../../../shared/errors.ts'
import { MAX_FORM_BYTES } from './form.ts'
import { refuseConnection } from './socket.ts'

/** Bounds on what strangers may hold. Times in milliseconds. Memory: connections x (headers + body), about 100 MB. */
export const LIMITS = {
  connections: 4096,
  headerBytes: 8 * 1024,
  bodyBytes: MAX_FORM_BYTES,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** How long a socket may stand still while an answer waits to be read. */
  idleTimeout: 30_000,
  keepAliveTimeout: 65_000,
  /** How often slow connections are looked for. */
  checkInterval: 2_000,
  /** How long requests in flight may take after close(). */
  closeTimeout: 5_000,
}
export type Limits = typeof LIMITS

/** Milliseconds between looks for idle connections while closing. */
const SWEEP = 50

/** Port 0 takes any free one. */
export type Address = { host: string; port: number }
export type Listener = { readonly url: string; readonly port: number; close(): Promise<void> }

/**
 * Serves HTTP/1.1 within `limits` until close(), which takes no new connection, lets requests in flight finish, and
 * cuts what is left after a while. Throws `port-in-use`, or `config-invalid` when the address cannot be listened on.
 */
export async function listen(address: Address, limits: Limits, handle: RequestListener): Promise<Listener> {
  let closing = false
  const server = createServer(optionsOf(limits), (request, response) => {
    // What comes on connections that are still busy is answered, and is the last.
    if (closing) response.shouldKeepAlive = false
    handle(request, response)
  })
  server.maxConnections = limits.connections
  // Bounded by bytes already; a bound on their number would cut headers off unseen, a second Host among them.
  server.maxHeadersCount = 0
  server.timeout = limits.idleTimeout
  server.on('clientError', refuseConnection)
  await open(server, address)
  const { port } = server.address() as AddressInfo
  const close = async () => {
    closing = true
    const cut = setTimeout(() => server.closeAllConnections(), limits.closeTimeout)
    // A request that was in flight leaves a connection behind that was promised to be kept alive.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP)
    await new Promise((resolve) => server.close(resolve))
    clearInterval(sweep)
    clearTimeout(cut)
  }
  return { url: `http://${address.host}:${port}`, port, close }
}

const optionsOf = (limits: Limits): ServerOptions => ({
  maxHeaderSize: limits.headerBytes,
  headersTimeout: limits.headersTimeout,
  requestTimeout: limits.requestTimeout,
  keepAliveTimeout: limits.keepAliveTimeout,
  connectionsCheckingInterval: limits.checkInterval,
  // A request without a body never becomes a stream (body.ts minds it): key sets are asked for by nothing else.
  optimizeEmptyRequests: true,
})

/** Once it listens, an error is about one connection that could not be taken: no reason to stop serving the others. */
function open(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === 'EADDRINUSE'
          ? new KeyriteError('port-in-use', `Port ${port} on ${host} is already in use.`, { cause })
          : new KeyriteError('config-invalid', `Cannot listen on port ${port} of ${host} (${cause.code}).`, { cause }),
      )
    })
    server.listen({ host, port }, resolve)
  })
}
