import { DAY } from '../../shared/domain/policy.ts'
import type { ScheduleEntry } from '../components/ScheduleTimeline.tsx'
import type { TimelineKey } from '../components/timeline.ts'

/** What the gallery shows; nothing of it is real. */

export const at = (text: string): number => Date.parse(`${text}Z`) / 1000

export const NOW = at('2026-06-09T09:12:40')
export const DIGEST = 'l2QR_ibrE7N3lvSioGh4kClUZ_zsFkD8RO7jBq8bW1E'

export const key = (name: string, signFrom: string, signUntil: string): TimelineKey => {
  const [from, until] = [at(`${signFrom}T00:00:00`), at(`${signUntil}T00:00:00`)]
  return {
    name,
    announceAt: from - 14 * DAY,
    signFrom: from,
    signUntil: until,
    extendUntil: until + 7 * DAY,
    removeAt: until + 14 * DAY,
  }
}

const tenant = (name: string, current: TimelineKey, figure: string, to: string) => ({
  id: name.toLowerCase(),
  name,
  note: current.name,
  current,
  next: null,
  figure,
  figureNote: to,
})

export const TENANTS: ScheduleEntry[] = [
  {
    ...tenant('Acme', key('acme-2026-04', '2026-04-01', '2026-06-30'), '21 days', 'to 30 June'),
    missing: { from: at('2026-06-16T00:00:00'), to: at('2026-09-28T00:00:00') },
  },
  {
    ...tenant('Fabrikam', key('fabrikam-2026-06', '2026-06-01', '2026-07-01'), '22 days', 'to 1 July'),
    next: key('fabrikam-2026-07', '2026-07-01', '2026-07-31'),
  },
  {
    ...tenant('Northwind', key('northwind-2026-04', '2026-04-20', '2026-07-19'), '40 days', 'to 19 July'),
    next: key('northwind-2026-07', '2026-07-19', '2026-10-17'),
  },
  {
    ...tenant('Contoso', key('contoso-2026-05', '2026-05-03', '2026-08-01'), '53 days', 'to 1 August'),
    next: key('contoso-2026-08', '2026-08-01', '2026-10-30'),
  },
  {
    id: 'reserved-0201',
    name: 'Reserved 0201',
    note: 'no customer yet',
    current: null,
    next: null,
    words: 'Two keys made and sealed. They wait for a name.',
    figure: 'Ready',
    figureNote: 'since 12 May',
  },
]

export const MANY: ScheduleEntry[] = Array.from({ length: 1000 }, (_, index) => {
  const number = String(index + 1).padStart(4, '0')
  const until = NOW + (3 + ((index * 7) % 80)) * DAY
  const days = `${3 + ((index * 7) % 80)} days`
  const current: TimelineKey = {
    name: `tenant-${number}-a`,
    announceAt: until - 104 * DAY,
    signFrom: until - 90 * DAY,
    signUntil: until,
    extendUntil: until + 7 * DAY,
    removeAt: until + 14 * DAY,
  }
  const next = { ...current, name: `tenant-${number}-b`, announceAt: until - 14 * DAY, signFrom: until }
  return {
    ...tenant(`Tenant ${number}`, current, days, ''),
    figureNote: 'signed',
    next: { ...next, signUntil: until + 90 * DAY, extendUntil: until + 97 * DAY, removeAt: until + 104 * DAY },
  }
})
