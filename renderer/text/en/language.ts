const NUMBERS = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ')

/** What formatting needs to know of the language. */
export const language = {
  locale: 'en-GB',
  months: 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' '),
  shortDay: (day: number, month: string) => `${day} ${month}`,
  number: (value: number): string => NUMBERS[value] ?? value.toLocaleString('en-GB'),
  counted: (value: number, one: string, many = `${one}s`): string =>
    `${language.number(value)} ${value === 1 ? one : many}`,
  and: (items: readonly string[]): string => joined(items, 'and'),
  or: (items: readonly string[]): string => joined(items, 'or'),
  quote: { open: '“', close: '”' },
}

const joined = (items: readonly string[], word: string): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`
