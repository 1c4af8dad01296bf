/** How pages speak of times and numbers: always UTC, always in full, small numbers in words. */

const MONTHS = 'January February March April May June July August September October November December'.split(' ')

const two = (value: number): string => String(value).padStart(2, '0')

/** "9 June 2026" */
export function spellDate(seconds: number): string {
  const at = new Date(seconds * 1000)
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
}

/** "14:19:02 UTC" */
export function spellClock(seconds: number): string {
  const at = new Date(seconds * 1000)
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} UTC`
}

/** "9 June 2026, 14:19:02 UTC" */
export const spellTime = (seconds: number): string => `${spellDate(seconds)}, ${spellClock(seconds)}`

export const monthName = (month: number): string => (MONTHS[month] ?? '').slice(0, 3)

const NUMBERS = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ')

/** "three" up to twelve, then "1,204". */
export const numberWord = (count: number): string => NUMBERS[count] ?? count.toLocaleString('en-US')

/** "three keys", "one key", "no keys" */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${numberWord(count)} ${count === 1 ? one : many}`

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** "a, b and c" */
export const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
