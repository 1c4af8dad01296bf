import { type ReactNode, useId } from 'react'
import { text } from '../text/index.ts'
import { dayMonth, fullDay } from './format.ts'
import { HiddenTable } from './HiddenTable.tsx'
import css from './Timeline.module.css'
import { Bar, Hatch, Legend, Months, TodayLabel, TodayLine } from './TimelineParts.tsx'
import { homeScale, keyInWords, type Scale, type Span, type TimelineKey } from './timeline.ts'
import { VirtualList } from './VirtualList.tsx'

/** One tenant on home. */
export type ScheduleEntry = {
  id: string
  name: string
  /** Below the name: the current key, or "no customer yet". */
  note: ReactNode
  current: TimelineKey | null
  next: TimelineKey | null
  /** The next key is not made: the span in which it should be announced and sign. */
  missing?: { from: number; to: number } | undefined
  /** In place of bars: "Two keys made and sealed. They wait for a name." */
  words?: string | undefined
  /** At the right: "21 days" above "to 30 June". */
  figure: string
  figureNote: string
}

export type ScheduleTimelineProps = {
  entries: readonly ScheduleEntry[]
  now: number
  scale?: Scale
  /** A press or Enter on a tenant; only lists longer than a screen are lists to move in, shorter ones are read. */
  onOpen?: ((entry: ScheduleEntry) => void) | undefined
  title?: string
}

/** Rows become a list of which only the seen part is drawn from here on. */
const LONG = 40
export const SCHEDULE_ROW = 70

/** Home's chart: per tenant the current key above the next one, along months, with the line of today. */
export function ScheduleTimeline({ entries, now, scale = homeScale(now), onOpen, title }: ScheduleTimelineProps) {
  const row = (entry: ScheduleEntry) => <ScheduleRow entry={entry} scale={scale} now={now} />
  const list = entries.length > LONG || onOpen !== undefined
  return (
    <figure className={css.chart}>
      <header className={css.head}>
        <h2>{title ?? text.timelines.schedules}</h2>
        <Legend kinds={['signing', 'announced', 'retired', 'missing']} />
      </header>
      <ScheduleAxis scale={scale} />
      {list ? (
        <VirtualList
          label={title ?? text.timelines.schedules}
          items={entries}
          rowHeight={SCHEDULE_ROW}
          nameOf={(entry) => entry.name}
          {...(onOpen ? { onOpen } : {})}
        >
          {row}
        </VirtualList>
      ) : (
        <ul>
          {entries.map((entry) => (
            <li key={entry.id}>{row(entry)}</li>
          ))}
        </ul>
      )}
      <ScheduleFoot scale={scale} now={now} />
      {!list && <ScheduleTable entries={entries} />}
    </figure>
  )
}

/** The months above the rows; the columns are those of `ScheduleRow`. */
export function ScheduleAxis({ scale }: { scale: Scale }) {
  return (
    <div className={css.axis}>
      <span />
      <Months scale={scale} />
      <span className={css.figureHead}>{text.timelines.signsFor}</span>
    </div>
  )
}

/** "today, 9 June" below the rows. */
export function ScheduleFoot({ scale, now }: { scale: Scale; now: number }) {
  return (
    <div className={css.foot}>
      <span />
      <TodayLabel scale={scale} now={now} words={text.timelines.today(dayMonth(now))} />
    </div>
  )
}

type RowProps = { entry: ScheduleEntry; scale: Scale; now: number }

/** One tenant's row, `SCHEDULE_ROW` pixels high, to be used alone in a virtualised list too. */
export function ScheduleRow({ entry, scale, now }: RowProps) {
  const hatch = useId()
  return (
    <div className={css.row}>
      <div className={css.who}>
        <span className={css.name}>{entry.name}</span>
        <span className={css.note}>{entry.note}</span>
      </div>
      <div className={css.drawing}>
        <svg className={css.bars} width="100%" height={SCHEDULE_ROW} role="img" aria-label={inWords(entry)}>
          <Hatch id={hatch} />
          {currentSpans(entry.current, now).map((span) => (
            <Bar key={span.kind} span={span} scale={scale} y={14} hatch={hatch} after={now} />
          ))}
          {nextSpans(entry).map((span) => (
            <Bar key={span.kind} span={span} scale={scale} y={36} hatch={hatch} after={now} />
          ))}
          <TodayLine scale={scale} now={now} />
        </svg>
        {entry.words && <span className={css.words}>{entry.words}</span>}
      </div>
      <div className={css.figure}>
        <span className={css.name}>{entry.figure}</span>
        <span className={css.note}>{entry.figureNote}</span>
      </div>
    </div>
  )
}

function currentSpans(key: TimelineKey | null, now: number): Span[] {
  if (!key) return []
  const longer = now >= key.signUntil && now < key.extendUntil
  const until = longer ? key.extendUntil : key.signUntil
  return [
    { kind: 'announced', from: key.announceAt, to: key.signFrom },
    { kind: 'signing', from: key.signFrom, to: key.signUntil, label: text.timelines.signing },
    ...(longer ? [{ kind: 'extend', from: key.signUntil, to: until } as const] : []),
    { kind: 'retired', from: until, to: key.removeAt },
  ]
}

function nextSpans({ next, missing }: ScheduleEntry): Span[] {
  if (missing) return [{ kind: 'missing', ...missing, label: text.timelines.nextMissing }]
  if (!next) return []
  return [
    { kind: 'announced', from: next.announceAt, to: next.signFrom },
    { kind: 'next', from: next.signFrom, to: next.signUntil, label: text.timelines.next },
    { kind: 'retired', from: next.signUntil, to: next.removeAt },
  ]
}

function inWords({ name, current, next, missing, words }: ScheduleEntry): string {
  const said = [
    ...(words ? [words] : []),
    ...(current ? [keyInWords(current, false)] : []),
    ...(next ? [keyInWords(next, false)] : []),
    ...(missing ? [text.timelines.missingSaid] : []),
  ]
  return text.timelines.label(name, said.join('; '))
}

/** The same as a table, for screen readers. */
export function ScheduleTable({ entries }: { entries: readonly ScheduleEntry[] }) {
  const { table } = text.timelines
  return (
    <HiddenTable
      caption={text.timelines.schedules}
      heads={[table.tenant, table.key, table.announced, table.signs, table.until, table.removed]}
      rows={entries.flatMap((entry) => [
        { id: `${entry.id} current`, cells: cells(entry.name, entry.current, table.none) },
        {
          id: `${entry.id} next`,
          cells: cells(entry.name, entry.next, entry.missing ? text.timelines.nextMissing : table.none),
        },
      ])}
    />
  )
}

const cells = (tenant: string, key: TimelineKey | null, otherwise: string): (string | null)[] =>
  key
    ? [tenant, key.name, ...[key.announceAt, key.signFrom, key.signUntil, key.removeAt].map(fullDay)]
    : [tenant, otherwise, null, null, null, null]
