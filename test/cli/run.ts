import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

/** The command line as people and scripts run it: a process of its own, its streams and its exit status. */

export const MAIN = fileURLToPath(new URL('../../electron/cli/main.ts', import.meta.url))

export type Ran = { status: number | null; stdout: string; stderr: string }
export type Answer = { ok: boolean; data: never; error: { code: string; message: string; hint: string; lost: string } }

type Options = { env?: NodeJS.ProcessEnv; onStart?: (child: ChildProcess) => void }

export function keyrite(args: readonly string[], { env = process.env, onStart }: Options = {}): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onStart?.(child)
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk
    })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, ...said }))
  })
}

/** The one object that --json prints; anything else on stdout fails. */
export const answerOf = ({ stdout }: Ran): Answer => {
  if (stdout.split('\n').length !== 2) throw new Error(`stdout is not one line of JSON: ${stdout.slice(0, 200)}`)
  return JSON.parse(stdout) as Answer
}

/** A port on 127.0.0.1 that was free just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
