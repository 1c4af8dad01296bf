import { single } from '../issuer/http/routes.ts'
import type { Reason } from './refusals.ts'
import type { Seat } from './seat.ts'
import type { Session } from './session.ts'

/** What a request must show before a byte of its body is read. Pure, but for the session and the seat that it asks. */

export type Rule = {
  readonly method: 'GET' | 'POST'
  /** `Sec-Fetch-Site`: who made the request. Browsers set it and no page can: `none` is the person at the browser. */
  readonly site: readonly string[]
  /** Only as a window of its own, never inside another page or as a part of one. */
  readonly document?: true
  /** Needs the cookie; `or-token` also before there is one. */
  readonly cookie?: true | 'or-token'
  /** Needs the id of the window that is connected now. */
  readonly client?: true
}

const PERSON = ['none', 'same-origin']
const PAGE = ['same-origin']

export const RULES = {
  document: { method: 'GET', site: PERSON, document: true, cookie: 'or-token' },
  /** Words alone, for whoever is refused. */
  plain: { method: 'GET', site: PERSON, document: true },
  file: { method: 'GET', site: PAGE },
  /** Browsers ask for it by themselves. */
  icon: { method: 'GET', site: [...PERSON, 'cross-site'] },
  session: { method: 'POST', site: PAGE },
  notices: { method: 'GET', site: PAGE, cookie: true },
  call: { method: 'POST', site: PAGE, cookie: true, client: true },
  /** A drawn page, opened in a tab of its own. */
  page: { method: 'GET', site: PERSON, document: true, cookie: true },
} as const satisfies Record<string, Rule>

/** What a request says of itself: `headers` alternate names and values, as they came. */
export type Heard = { readonly method: string; readonly target: string; readonly headers: readonly string[] }
/** Where it arrived. */
export type Here = { readonly host: string; readonly session: Session; readonly seat: Seat }

export const CLIENT_HEADER = 'keyrite-client'

/** Why a request is refused; null where it may go on. `rule` is undefined for an address that does not exist. */
export function refusal(rule: Rule | undefined, heard: Heard, here: Here): Reason | null {
  const header = (name: string) => single(heard.headers, name)
  if (header('host') !== here.host) return 'host'
  const origin = header('origin')
  if (origin !== undefined && origin !== `http://${here.host}`) return 'origin'
  // The other form of a target, with a host of its own, is for proxies.
  if (!rule || !heard.target.startsWith('/') || heard.target.includes('?')) return 'address'
  if (heard.method !== rule.method) return 'method'
  if (rule.method === 'POST' && origin === undefined) return 'origin'
  if (!sites(rule, here).includes(header('sec-fetch-site') ?? '')) return 'site'
  if (rule.document && header('sec-fetch-dest') !== 'document') return 'site'
  if (rule.method === 'POST' && header('content-type') !== 'application/json') return 'content-type'
  return whose(rule, header, here)
}

/** The file that the browser is opened with leads here from no site at all, once: while the token waits. */
const sites = ({ site, cookie }: Rule, { session }: Here): readonly string[] =>
  cookie === 'or-token' && session.waits() ? [...site, 'cross-site'] : site

function whose(rule: Rule, header: (name: string) => string | null | undefined, here: Here): Reason | null {
  if (!rule.cookie) return null
  const admitted = here.session.admits(header('cookie'))
  if (!admitted) return rule.cookie === 'or-token' && here.session.waits() ? null : 'session'
  return rule.client && !here.seat.taken(header(CLIENT_HEADER)) ? 'client' : null
}
