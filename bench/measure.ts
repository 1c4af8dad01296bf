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
export async function sideBySide<Name extends string>(
  rounds: number,
  subjects: Record<Name, () => unknown>,
  options: { warmUp?: boolean; onRound?: (done: number) => void } = {},
): Promise<Record<Name, number[]>> {
  const names = Object.keys(subjects) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = options.warmUp === false ? 1 : 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const start = performance.now()
      await subjects[name]()
      if (round > 0) times[name].push(performance.now() - start)
    }
    options.onRound?.(round)
  }
  return times
}

/** The middle value; the mean of the two middle ones for an even count. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1)
  return sum(middle) / middle.length
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
