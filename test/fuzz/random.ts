/** Numbers that look random and are the same for the same seed, and what they make of bytes, text and JSON. */

export class Random {
  #state: number

  constructor(seed: number, at = 0) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(at + 1, 0x85ebca6b)) >>> 0
  }

  /** The next of 2^32 numbers (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    return end <= 1 ? 0 : this.next() % end
  }

  chance(share: number): boolean {
    return this.next() / 2 ** 32 < share
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)]
    if (one === undefined) throw new Error('nothing to pick from')
    return one
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }
}

/** Text that parsers stumble over. */
export const HOSTILE: readonly string[] = [
  '',
  '\u0000',
  '\r\n',
  '\n',
  ' ',
  '\t',
  '%',
  '%00',
  '%0d%0a',
  '%ff',
  '%c0%ae',
  '%u0041',
  '+',
  '&',
  '=',
  ';',
  ',',
  '"',
  "'",
  '\\',
  '/',
  '..',
  '../',
  '//',
  '?',
  '#',
  '@',
  ':',
  '*',
  '{',
  '}',
  '[',
  ']',
  '[[[[',
  'null',
  'true',
  '-0',
  '1e999',
  '9007199254740993',
  '-1',
  '0',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\ufeff',
  '\ud800',
  '\u{1f511}',
  'ä',
  '\u202e',
  "' OR '1'='1",
  '; DROP TABLE keys; --',
  '$(id)',
  '<script>',
  'http://127.0.0.1:1/',
  'file:///etc/passwd',
  'A'.repeat(300),
  'a'.repeat(5000),
  '.',
  '...',
  '==',
  'eyJ',
  'none',
  'HS256',
  'canary',
].map((text) => text.toWellFormed())

/** Changes bytes in one to four places: bits, bytes, pieces cut, doubled, moved or put in. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  let made = bytes
  for (let left = 1 + random.below(4); left > 0; left--) made = mutateOnce(random, made)
  return made
}

function mutateOnce(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + random.below(random.chance(0.2) ? 200 : 8))
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
  switch (random.below(8)) {
    case 0: {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8))
      return flipped
    }
    case 1:
      return Buffer.concat([before, random.bytes(piece.length), after])
    case 2:
      return Buffer.concat([before, after])
    case 3:
      return Buffer.concat([before, piece, piece, after])
    case 4:
      return before
    case 5:
      return Buffer.concat([after, piece, before])
    case 6:
      return Buffer.concat([before, random.bytes(1 + random.below(4)), piece, after])
    default:
      return Buffer.concat([
        before,
        Buffer.from(random.pick(HOSTILE)),
        random.chance(0.5) ? piece : Buffer.alloc(0),
        after,
      ])
  }
}

export const mutateText = (random: Random, text: string): string =>
  mutateBytes(random, Buffer.from(text, 'latin1')).toString('latin1')

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53 - 1,
  '',
  'x',
  [],
  {},
  [[]],
  [null],
  { a: 1 },
  1_772_323_200,
]

/** A copy of plain JSON data with one member or element replaced, removed, added, renamed or doubled. */
export function mutateJson(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.15)) return mutateLeaf(random, value)
  if (Array.isArray(value)) return mutateList(random, value)
  const entries = Object.entries(value)
  if (entries.length === 0 || random.chance(0.1))
    return Object.fromEntries([...entries, [random.pick(HOSTILE), random.pick(VALUES)]])
  const at = random.below(entries.length)
  const [name = '', one] = entries[at] ?? []
  if (random.chance(0.1)) return Object.fromEntries(entries.toSpliced(at, 1))
  if (random.chance(0.1)) return Object.fromEntries(entries.with(at, [`${name}${random.pick(HOSTILE)}`, one]))
  return Object.fromEntries(entries.with(at, [name, mutateJson(random, one)]))
}

function mutateList(random: Random, list: readonly unknown[]): unknown {
  if (list.length === 0) return [random.pick(VALUES)]
  const at = random.below(list.length)
  if (random.chance(0.15)) return list.toSpliced(at, 1)
  if (random.chance(0.15)) return [...list, list[at]]
  return list.with(at, mutateJson(random, list[at]))
}

function mutateLeaf(random: Random, value: unknown): unknown {
  if (typeof value === 'number' && random.chance(0.6)) return value + random.pick([-1, 1, -86_400, 86_400, 1e9, 0.5])
  if (typeof value === 'string' && random.chance(0.6)) return mutateText(random, value)
  return random.chance(0.5) ? random.pick(VALUES) : random.pick(HOSTILE)
}
