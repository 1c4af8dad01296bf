import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Room } from '../../ceremony/fixtures.ts'
import type { Ready } from '../../ceremony/kinds.ts'

/** Ceremonies in processes of their own, which are really killed or really meet a full medium. */

export type Ask = Pick<Ready, 'plan' | 'confirm' | 'present' | 'secrets'> & {
  base: string
  at: number
  /** SIGKILL before this operation. */
  killBefore?: number
  /** Not before it, but so long after it began. */
  microseconds?: number
}
export type Said = { signal: string | null; status: number | null; answer: string }

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))
/** Compiled code, so that the hundredth child starts faster than the first; and what each child is asked. */
let cache: string | undefined

function cacheFolder(): string {
  if (cache) return cache
  const made = mkdtempSync(join(tmpdir(), 'keyrite-child-'))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  cache = made
  return made
}

/** Runs a prepared ceremony in another process, in this room. `shell` may set limits before the process starts. */
export function runChild(
  { plan, confirm, present, secrets }: Ready,
  { base, clock }: Room,
  more: Partial<Ask> = {},
  shell = '',
): Promise<Said> {
  const folder = cacheFolder()
  const ask: Ask = { plan, confirm, present, secrets, base, at: clock.now(), ...more }
  const file = join(folder, `${base.replace(/\W/g, '_')}.json`)
  writeFileSync(file, JSON.stringify(ask))
  const command: [string, string[]] = shell
    ? ['/bin/sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, CHILD, file]]
    : [process.execPath, [CHILD, file]]
  const env = { ...process.env, NODE_COMPILE_CACHE: folder, NODE_OPTIONS: '' }
  return new Promise((resolve, reject) => {
    const child = spawn(...command, { stdio: ['ignore', 'pipe', 'inherit'], env })
    let answer = ''
    child.stdout.on('data', (chunk: Buffer) => {
      answer += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ signal, status, answer: answer.trim() }))
  })
}
