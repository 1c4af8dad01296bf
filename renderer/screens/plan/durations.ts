/** Durations as plan files write them: "90d", "12h". */

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Its count and its unit; whatever was typed stays typed. */
export function splitDuration(text: unknown): { count: string; unit: string | null } {
  const [, count = '', unit = null] = /^(.*?)([smhd])?$/s.exec(typeof text === 'string' ? text : '') ?? []
  return { count, unit }
}

export function secondsOf(text: string): number {
  const { count, unit } = splitDuration(text)
  return Number(count) * (UNITS[unit ?? 's'] ?? 1)
}
