import { DAY, HOUR, MINUTE, spellDuration } from '../../shared/domain/policy.ts'
import { text } from '../text/index.ts'

/** How screens write times (seconds since 1970 UTC), durations and counts. Always UTC unless the name says local. */

export { count } from '../../shared/domain/plural.ts'
export { spellDuration } from '../../shared/domain/policy.ts'
export { utcDay, utcTime } from '../../shared/domain/utc.ts'
export { hexGroups, shortHex, words } from '../../shared/formats/fingerprint.ts'

const formatter = (options: Intl.DateTimeFormatOptions): ((at: number) => string) => {
  const format = new Intl.DateTimeFormat(text.language.locale, { timeZone: 'UTC', ...options })
  return (at) => format.format(at * 1000)
}

/** "30 June" */
export const dayMonth = formatter({ day: 'numeric', month: 'long' })
/** "30 June 2026" */
export const fullDay = formatter({ day: 'numeric', month: 'long', year: 'numeric' })
/** "Jun" */
export const monthName = (at: number): string => text.language.months[new Date(at * 1000).getUTCMonth()] ?? ''
/** "30 Jun" */
export const shortDay = (at: number): string => text.language.shortDay(new Date(at * 1000).getUTCDate(), monthName(at))
/** "2026" */
export const yearName = formatter({ year: 'numeric' })

const two = (value: number): string => String(value).padStart(2, '0')

/** "09:41" */
export const clock = (at: number): string => new Date(at * 1000).toISOString().slice(11, 16)
/** "09:12:40 UTC" */
export const utcClock = (at: number): string => `${new Date(at * 1000).toISOString().slice(11, 19)} UTC`
/** "30 June 2026, 09:41 UTC" */
export const dayAndClock = (at: number): string => `${fullDay(at)}, ${clock(at)} UTC`

/** "11:12", on the machine's own clock. */
export function localClock(at: number): string {
  const local = new Date(at * 1000)
  return `${two(local.getHours())}:${two(local.getMinutes())}`
}

/** "21 days", "6 hours", "40 minutes": the largest whole unit, for places where the exact time stands near. */
export function roughly(seconds: number): string {
  const size = seconds >= 2 * DAY ? DAY : seconds >= 2 * HOUR ? HOUR : MINUTE
  return spellDuration(Math.max(0, Math.floor(seconds / size) * size)).replace(/^0 seconds$/, '0 minutes')
}

/** "15 days", "24 h", "15 min", "90 s": for labels in a chart. */
export function briefly(seconds: number): string {
  if (seconds > 2 * DAY && seconds % DAY === 0) return spellDuration(seconds)
  if (seconds % HOUR === 0 && seconds > 0) return `${seconds / HOUR} h`
  if (seconds % MINUTE === 0 && seconds > 0) return `${seconds / MINUTE} min`
  return `${seconds} s`
}

/** "three", "1,204": numbers as words up to twelve. */
export const numberWord = text.language.number
/** "three keys", "one key", "no keys". */
export const counted = text.language.counted
/** "a, b and c" */
export const listed = text.language.and

/** "Three keys": the first letter of a sentence. */
export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1)
