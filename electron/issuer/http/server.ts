import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { asKeyriteError, KeyriteError } from '../../../shared/errors.ts'
import type { IssuerService, TenantService } from '../service.ts'
import { type Answer, BAD_REQUEST, methodNotAllowed, NOT_FOUND, SERVER_ERROR, send, TOO_LARGE } from './answer.ts'
import { discoveryAnswer } from './discovery.ts'
import { MAX_FORM_BYTES } from './form.ts'
import { jwksAnswer, signedJwksAnswer } from './jwks.ts'
import { type Endpoint, hostOf, locate, METHODS, single } from './routes.ts'
import { refuseConnection } from './socket.ts'
import { tokenAnswer } from './token.ts'

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

export type IssuerServer = { readonly url: string; readonly port: number; close(): Promise<void> }
export type ServerOptions = {
  /** Port 0 takes any free one. */
  listen: { host: string; port: number }
  limits?: Partial<Limits>
  /** Told about failures that no request should cause; one line, without anything that a request carried. */
  log?: (line: string) => void
}

/**
 * Serves every tenant of `service` over plain HTTP (TLS ends in front of it) until close(). Changes of the service show
 * at once. Throws `port-in-use`, or `config-invalid` when the address cannot be listened on.
 */
export async function createIssuerServer(service: IssuerService, options: ServerOptions): Promise<IssuerServer> {
  const limits = { ...LIMITS, ...options.limits }
  const log = options.log ?? (() => {})
  const app = makeApp(limits)
  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    const answer = await answerTo(service, request).catch((error: unknown) => unforeseen(error, log))
    reply.hijack()
    send(reply.raw, answer)
  }
  app.all('/', handle)
  app.setNotFoundHandler(handle)
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500
    reply.hijack()
    send(reply.raw, status === 413 ? TOO_LARGE : status < 500 ? BAD_REQUEST : unforeseen(error, log))
  })
  await listen(app, options.listen)
  const { port } = app.server.address() as AddressInfo
  return { url: `http://${options.listen.host}:${port}`, port, close: () => close(app, limits.closeTimeout) }
}

/** Fastify parses HTTP and bounds it; finding the issuer is ours, so every request takes the one route '/'. */
function makeApp(limits: Limits): FastifyInstance {
  const app = Fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeout,
    connectionTimeout: limits.idleTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    rewriteUrl: () => '/',
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeout,
      connectionsCheckingInterval: limits.checkInterval,
    },
    clientErrorHandler: refuseConnection,
  })
  app.server.maxConnections = limits.connections
  // Bounded by bytes already; a bound on their number would cut headers off unseen, a second Host among them.
  app.server.maxHeadersCount = 0
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  return app
}

async function answerTo(service: IssuerService, request: FastifyRequest): Promise<Answer> {
  const { raw, originalUrl: target, method } = request
  const host = hostOf(raw.rawHeaders)
  if (host === null || !target.startsWith('/')) return BAD_REQUEST
  const query = target.indexOf('?')
  const place = locate(query < 0 ? target : target.slice(0, query))
  const tenant = place && service.find(host, place.issuerPath)
  if (!tenant) return NOT_FOUND
  const allow = METHODS[place.endpoint]
  if (!allow.split(', ').includes(method)) return methodNotAllowed(allow)
  if (place.endpoint !== 'token') return publicAnswer(place.endpoint, tenant, service.now(), raw)
  return tokenAnswer(
    tenant,
    {
      contentType: single(raw.rawHeaders, 'content-type'),
      authorization: single(raw.rawHeaders, 'authorization'),
      hasQuery: query >= 0,
      body: typeof request.body === 'string' ? request.body : '',
    },
    service.now(),
  )
}

function publicAnswer(
  endpoint: Exclude<Endpoint, 'token'>,
  tenant: TenantService,
  now: number,
  { headers }: IncomingMessage,
): Answer {
  if (endpoint === 'jwks.json') return jwksAnswer(tenant, now, headers['if-none-match'])
  if (endpoint === 'jwks.jwt') return signedJwksAnswer(tenant, now, headers['if-none-match'])
  return discoveryAnswer(tenant)
}

function unforeseen(error: unknown, log: (line: string) => void): Answer {
  const { code, message } = asKeyriteError(error)
  log(`A request failed: ${message} (${code})`)
  return SERVER_ERROR
}

async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE')
      throw new KeyriteError('port-in-use', `Port ${port} on ${host} is already in use.`, { cause })
    throw new KeyriteError('config-invalid', `Cannot listen on port ${port} of ${host} (${code}).`, { cause })
  }
}

/** Takes no new connection, lets requests in flight finish, and cuts what is left after `timeout` milliseconds. */
async function close(app: FastifyInstance, timeout: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), timeout)
  try {
    await app.close()
  } finally {
    clearTimeout(cut)
  }
}
