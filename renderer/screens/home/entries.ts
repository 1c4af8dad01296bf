import type { TenantRow } from '../../../shared/contract/home.ts'
import { fullDay, roughly, shortDay } from '../../components/format.ts'
import type { ScheduleEntry } from '../../components/ScheduleTimeline.tsx'
import type { TimelineKey } from '../../components/timeline.ts'
import { text } from '../../text/index.ts'
import { signs } from './headline.ts'

/** Tenants as rows of the schedule: those that need somebody soonest first, then the reserved, then those that left. */

const words = text.home.entry

export type Filter = keyof typeof text.home.filters

type Key = TenantRow['keys'][number]
type Row = ScheduleEntry & { tenant: TenantRow }

export function entriesOf(tenants: readonly TenantRow[], now: number): Row[] {
  return tenants
    .toSorted((one, other) => orderOf(one) - orderOf(other) || one.name.localeCompare(other.name))
    .map((tenant) => ({ ...entryOf(tenant, now), id: tenant.tenant, name: tenant.name, tenant }))
}

export function filtered(entries: readonly Row[], find: string, filter: Filter, now: number): Row[] {
  const wanted = find.trim().toLowerCase()
  return entries.filter(
    ({ tenant }) =>
      passes(tenant, filter, now) &&
      (wanted === '' ||
        [tenant.name, tenant.tenant, tenant.issuer].some((known) => known.toLowerCase().includes(wanted))),
  )
}

const ended = ({ offboardedAt }: TenantRow): boolean => offboardedAt !== null

function passes(tenant: TenantRow, filter: Filter, now: number): boolean {
  if (filter === 'all') return true
  if (filter === 'ended') return ended(tenant)
  if (filter === 'reserved') return tenant.reserved && !ended(tenant)
  if (tenant.reserved || ended(tenant)) return false
  return filter === 'due' ? tenant.nextKeyDue !== null : !signs(tenant, now)
}

function orderOf(tenant: TenantRow): number {
  const last = Number.MAX_SAFE_INTEGER
  if (ended(tenant)) return last
  if (tenant.reserved) return last - 1
  return tenant.signsUntil ?? 0
}

type Told = Omit<ScheduleEntry, 'id' | 'name'>

function entryOf(tenant: TenantRow, now: number): Told {
  if (tenant.offboardedAt !== null) return gone(tenant.offboardedAt)
  if (tenant.reserved) return waiting(tenant.keys.length)
  const usual = tenant.keys.filter(({ standby, compromisedAt }) => !standby && compromisedAt === null)
  const current = usual.findLast(({ times }) => times.signFrom <= now && now < times.extendUntil)
  const next = usual.find(({ times }) => times.signFrom > now)
  return {
    note: current?.label ?? words.noKey,
    current: current ? drawn(current) : null,
    next: next ? drawn(next) : null,
    missing: missing(tenant, current),
    ...figureOf(tenant, current, next, now),
  }
}

const gone = (at: number): Told => ({
  note: words.ended.toLowerCase(),
  current: null,
  next: null,
  words: words.left(fullDay(at)),
  figure: words.ended,
  figureNote: words.since(shortDay(at)),
})

const waiting = (keys: number): Told => ({
  note: words.noCustomer,
  current: null,
  next: null,
  words: words.waiting(keys),
  figure: keys > 0 ? words.ready : words.notReady,
  figureNote: words.reserved,
})

const drawn = ({ label, times }: Key): TimelineKey => ({ name: label, ...times })

/** The next key is not made: where it should stand, as long as the present one signs. */
function missing({ nextKeyDue, signsUntil }: TenantRow, current: Key | undefined) {
  if (nextKeyDue === null || signsUntil === null || !current) return undefined
  return { from: nextKeyDue, to: signsUntil + (current.times.signUntil - current.times.signFrom) }
}

function figureOf({ signsUntil }: TenantRow, current: Key | undefined, next: Key | undefined, now: number) {
  if (!current)
    return next
      ? { figure: words.first, figureNote: words.starts(shortDay(next.times.signFrom)) }
      : { figure: words.nothing, figureNote: signsUntil === null ? words.never : words.since(shortDay(signsUntil)) }
  const until = signsUntil ?? current.times.signUntil
  if (until <= now) return { figure: words.longer, figureNote: words.to(shortDay(current.times.extendUntil)) }
  return { figure: roughly(until - now), figureNote: words.to(shortDay(until)) }
}
