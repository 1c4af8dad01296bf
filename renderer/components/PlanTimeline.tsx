import { type ReactNode, useId } from 'react'
import { text } from '../text/index.ts'
import { fullDay, shortDay } from './format.ts'
import { HiddenTable } from './HiddenTable.tsx'
import css from './Timeline.module.css'
import { Bar, Hatch, Legend, Months } from './TimelineParts.tsx'
import { keyInWords, percent, place, planScale, type Scale, type Span, type TimelineKey } from './timeline.ts'

/** A key of the plan; `note` says which kind and whether it is new: "RS256, new". */
export type PlanKey = TimelineKey & { id: string; note: ReactNode }

export type PlanTimelineProps = { keys: readonly PlanKey[]; now: number; scale?: Scale; title?: string }

/** The keys of a plan, one row each, with the dates at which they change. */
export function PlanTimeline({ keys, now, scale = planScale(keys, now), title }: PlanTimelineProps) {
  return (
    <figure className={css.chart}>
      <header className={css.head}>
        <h2>{title ?? text.timelines.schedule}</h2>
        <Legend kinds={['announced', 'signing', 'extend', 'retired']} />
      </header>
      <div className={css.planAxis}>
        <span />
        <Months scale={scale} />
      </div>
      <ul>
        {keys.map((key) => (
          <li key={key.id} className={css.planRow}>
            <div className={css.who}>
              <span className={css.name}>{key.name}</span>
              <span className={css.note}>{key.note}</span>
            </div>
            <PlanBars planned={key} scale={scale} />
          </li>
        ))}
      </ul>
      <PlanTable keys={keys} />
    </figure>
  )
}

function PlanBars({ planned, scale }: { planned: PlanKey; scale: Scale }) {
  const hatch = useId()
  const spans: Span[] = [
    { kind: 'announced', from: planned.announceAt, to: planned.signFrom },
    { kind: 'extend', from: planned.signUntil, to: planned.extendUntil },
    { kind: 'retired', from: Math.max(planned.signUntil, planned.extendUntil), to: planned.removeAt },
    { kind: 'signing', from: planned.signFrom, to: planned.signUntil, label: text.timelines.signing },
  ]
  return (
    <svg className={css.bars} width="100%" height="64" role="img" aria-label={keyInWords(planned, true)}>
      <Hatch id={hatch} />
      {spans.map((span) => (
        <Bar key={span.kind} span={span} scale={scale} y={13} hatch={hatch} room={464} />
      ))}
      <Dates planned={planned} scale={scale} />
    </svg>
  )
}

/** A share of the width, in percent, that a date needs. */
const DATE = 10

/** The dates below a bar, each only where it does not run into the next. */
function Dates({ planned, scale }: { planned: PlanKey; scale: Scale }) {
  const until = percent(scale, planned.signUntil)
  const announced = percent(scale, planned.announceAt)
  const removed = percent(scale, planned.removeAt)
  const roomAtEnd = removed < 100 - 1.8 * DATE
  return (
    <g className={css.dates}>
      {announced >= 0 && planned.announceAt < planned.signFrom && until - announced > 2 * DATE && (
        <text x={place(scale, planned.announceAt)} y="50">
          {shortDay(planned.announceAt)}
        </text>
      )}
      {until > DATE / 2 && until <= 100 && (
        <text x={place(scale, planned.signUntil)} y="50" textAnchor="end">
          {shortDay(planned.signUntil)}
        </text>
      )}
      {removed <= 100 && (roomAtEnd || removed - until > 2.2 * DATE) && (
        <text x={place(scale, planned.removeAt)} y="50" textAnchor={roomAtEnd ? 'start' : 'end'}>
          {text.timelines.removed(shortDay(planned.removeAt))}
        </text>
      )}
    </g>
  )
}

function PlanTable({ keys }: { keys: readonly PlanKey[] }) {
  const { table } = text.timelines
  return (
    <HiddenTable
      caption={text.timelines.schedule}
      heads={[table.key, table.announced, table.signs, table.until, table.extend, table.removed]}
      rows={keys.map(({ id, name, announceAt, signFrom, signUntil, extendUntil, removeAt }) => ({
        id,
        cells: [name, ...[announceAt, signFrom, signUntil, extendUntil, removeAt].map(fullDay)],
      }))}
    />
  )
}
