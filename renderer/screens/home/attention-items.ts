import type { Attention, Overview } from '../../../shared/contract/home.ts'
import { dayMonth, fullDay } from '../../components/format.ts'
import type { StatusKind } from '../../components/Status.tsx'
import { type CeremonyKind, type Destination, readyFor } from '../../state.tsx'
import { text } from '../../text/index.ts'

/** What needs somebody, in words, and where it is done. */

export type Item = {
  key: string
  kind: StatusKind
  status: string
  title: string
  body: string
  go: string
  leads: Destination | { page: 'head-card' }
}

type What = Attention['what']

const words = text.home.attention

const SHAPES: Record<What, StatusKind> = {
  'no-key': 'danger',
  'ceremony-open': 'warn',
  tail: 'warn',
  'rotation-due': 'due',
  'handoff-due': 'due',
  'receipts-missing': 'open',
  'passphrase-due': 'due',
  'destruction-due': 'due',
  'open-copies': 'open',
  'backup-untested': 'warn',
  'head-card': 'todo',
}
const URGENCY = Object.keys(SHAPES)

export const itemsOf = (overview: Overview, now: number): Item[] =>
  overview.attention
    // Going on with an open ceremony shows these events too, and no other can begin before it is over.
    .filter(({ what }) => what !== 'tail' || overview.openCeremony === null)
    .toSorted((one, other) => rank(one) - rank(other) || (one.by ?? Infinity) - (other.by ?? Infinity))
    .map((item, index) => ({
      key: `${item.what} ${index}`,
      kind: item.what === 'rotation-due' && item.overdue ? 'danger' : SHAPES[item.what],
      status: statusOf(item, now),
      leads: leadsTo(item, overview),
      ...said(item, overview),
    }))

const rank = ({ what }: Attention): number => URGENCY.indexOf(what)

function statusOf({ what, by, overdue }: Attention, now: number): string {
  const own = words[what]
  if ('status' in own) return own.status
  if (by === null) return overdue ? words.overdue : words.due
  return overdue || by < now ? words.overdueSince(dayMonth(by)) : words.dueBy(dayMonth(by))
}

function said(item: Attention, { people }: Overview): Pick<Item, 'title' | 'body' | 'go'> {
  const { title, body, go } = words[item.what]
  const name = item.about[0]?.name ?? ''
  const proved = people.find(({ id }) => id === item.about[0]?.id)?.lastProved ?? null
  return {
    title: typeof title === 'string' ? title : title(name, item.count),
    body: typeof body === 'string' ? body : body(proved === null ? null : fullDay(proved)),
    go,
  }
}

/** The plans that put something right, with what is known of them already: the fields of their plan files. */
const PLANS: Partial<Record<What, (ids: string[]) => { kind: CeremonyKind; given: Record<string, unknown> }>> = {
  'rotation-due': (tenants) => ({ kind: 'rotate', given: { tenants } }),
  'no-key': (tenants) => ({ kind: 'rotate', given: { tenants } }),
  'handoff-due': ([runtime]) => ({ kind: 'handoff', given: runtime === undefined ? {} : { runtime } }),
  'receipts-missing': ([runtime]) => ({ kind: 'intake', given: runtime === undefined ? {} : { runtime } }),
  'backup-untested': () => ({ kind: 'backup', given: {} }),
  tail: () => ({ kind: 'inventory', given: {} }),
  'destruction-due': (keys) => ({ kind: 'destroy', given: { keys } }),
}

function leadsTo({ what, about }: Attention, { folder }: Overview): Item['leads'] {
  const start = PLANS[what]?.(about.map(({ id }) => id))
  if (start) return { screen: 'plan', start }
  if (what === 'open-copies') return { screen: 'keys', only: 'open-copies' }
  if (what === 'passphrase-due') return { screen: 'people' }
  if (what === 'head-card') return { page: 'head-card' }
  return readyFor({ doing: 'resume', folder })
}
