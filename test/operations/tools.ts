import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Files for operators, and the tools that they are made for. */

const OPERATIONS = join(import.meta.dirname, '../../docs/operations')
export const operationsFile = (...path: string[]): string => join(OPERATIONS, ...path)
export const operationsText = (...path: string[]): string => readFileSync(operationsFile(...path), 'utf8')

export type Ran = { status: number | null; output: string }

/** Runs a tool; null when it is not installed. */
export function tool(name: string, ...args: string[]): Ran | null {
  const ran = spawnSync(name, args, { encoding: 'utf8', timeout: 60_000 })
  return ran.error ? null : { status: ran.status, output: ran.stdout + ran.stderr }
}
