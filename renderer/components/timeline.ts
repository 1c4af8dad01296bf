import { DAY } from '../../shared/domain/policy.ts'
import { text } from '../text/index.ts'
import { fullDay } from './format.ts'

/** The span of time that a chart shows. Seconds since 1970 UTC. */
export type Scale = { from: number; to: number }

/** The times of one key, as a chart draws them. */
export type TimelineKey = {
  name: string
  announceAt: number
  signFrom: number
  signUntil: number
  extendUntil: number
  removeAt: number
}

export type SpanKind = 'announced' | 'signing' | 'next' | 'extend' | 'retired' | 'missing'
export type Span = { kind: SpanKind; from: number; to: number; label?: string }

/** Where an instant stands, in percent of the width; below 0 or above 100 when it is outside. */
export const percent = ({ from, to }: Scale, at: number): number => ((at - from) / Math.max(1, to - from)) * 100

/** An SVG length. */
export const place = (scale: Scale, at: number): string => `${Math.round(percent(scale, at) * 100) / 100}%`

/** Home's window: three weeks back, four months ahead. */
export const homeScale = (now: number): Scale => ({ from: now - 20 * DAY, to: now + 124 * DAY })

/** From the month in which the first of these keys is announced, or from this one, to the last removal and a little room. */
export function planScale(keys: readonly TimelineKey[], now: number): Scale {
  const first = new Date(Math.max(now, Math.min(...keys.map((key) => key.announceAt))) * 1000)
  const from = Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), 1) / 1000
  const to = Math.max(from + 30 * DAY, ...keys.map((key) => key.removeAt))
  return { from, to: to + (to - from) * 0.16 }
}

/** The first instant of each month in the span, thinned out so that no more than `most` stand there. */
export function monthsOf({ from, to }: Scale, most = 12): number[] {
  const first = new Date(from * 1000)
  const months: number[] = []
  for (let month = first.getUTCMonth(); ; month++) {
    const at = Date.UTC(first.getUTCFullYear(), month, 1) / 1000
    if (at > to) break
    if (at >= from) months.push(at)
  }
  const every = Math.ceil(months.length / most)
  return months.filter((_, index) => index % every === 0)
}

/** What a key does when, in words: "acme-2026-06 signs from 30 June 2026 to 28 September 2026, stays published until …". */
export function keyInWords(key: TimelineKey, withExtension: boolean): string {
  const { announcedFrom, signsFromTo, extendsTo, publishedTo, keySaid } = text.timelines
  return keySaid(key.name, [
    ...(key.announceAt < key.signFrom ? [announcedFrom(fullDay(key.announceAt))] : []),
    signsFromTo(fullDay(key.signFrom), fullDay(key.signUntil)),
    ...(withExtension && key.extendUntil > key.signUntil ? [extendsTo(fullDay(key.extendUntil))] : []),
    publishedTo(fullDay(key.removeAt)),
  ])
}
