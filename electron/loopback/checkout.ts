import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyriteError } from '../../shared/errors.ts'

/** What a checkout runs is built when it is missing or older than what it is made of. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const at = (path: string): string => join(ROOT, path)

type Build = { made: string; from: readonly string[]; what: string; command: () => string[] }

/** Node runs both: npm says where it lies itself, so that no shell has to find it. */
const BUILDS = {
  window: {
    made: at('.vite/renderer/main_window/index.html'),
    from: ['renderer', 'shared', 'package-lock.json'].map(at),
    what: 'window',
    command: () => [at('node_modules/vite/bin/vite.js'), 'build', '--config', 'renderer/vite.config.ts'],
  },
  desktop: {
    made: at('.vite/build/main.js'),
    from: ['electron', 'renderer', 'shared', 'package-lock.json'].map(at),
    what: 'desktop app',
    command: () => {
      const npm = process.env.npm_execpath
      if (npm) return [npm, 'run', '-s', 'build']
      throw new KeyriteError('config-invalid', 'The desktop app is not built.', { hint: 'Start it with "npm start".' })
    },
  },
} satisfies Record<string, Build>

export const WINDOW_FOLDER = dirname(BUILDS.window.made)

/** Whether `made` is missing or older than a file of `from`. */
export function isStale(made: string, from: readonly string[]): boolean {
  const time = statSync(made, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return from.some((path) => newest(path) > time)
}

function newest(path: string): number {
  const found = statSync(path)
  if (!found.isDirectory()) return found.mtimeMs
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), 0)
}

/** Builds where that is needed. Code `config-invalid`, with what the build said, where it fails. */
export async function ensureBuilt(name: keyof typeof BUILDS, say: (line: string) => void): Promise<void> {
  const { made, from, what, command } = BUILDS[name]
  if (!isStale(made, from)) return
  say(`Building the ${what}; this takes a few seconds, once.`)
  const child = spawn(process.execPath, command(), {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-4_000)
  })
  const [status] = await once(child, 'close')
  if (status === 0) return
  throw new KeyriteError('config-invalid', `The ${what} cannot be built.\n${said.trim()}`, {
    hint: 'Run "npm ci", then start again.',
  })
}

/** Runs the checkout in Electron, which gets the signals that we get. Gives its exit status, 1 where it was killed. */
export async function runElectron(binary: string, flags: readonly string[]): Promise<number> {
  const child = spawn(binary, ['.', ...flags], { cwd: ROOT, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void child.kill(signal))
  const [status] = await once(child, 'close')
  return status ?? 1
}
