import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { untilReady } from './ask.ts'
import { copyOf, type Fixture } from './fixture.ts'
import { childrenOf, freePort, here, SERVER_CORE, start } from './processes.ts'

/** Keyrite as it is run in production: `keyrite issuer serve`, with its log of issued tokens, limits and metrics. */

const CLI = fileURLToPath(new URL('../../electron/cli/main.ts', import.meta.url))

export type Served = {
  /** Its own copy of the fixture's folder, until it stops. */
  readonly dir: string
  readonly port: number
  readonly pid: number
  /** How many processes answer requests. */
  readonly processes: number
  /** Memory after a collection, in bytes. */
  memory(): Promise<Memory>
  stop(): Promise<void>
}
export type Memory = { heap: number; resident: number }

/** Serves a runtime with a process for each of these cores, on them. */
export async function serveKeyrite(
  { dir: pristine, jwks }: Fixture,
  cores: readonly number[] = SERVER_CORE,
): Promise<Served> {
  const dir = copyOf(pristine)
  const alone = cores.length === 1
  const [port, opsPort] = [await freePort(), await freePort()]
  const hook = ['--expose-gc', '--import', here('memory-hook.ts')]
  const args = [...(alone ? hook : []), CLI, 'issuer', 'serve', '--dir', dir, '--port', String(port)]
  const env = { ISSUER_WORKERS: String(cores.length), ISSUER_OPS_LISTEN: `127.0.0.1:${opsPort}` }
  const started = start(cores, process.execPath, args, { env, channel: alone })
  const { child, pid } = started
  const [probe] = jwks
  if (!probe) throw new Error('a fixture without tenants')
  await untilReady(port, probe, () => child.exitCode === null)
  // Of several processes the first answers before the last is there.
  if (!alone) await sleep(2000)
  const memory = async (): Promise<Memory> => {
    const answered = once(child, 'message')
    child.send('memory')
    const [said] = await answered
    return said as Memory
  }
  const stop = async () => {
    await started.stop()
    rmSync(dir, { recursive: true })
  }
  return { dir, port, pid, processes: Math.max(1, childrenOf(pid).length), memory, stop }
}
