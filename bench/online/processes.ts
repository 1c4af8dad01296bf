import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Processes of a measurement: each bound to its cores, with the processor time it took. */

export const CORES = availableParallelism()
export const ALL_CORES = Array.from({ length: CORES }, (_, at) => at)
/** Servers that get one core get the first; what asks them gets the others. */
export const SERVER_CORE = [0]
export const LOAD_CORES = CORES > 1 ? ALL_CORES.slice(1) : ALL_CORES

/** The path of a program, or null where this machine does not have it. */
export function program(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null
}

const TASKSET = program('taskset')

/** What a row must say where processes cannot be bound to cores. */
export const UNBOUND = TASKSET === null ? '; not bound to cores: no taskset here' : ''

/** A command bound to these cores, as command and arguments. */
function bound(cores: readonly number[], command: string, args: readonly string[]): [string, string[]] {
  return TASKSET === null ? [command, [...args]] : [TASKSET, ['-c', cores.join(','), command, ...args]]
}

const running = new Set<ChildProcess>()
let base: string | null = null

/** A new folder that goes when this process ends. */
export function temporary(name: string): string {
  base ??= guarded()
  return mkdtempSync(join(base, `${name}-`))
}

function remember(child: ChildProcess): void {
  base ??= guarded()
  running.add(child)
  child.once('exit', () => running.delete(child))
}

/** Nothing that was started or written here outlives this process, whether it ends by itself or by a signal. */
function guarded(): string {
  const made = mkdtempSync(join(tmpdir(), 'keyrite-bench-'))
  process.on('exit', () => {
    // Not SIGKILL: nginx ends its worker itself.
    for (const one of running) one.kill('SIGTERM')
    rmSync(made, { recursive: true, force: true, maxRetries: 3 })
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))
  return made
}

export type Started = { readonly child: ChildProcess; readonly pid: number; stop(): Promise<void> }

/** Starts a process that stays. It gets a channel for messages when `channel` says so. */
export function start(
  cores: readonly number[],
  command: string,
  args: readonly string[],
  { env = {}, channel = false }: { env?: Record<string, string>; channel?: boolean } = {},
): Started {
  const [bin, all] = bound(cores, command, args)
  const stdio = ['ignore', 'ignore', 'pipe', ...(channel ? (['ipc'] as const) : [])] as const
  const child = spawn(bin, all, { stdio: [...stdio], env: { ...process.env, NODE_ENV: 'production', ...env } })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
  })
  remember(child)
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) process.stderr.write(`${command} ${args.join(' ')} ended with ${code}:\n${said}\n`)
  })
  return { child, pid: child.pid ?? 0, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const cut = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(cut)
}

/** Runs a process to its end and gives what it printed. */
export async function run(cores: readonly number[], command: string, args: readonly string[]): Promise<string> {
  const [bin, all] = bound(cores, command, args)
  const ended = promisify(execFile)(bin, all)
  remember(ended.child)
  const { stdout } = await ended
  return stdout
}

/** Runs a script of this folder in a fresh Node and gives the JSON it printed. */
export async function script<T>(cores: readonly number[], name: string, ...args: string[]): Promise<T> {
  return JSON.parse(await run(cores, process.execPath, [here(name), ...args])) as T
}

export const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** proc(5): times stand in hundredths of a second. */
const TICK_MS = 10

/** Processor time in milliseconds that a process and those it started took so far; NaN where the system does not tell. */
export function cpuOf(pid: number): number {
  const fields = statOf(pid)
  return fields
    ? (fields.user + fields.system) * TICK_MS + childrenOf(pid).reduce((all, one) => all + cpuOf(one), 0)
    : Number.NaN
}

/** Processor time in milliseconds of the processes that this one started and that have ended. */
export function cpuOfEnded(): number {
  const fields = statOf(process.pid)
  return fields ? fields.ended * TICK_MS : Number.NaN
}

export function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`
  return existsSync(path) ? readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number) : []
}

function statOf(pid: number): { user: number; system: number; ended: number } | null {
  const path = `/proc/${pid}/stat`
  if (!existsSync(path)) return null
  const text = readFileSync(path, 'utf8')
  // The name of the program stands in brackets and may hold anything; after it the third field follows.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15)
  return { user, system, ended: endedUser + endedSystem }
}
