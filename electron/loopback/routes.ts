import type { FastifyInstance } from 'fastify'
import { METHOD_NAMES, METHODS, type MethodName, type Outcome } from '../../shared/contract/contract.ts'
import { KB, MB } from '../../shared/formats/json.ts'
import type { App } from '../app/app.ts'
import { PAGE_POLICY, PLAIN_POLICY } from '../app/content-policy.ts'
import type { ServedFile } from './files.ts'
import { type Refuse, sendPage } from './guard.ts'
import { createPages, type Pages, PLAIN_PAGES, plainPage } from './pages.ts'
import type { Refusals } from './refusals.ts'
import { RULES } from './rules.ts'
import type { Session } from './session.ts'
import type { Streams } from './streams.ts'

/** Bytes of a call's body: methods that take a plan with its quotes escaped, one that takes a file from QR frames, and all the others. */
export const LARGEST_CALL = 6 * MB
const CALL = 16 * KB
const LARGE_CALLS: Partial<Record<MethodName, number>> = {
  reviewPlan: LARGEST_CALL,
  savePlan: LARGEST_CALL,
  sit: LARGEST_CALL,
  openPage: LARGEST_CALL,
  takeQr: 512 * KB,
}

export type Served = {
  app: App
  files: ReadonlyMap<string, ServedFile>
  session: Session
  streams: Streams
  refuse: Refuse
  refusals: Refusals
  onClaim: () => void
}

/** Every address there is, each with its rule: whatever else is asked for does not exist. */
export function addRoutes(http: FastifyInstance, served: Served): void {
  const { files, session, streams, refuse, refusals } = served
  const room = `/${session.room}`
  const pages = createPages()

  for (const [path, { type, bytes }] of files) {
    const at = path === 'index.html' ? '' : path
    const rule = at === '' ? RULES.document : RULES.file
    // `all`: another method must meet the rule, instead of an address that seems not to exist.
    http.all(`${room}/${at}`, { config: { rule } }, (_request, reply) => reply.type(type).send(bytes))
  }
  for (const name of PLAIN_PAGES)
    http.all(`${room}/${name}`, { config: { rule: RULES.plain } }, (_request, reply) =>
      sendPage(reply, plainPage(name), PLAIN_POLICY),
    )
  http.all('/favicon.ico', { config: { rule: RULES.icon } }, (_request, reply) => reply.code(204).send())
  http.all(`${room}/session`, { config: { rule: RULES.session }, bodyLimit: KB }, (request, reply) => {
    const cookie = session.claim(tokenIn(request.body))
    if (cookie === null) return refuse(reply, 'token')
    served.onClaim()
    return reply.header('Set-Cookie', cookie).code(204).send()
  })
  http.all(`${room}/notices`, { config: { rule: RULES.notices } }, async (_request, reply) => {
    if ((await streams.open(reply)) === 'refused') refusals.note('client')
  })
  http.all<{ Params: { id: string } }>(`${room}/pages/:id`, { config: { rule: RULES.page } }, (request, reply) => {
    const page = pages.find(request.params.id)
    return page === null ? refuse(reply, 'address') : sendPage(reply, page, PAGE_POLICY)
  })
  addCalls(http, served, pages)
}

function addCalls(http: FastifyInstance, { app, session, refuse, refusals }: Served, pages: Pages): void {
  const config = { rule: RULES.call }
  const calls = `/${session.room}/call`
  for (const name of METHOD_NAMES)
    http.all(`${calls}/${name}`, { config, bodyLimit: LARGE_CALLS[name] ?? CALL }, async (request) => {
      if (!METHODS[name].takes.safeParse(request.body).success) refusals.note('wrong-types')
      const outcome = await app.call(name, request.body)
      return name === 'openPage'
        ? withAddress(outcome, (page) => `/${session.room}/pages/${pages.keep(page)}`)
        : outcome
    })
  http.all(`${calls}/:name`, { config, bodyLimit: CALL }, (_request, reply) => refuse(reply, 'unknown-method'))
}

/** A drawn page stays here: the window is told where to open it. */
function withAddress(outcome: Outcome, keep: (page: string) => string): Outcome {
  const page = outcome.ok ? METHODS.openPage.gives.safeParse(outcome.value) : null
  if (!page?.success || page.data.html === null) return outcome
  return { ok: true, value: { ...page.data, html: null, address: keep(page.data.html) } }
}

const tokenIn = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'token' in body && typeof body.token === 'string' ? body.token : ''
