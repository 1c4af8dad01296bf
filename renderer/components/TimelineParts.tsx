import { useId } from 'react'
import { text } from '../text/index.ts'
import { classes } from './classes.ts'
import { monthName, yearName } from './format.ts'
import css from './Timeline.module.css'
import { monthsOf, percent, place, type Scale, type Span, type SpanKind } from './timeline.ts'

/** Pieces that every timeline is drawn from. Positions are SVG attributes in percent: the chart stretches, its text does not. */

const BAR = 20

/** Months along the top; January names its year too. */
export function Months({ scale }: { scale: Scale }) {
  const months = monthsOf(scale).filter((at) => percent(scale, at) <= 96)
  return (
    <svg className={css.months} width="100%" height="20" aria-hidden="true">
      {months.map((at, index) => (
        <text key={at} x={place(scale, at)} y="14" className={classes(css.month, index % 2 === 1 && css.odd)}>
          {new Date(at * 1000).getUTCMonth() === 0 ? `${monthName(at)} ${yearName(at)}` : monthName(at)}
        </text>
      ))}
    </svg>
  )
}

/** One span of a key's life as a bar. */
export function Bar({ span, scale, y, hatch, after, room = 352 }: BarProps) {
  const { kind, from, to, label } = span
  if (to <= scale.from || from >= scale.to || to <= from) return null
  const width = percent(scale, to) - percent(scale, from)
  const x = place(scale, from)
  const length = `${Math.round(width * 100) / 100}%`
  if (kind === 'retired')
    return <rect className={css.retired} x={x} width={length} y={y + BAR / 2 - 2} height="4" rx="2" />
  const start = Math.max(from, scale.from, after !== undefined && after < to ? after : from)
  const shown = percent(scale, Math.min(to, scale.to)) - percent(scale, start)
  return (
    <>
      <rect
        className={css[kind]}
        x={x}
        width={length}
        y={y + 0.5}
        height={BAR - 1}
        rx="2"
        {...(kind === 'announced' ? { fill: `url(#${hatch})` } : {})}
      />
      {label && label.length * 6.5 + 6 <= (shown / 100) * room && (
        <svg x={place(scale, start)} width={`${shown}%`} y={y} height={BAR} aria-hidden="true">
          <text x="7" y="14.5" className={classes(css.barText, css[`${kind}Text`])}>
            {label}
          </text>
        </svg>
      )}
    </>
  )
}

type BarProps = {
  span: Span
  scale: Scale
  y: number
  /** The id of the hatching in the same drawing. */
  hatch: string
  /** A label starts after this instant, so that the line of today does not cross it. */
  after?: number
  /** The narrowest that the chart becomes, in pixels: a label that would not fit then is left out. */
  room?: number
}

/** Hatching for what is announced; each drawing brings its own. */
export function Hatch({ id }: { id: string }) {
  return (
    <defs>
      <pattern id={id} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect className={css.hatchGround} width="5" height="5" />
        <rect className={css.hatchLine} width="1.6" height="5" />
      </pattern>
    </defs>
  )
}

/** A line through the whole height, with a halo where it crosses bars. */
export function TodayLine({ scale, now }: { scale: Scale; now: number }) {
  if (now < scale.from || now > scale.to) return null
  const x = place(scale, now)
  return (
    <>
      <line className={css.halo} x1={x} x2={x} y1="0" y2="100%" />
      <line className={css.today} x1={x} x2={x} y1="0" y2="100%" />
    </>
  )
}

/** "today, 9 June", below the line and never cut at an edge. */
export function TodayLabel({ scale, now, words }: { scale: Scale; now: number; words: string }) {
  const at = percent(scale, now)
  const anchor = at < 12 ? 'start' : at > 88 ? 'end' : 'middle'
  return (
    <svg className={css.todayLabel} width="100%" height="22" aria-hidden="true">
      <text x={`${at}%`} y="16" textAnchor={anchor}>
        {words}
      </text>
    </svg>
  )
}

/** What the bars mean, in words beside a sample of each. */
export function Legend({ kinds }: { kinds: readonly SpanKind[] }) {
  const hatch = useId()
  return (
    <ul className={css.legend}>
      {kinds.map((kind) => (
        <li key={kind}>
          <svg width="22" height="12" aria-hidden="true">
            {kind === 'announced' && <Hatch id={hatch} />}
            {kind === 'retired' ? (
              <rect className={css.retired} width="22" height="4" y="4" rx="2" />
            ) : (
              <rect
                className={css[kind]}
                x="0.5"
                y="0.5"
                width="20"
                height="11"
                rx="2"
                {...(kind === 'announced' ? { fill: `url(#${hatch})` } : {})}
              />
            )}
          </svg>
          {text.timelines[kind]}
        </li>
      ))}
    </ul>
  )
}
