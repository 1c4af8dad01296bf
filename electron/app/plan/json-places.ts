/** Where each member of a JSON text stands, so that a person can find it: a line for every path. */

export type Places = {
  /** "tenants.0.policy" -> the line that it begins on, counted from 1; "" is the whole. */
  lines: ReadonlyMap<string, number>
  /** Members that stand twice in their object, and the line of the second. */
  twice: readonly { path: string; line: number }[]
}

/** Walks a text that JSON.parse has accepted. */
export function placesOf(text: string): Places {
  const lines = new Map<string, number>()
  const twice: { path: string; line: number }[] = []
  let at = 0
  let line = 1
  const blank = () => {
    for (; /\s/.test(text[at] ?? ''); at++) if (text[at] === '\n') line++
  }
  const string = (): string => {
    const start = at
    for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
    at++
    return String(JSON.parse(text.slice(start, at)))
  }
  const joined = (path: string, name: string | number) => (path === '' ? String(name) : `${path}.${name}`)
  const members = (path: string, close: string, item: (index: number) => string) => {
    at++
    blank()
    for (let index = 0; text[at] !== close; index++) {
      const inner = item(index)
      blank()
      value(inner)
      blank()
      if (text[at] === ',') at++
      blank()
    }
    at++
    return path
  }
  const name = (path: string): string => {
    const inner = joined(path, string())
    if (lines.has(inner)) twice.push({ path: inner, line })
    lines.set(inner, line)
    blank()
    at++
    return inner
  }
  const value = (path: string): void => {
    if (!lines.has(path)) lines.set(path, line)
    if (text[at] === '{') members(path, '}', () => name(path))
    else if (text[at] === '[') members(path, ']', (index) => joined(path, index))
    else if (text[at] === '"') string()
    else while (/[^\s,\]}]/.test(text[at] ?? ' ')) at++
  }
  blank()
  value('')
  return { lines, twice }
}

/** The line of a path, or of the nearest thing around it. */
export function lineOf({ lines }: Places, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const line = lines.get(path.slice(0, length).map(String).join('.'))
    if (line !== undefined) return line
  }
  return 1
}
