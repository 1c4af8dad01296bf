import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { DAY } from '../../../shared/domain/policy.ts'
import { makeHandoff, makeRuntime, makeTenant, makeVault, pathsOf, policyWith, type TestRuntime } from '../fixtures.ts'

/** `keyrite issuer serve` as its users start it: a process of its own, with workers, by the clock of the machine. */

const CLI = fileURLToPath(new URL('../../../electron/cli/main.ts', import.meta.url))
export const AUDIENCE = 'https://api.example.com'

export type Client = { tenant: string; host: string; clientId: string; secret: string }

/** A runtime of today with these tenants, a client each, on free ports; not served yet, and nobody has it open. */
export async function today(tenants: readonly string[]): Promise<TestRuntime & { clients: Client[] }> {
  const vault = await makeVault()
  const now = Math.floor(Date.now() / 1000)
  const made = await makeRuntime(vault)
  made.clock.to(now)
  const policy = policyWith()
  const lines = tenants.map((tenant) => makeTenant(tenant, { from: now - DAY, policy }))
  const handoff = await makeHandoff(vault, made.folder, lines, {
    transportKey: made.transportKey,
    manifest: { iat: now - 60, exp: now + DAY },
  })
  await made.runtime.importFiles(pathsOf(handoff))
  const clients: Client[] = []
  for (const tenant of tenants) {
    const request = { clientId: 'app', method: 'client_secret_basic', audiences: [AUDIENCE], scopes: [] } as const
    const { secret } = await made.runtime.clients.add(
      tenant,
      { ...request, audiences: [AUDIENCE], scopes: [] },
      'operator',
    )
    clients.push({ tenant, host: `${tenant}.example.com`, clientId: 'app', secret: secret ?? '' })
  }
  await made.runtime.close()
  configure(made.dir, { ops: { host: '127.0.0.1', port: 0 } })
  return { ...made, clients }
}

/** Changes settings in `issuer.json`. */
export function configure(dir: string, changes: object): void {
  const path = join(dir, 'issuer.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }))
}

export type Serving = {
  child: ChildProcess
  url: string
  opsUrl: string
  stderr: () => string
  ended: Promise<number | null>
}

/** Starts serving; resolves once requests are answered. Ended with the test, if nobody ended it before. */
export async function serving(dir: string, ...flags: string[]): Promise<Serving> {
  const child = spawn(process.execPath, [CLI, 'issuer', 'serve', '--dir', dir, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const url = await until(
    () => /Serving at (http:\/\/\S+?)(?: in |; |\. )/.exec(said)?.[1] ?? null,
    () => said,
  )
  const opsUrl = /metrics at (http:\/\/[^\s]+?)\. Ctrl/.exec(said)?.[1] ?? ''
  return { child, url, opsUrl, stderr: () => said, ended }
}

export async function until<T>(look: () => T | null | Promise<T | null>, why: () => string, seconds = 30): Promise<T> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const found = await look()
    if (found !== null) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited ${seconds} s in vain: ${why()}`)
}

/** The processes that a process started, by the system's table. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
