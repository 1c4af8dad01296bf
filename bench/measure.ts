/** One line of the table. `ratio` is what the target is about; figures alone are noise on a shared machine. */
export type Row = {
  readonly measure: string
  readonly figure: string
  readonly ratio?: number
  /** The least ratio that meets the target. */
  readonly target?: number
}

export type Bench = { readonly name: string; readonly about: string; run(): Promise<Row[]> }

/**
 * Measures subjects side by side: one warm-up round, then `rounds` rounds in which they take turns, so that a slow
 * moment of the machine hits all alike. Each subject does its work once per call; gives its times in milliseconds.
 */
export function sideBySide<Name extends string>(
  rounds: number,
  subjects: Record<Name, () => unknown>,
  options: { warmUp?: boolean; onRound?: (done: number) => void } = {},
): Promise<Record<Name, number[]>> {
  const timed = Object.entries<() => unknown>(subjects).map(([name, work]) => [name, () => timeOf(work)])
  return inTurns(rounds, Object.fromEntries(timed) as Record<Name, () => Promise<number>>, options)
}

async function timeOf(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** As `sideBySide`, for subjects that measure themselves: gives what each said in each round but the warm-up. */
export async function inTurns<Name extends string, T>(
  rounds: number,
  subjects: Record<Name, () => Promise<T>>,
  options: { warmUp?: boolean; onRound?: (done: number) => void } = {},
): Promise<Record<Name, T[]>> {
  const names = Object.keys(subjects) as Name[]
  const said = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<Name, T[]>
  for (let round = options.warmUp === false ? 1 : 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const one = await subjects[name]()
      if (round > 0) said[name].push(one)
    }
    options.onRound?.(round)
  }
  return said
}

/** The median of each round's own ratio: both halves of a round met the same moment of the machine. */
export const medianRatio = (above: readonly number[], below: readonly number[]): number =>
  median(above.map((one, at) => one / (below[at] ?? Number.NaN)))

/** The middle value; the mean of the two middle ones for an even count. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1)
  return sum(middle) / middle.length
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
