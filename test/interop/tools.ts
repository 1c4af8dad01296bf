import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

/** Relying parties that are programs of their own. They may be missing on a machine; then a test says so and is skipped. */

/** Distributions put their packages beside their own interpreter, which need not be the first on PATH. */
const PYTHONS = ['/usr/bin/python3', 'python3', '/usr/local/bin/python3']

/** An interpreter that has this module, or null. */
export const pythonWith = (module: string): string | null =>
  PYTHONS.find((python) => runs(python, ['-c', `import ${module}`])) ?? null

/** The program as it can be started, or null. */
export const programOf = (names: readonly string[], args: readonly string[]): string | null =>
  names.find((name) => runs(name, args)) ?? null

const runs = (program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore', timeout: 20_000 }).status === 0

export type Question = {
  token: string
  jwks: string
  issuer: string
  audience: string
  algorithms: readonly string[]
  now?: number
}
export type Said = { ok: boolean; error?: string; kid?: string; iss?: string; client?: string; fetches: number }

/** Starts a relying party in Python that lives until the test ends, and answers one question after the other. */
export function startRelying(python: string, script: string): (question: Question) => Promise<Said> {
  const child = spawn(python, [join(import.meta.dirname, script)], { stdio: ['pipe', 'pipe', 'inherit'] })
  endWithTest(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`${script} ended`)
    return JSON.parse(value) as Said
  }
}

/** Ends this one process when the test ends. */
export function endWithTest(child: ChildProcess): void {
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  })
}
