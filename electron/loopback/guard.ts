import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { failed } from '../../shared/contract/contract.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { PLAIN_POLICY } from '../app/content-policy.ts'
import { plainFailureOf } from '../app/failure.ts'
import { HEADERS } from './headers.ts'
import { plainPage } from './pages.ts'
import { type Reason, type Refusals, statusOf, wordsOf } from './refusals.ts'
import { type Here, type Rule, refusal } from './rules.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    rule?: Rule
  }
}

export type Refuse = (reply: FastifyReply, reason: Reason, rule?: Rule) => FastifyReply

type Watch = {
  here: () => Here
  ending: () => boolean
  /** The connection carried a request that showed the cookie. */
  known: (socket: Socket) => void
  refusals: Refusals
  say: (line: string) => void
}

/**
 * Puts every request through its rule before its body is read, and what every answer must carry onto every answer. Gives
 * the way to refuse: recorded, and answered as a failure that the window can show, or as a page for whoever looks at one.
 */
export function guard(http: FastifyInstance, { here, ending, known, refusals, say }: Watch): Refuse {
  const refuse: Refuse = (reply, reason, rule) => {
    refusals.note(reason)
    // Whoever is refused keeps no place either.
    reply.code(statusOf(reason)).header('Connection', 'close')
    if (rule?.document && reason === 'session') return sendPage(reply, plainPage('stale'), PLAIN_POLICY)
    return reply.send(failed({ ...REFUSED, message: wordsOf(reason) }))
  }
  http.addHook('onRequest', async (request, reply) => {
    for (const [name, value] of Object.entries(HEADERS)) reply.raw.setHeader(name, value)
    const { rule } = request.routeOptions.config
    const heard = { method: request.method, target: request.originalUrl, headers: request.raw.rawHeaders }
    const reason = ending() ? 'ending' : refusal(rule, heard, here())
    if (reason) return refuse(reply, reason, rule)
    if (rule?.cookie === true) known(request.raw.socket)
  })
  http.setNotFoundHandler((_request, reply) => refuse(reply, 'address'))
  http.setErrorHandler((error: FastifyError | KeyriteError, _request, reply) => {
    const status = error instanceof KeyriteError ? 400 : (error.statusCode ?? 500)
    if (status < 500) return refuse(reply, status === 413 ? 'too-large' : 'malformed')
    const failure = plainFailureOf(error)
    say(`A call failed: ${failure.message}`)
    return reply.code(500).send(failed(failure))
  })
  return refuse
}

const REFUSED = {
  code: 'usage-invalid',
  lost: 'Nothing was changed.',
  hint: 'If you did not cause this, something else on this machine tried to reach Keyrite: note it as a deviation.',
} as const

/** Sends HTML under a policy of its own. */
export const sendPage = (reply: FastifyReply, page: string, policy: string): FastifyReply =>
  reply.header('Content-Security-Policy', policy).type('text/html; charset=utf-8').send(page)
