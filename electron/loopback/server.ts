import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { KB, parseJson } from '../../shared/formats/json.ts'
import type { App } from '../app/app.ts'
import { refuseConnection } from '../issuer/http/socket.ts'
import { readFiles } from './files.ts'
import { guard } from './guard.ts'
import { createRefusals, type Reason } from './refusals.ts'
import { addRoutes, LARGEST_CALL } from './routes.ts'
import { createSeat } from './seat.ts'
import { createSession, TOKEN_LIFETIME } from './session.ts'
import { watchStrangers } from './strangers.ts'
import { createStreams } from './streams.ts'

/** The browser shell: the contract over a loopback socket, for one window of one browser, until that window is gone. */

/** Why it ended: the window was closed, nobody opened the address in time, or `close` was called. */
export type End = 'window-closed' | 'nobody-came' | 'asked'

export type Shell = {
  /** What to open: works once, within two minutes. */
  readonly address: string
  /** Settles when the address was used, or cannot be used any more. */
  readonly entered: Promise<void>
  /** Settles when everything is closed; fails where the app could not be closed as it should. */
  readonly ended: Promise<End>
  close(): Promise<void>
  /** What was refused, and how often. */
  refusals(): Partial<Record<Reason, number>>
}

export type ShellOptions = {
  /** The folder of the built window. */
  files: string
  /** Told about refusals, once for each reason, and about defects: one line, without anything that a request carried. */
  say?: (line: string) => void
  /** Milliseconds that the address may wait to be opened. */
  tokenLifetime?: number
  /** Milliseconds without a window before everything ends. */
  linger?: number
  /** Milliseconds that a window waits for the one before it to leave, as when it is loaded again. */
  takeover?: number
}

/** Milliseconds and bytes. There is one client, on this machine: every bound is for whoever else comes. */
const LIMITS = {
  connections: 64,
  /** Connections that have not shown the cookie yet; a newer one takes the place of the oldest. */
  strangers: 32,
  headerBytes: 8 * KB,
  headersTimeout: 3_000,
  requestTimeout: 10_000,
  checkInterval: 1_000,
}

/**
 * Serves `app` on a random port of 127.0.0.1, and closes it when the window is gone. Codes `file-missing` and
 * `config-invalid` for what the folder of the window holds.
 */
export async function serveApp(app: App, options: ShellOptions): Promise<Shell> {
  const { say = () => {}, tokenLifetime = TOKEN_LIFETIME, linger = 10_000, takeover = 1_500 } = options
  const files = readFiles(options.files)
  const session = createSession(() => performance.now(), tokenLifetime)
  const seat = createSeat({ takeover, linger, onEmpty: () => void ending.begin('window-closed') })
  const streams = createStreams(app, seat)
  const refusals = createRefusals((why) => {
    say(`Refused: ${why}`)
    streams.tell({ tell: 'refused-call', why })
  })
  const http = makeHttp(() => refusals.note('not-http'))
  const strangers = watchStrangers(http.server, LIMITS.strangers, () => refusals.note('too-many'))
  const entered = Promise.withResolvers<void>()
  const ending = createEnding(() => {
    clearTimeout(unopened)
    entered.resolve()
    seat.close()
    return shut(app, http, streams.end)
  })
  const unopened = setTimeout(() => void ending.begin('nobody-came'), tokenLifetime)
  const onClaim = () => {
    clearTimeout(unopened)
    entered.resolve()
    seat.expect()
  }

  const here = () => ({ host: hostOf(http), session, seat })
  const refuse = guard(http, { here, ending: ending.begun, known: strangers.known, refusals, say })
  addRoutes(http, { app, files, session, streams, refuse, refusals, onClaim })
  await http.listen({ host: '127.0.0.1', port: 0 })
  return {
    address: `http://${hostOf(http)}/${session.room}/#${session.token}`,
    entered: entered.promise,
    ended: ending.ended,
    close: async () => void (await ending.begin('asked')),
    refusals: refusals.counts,
  }
}

/** Ends once, whoever asks first; everybody hears the same. */
function createEnding(shutAll: () => Promise<void>) {
  const ended = Promise.withResolvers<End>()
  // Whoever waits hears of a failure; a timer that ends everything waits for nothing.
  ended.promise.catch(() => {})
  let begun = false
  return {
    ended: ended.promise,
    begun: () => begun,
    begin: (why: End): Promise<End> => {
      if (!begun) {
        begun = true
        shutAll().then(() => ended.resolve(why), ended.reject)
      }
      return ended.promise
    },
  }
}

const hostOf = (http: FastifyInstance): string => `127.0.0.1:${(http.server.address() as AddressInfo | null)?.port}`

function makeHttp(onNotHttp: () => void): FastifyInstance {
  const http = Fastify({
    bodyLimit: LARGEST_CALL,
    requestTimeout: LIMITS.requestTimeout,
    forceCloseConnections: true,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    http: {
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: LIMITS.headersTimeout,
      connectionsCheckingInterval: LIMITS.checkInterval,
    },
    clientErrorHandler: (error, socket) => {
      // Browsers open connections ahead of need; one that said nothing yet did nothing wrong.
      const silent = socket.bytesRead === 0
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET' && !silent) onNotHttp()
      refuseConnection(error, socket)
    },
  })
  http.server.maxConnections = LIMITS.connections
  // Bounded by bytes already; a bound on their number would cut headers off unseen, a second Host among them.
  http.server.maxHeadersCount = 0
  http.removeAllContentTypeParsers()
  http.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer, { maxBytes: LARGEST_CALL }))
    } catch (error) {
      done(error as Error)
    }
  })
  return http
}

/** The app first: what it still tells, such as that a ceremony is paused, reaches the window. */
async function shut(app: App, http: FastifyInstance, endStreams: () => void): Promise<void> {
  try {
    await app.close()
  } finally {
    endStreams()
    await http.close()
  }
}
