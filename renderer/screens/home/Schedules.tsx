import { useMemo, useState } from 'react'
import type { TenantRow } from '../../../shared/contract/home.ts'
import { Choice } from '../../components/Choice.tsx'
import { TextField } from '../../components/Field.tsx'
import { ScheduleTimeline } from '../../components/ScheduleTimeline.tsx'
import { useKeyrite } from '../../state.tsx'
import { text } from '../../text/index.ts'
import { entriesOf, type Filter, filtered } from './entries.ts'
import css from './home.module.css'

/** Fewer tenants than this are seen at a glance. */
const FEW = 8
const FILTERS = Object.keys(text.home.filters) as Filter[]

/** Each tenant's keys along the months; thousands of them are searched and filtered. */
export function Schedules({ tenants, now }: { tenants: readonly TenantRow[]; now: number }) {
  const { go } = useKeyrite()
  const [find, setFind] = useState('')
  const [filter, setFilter] = useState<Filter>('all')
  const all = useMemo(() => entriesOf(tenants, now), [tenants, now])
  const shown = useMemo(() => filtered(all, find, filter, now), [all, find, filter, now])
  const said = text.home.shown(shown.length, all.length)
  return (
    <div className={css.schedules}>
      {tenants.length >= FEW && (
        <div className={css.finding}>
          <TextField label={text.home.find} value={find} onChange={setFind} maxLength={80} />
          <Choice
            label={text.home.show}
            look="select"
            value={filter}
            onChange={(value) => setFilter(FILTERS.find((known) => known === value) ?? 'all')}
            options={FILTERS.map((value) => ({ value, label: text.home.filters[value] }))}
          />
          <p className={css.count} role="status">
            {shown.length === 0 ? text.home.noneFound : said}
          </p>
        </div>
      )}
      <ScheduleTimeline
        entries={shown}
        now={now}
        {...(tenants.length >= FEW ? { onOpen: ({ id }) => go({ screen: 'keys', tenant: id }) } : {})}
      />
    </div>
  )
}
