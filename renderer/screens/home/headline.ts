import type { Attention, Overview, TenantRow } from '../../../shared/contract/home.ts'
import { dayMonth } from '../../components/format.ts'
import { text } from '../../text/index.ts'

/** What home says first: are we all right, what is due next, and who is needed for it. */

const words = text.home.headline

export type Headline = { first: string; second: string; lead: string }

export function headlineOf(overview: Overview, now: number): Headline {
  const custodians = overview.people.filter(({ role }) => role === 'custodian').length
  const due = keysDue(overview)
  const needed = due.length > 0 || overview.openCeremony ? text.home.needed : text.home.anyChange
  return {
    first: areWeAllRight(overview, now),
    second: overview.tenants.length === 0 ? '' : whatIsNext(overview, due, now),
    lead: needed(overview.threshold, custodians),
  }
}

/** Customers that are served now: neither reserved nor gone. */
export const liveTenants = ({ tenants }: Pick<Overview, 'tenants'>): TenantRow[] =>
  tenants.filter((tenant) => !tenant.reserved && tenant.offboardedAt === null)

/** A key of the tenant signs at this moment: within its span, or in the extension after it. */
export const signs = (tenant: TenantRow, now: number): boolean =>
  tenant.keys.some(
    ({ times, compromisedAt, destroyedAt }) =>
      times.signFrom <= now && now < times.extendUntil && compromisedAt === null && destroyedAt === null,
  )

function areWeAllRight(overview: Overview, now: number): string {
  if (overview.tenants.length === 0) return words.none
  const live = liveTenants(overview)
  const [only] = live
  if (!only) return words.noneLive
  const silent = silentTenants(overview, live, now)
  const [first] = silent
  if (!first) return live.length === 1 ? words.oneSigns(only.name) : words.allSign(live.length)
  return silent.length === 1 ? words.oneSilent(first.name) : words.silent(silent.length, live.length)
}

/** Those without a key that signs, and those that lack one for an algorithm of their policy. */
function silentTenants({ attention }: Overview, live: readonly TenantRow[], now: number): TenantRow[] {
  const named = new Set(attention.flatMap(({ what, about }) => (what === 'no-key' ? about.map(({ id }) => id) : [])))
  return live.filter((tenant) => named.has(tenant.tenant) || !signs(tenant, now))
}

const keysDue = ({ attention }: Overview): Attention[] => attention.filter(({ what }) => what === 'rotation-due')

function whatIsNext(overview: Overview, due: Attention[], now: number): string {
  if (overview.openCeremony) return words.open(overview.openCeremony.ceremony)
  if (overview.attention.some(({ what }) => what === 'tail')) return words.tail
  const told = dueSentence(due)
  if (told) return told
  const next = liveTenants(overview)
    .filter(({ nextKeyDue }) => nextKeyDue !== null && nextKeyDue > now)
    .toSorted((one, other) => (one.nextKeyDue ?? 0) - (other.nextKeyDue ?? 0))[0]
  return next?.nextKeyDue ? words.nextDue(next.name, dayMonth(next.nextKeyDue)) : words.nothingDue
}

function dueSentence(due: Attention[]): string | null {
  const count = due.reduce((sum, item) => sum + item.count, 0)
  const first = due.toSorted((one, other) => (one.by ?? 0) - (other.by ?? 0))[0]
  if (!first) return null
  const name = first.about[0]?.name ?? ''
  const day = first.by === null ? null : dayMonth(first.by)
  if (first.overdue) return count === 1 && day ? words.keyOverdue(name, day) : words.keysOverdue(count)
  if (!day) return null
  return count === 1 ? words.keyDue(name, day) : words.keysDue(count, day)
}
