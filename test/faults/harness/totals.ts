import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** How many points were tried and survived, per kind: printed, and kept in test/output/faults.json. */

/** `tried`: how many of the points, where that is not all. */
export type Row = { kind: string; points: number; tried?: number; survived: number } & Record<string, number | string>

const OUTPUT = fileURLToPath(new URL('../../output/', import.meta.url))

/** Prints one row of the table `fault`. */
export function say(fault: string, { kind, points, tried = points, survived, ...more }: Row): void {
  const rest = Object.entries(more).map(([name, value]) => `, ${name} ${value}`)
  console.info(`${fault}: ${kind.padEnd(15)} ${points} points, ${tried} tried, ${survived} survived${rest.join('')}`)
}

/** Prints a table and keeps it. */
export function report(fault: string, rows: readonly Row[]): void {
  for (const row of rows) say(fault, row)
  mkdirSync(OUTPUT, { recursive: true })
  const path = join(OUTPUT, 'faults.json')
  const known = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Row[]>) : {}
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify({ ...known, [fault]: rows }, null, 2)}\n`)
  renameSync(temporary, path)
}
