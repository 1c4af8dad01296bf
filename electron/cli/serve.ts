import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { asKeyriteError, must } from '../../shared/errors.ts'
import type { Reporter } from '../app/reporter.ts'
import { createIssuerServer } from '../issuer/http/server.ts'
import { openRuntime, type Runtime } from '../issuer/runtime.ts'
import type { IssuerService } from '../issuer/service.ts'
import { type Answer, answering } from './output.ts'

/** What serving needs of an open runtime. */
export type Servable = IssuerService & {
  readonly config: { readonly listen: { readonly host: string; readonly port: number } }
  /** Moves keys through their phases; called every few seconds. */
  tick(): unknown
}

export type ServeOptions = {
  /** Instead of the configuration's port. */
  port?: number
  /** Ends serving, gracefully. */
  stop: AbortSignal
  /** Words for people: what is served, and every failure. */
  say: (line: string) => void
  /** Called once the server listens. */
  onReady?: (url: string) => void
  tickSeconds?: number
}

/**
 * Serves a runtime until `stop`, and ticks it all the while. A failing tick is said and tried again: what was signed
 * keeps being served. Codes `port-in-use`, `config-invalid`.
 */
export async function serveIssuer(runtime: Servable, options: ServeOptions): Promise<void> {
  const { stop, say, onReady, tickSeconds = 5 } = options
  const { host, port } = runtime.config.listen
  const tick = ticker(runtime, say)
  await tick()
  const server = await createIssuerServer(runtime, { listen: { host, port: options.port ?? port }, log: say })
  try {
    onReady?.(server.url)
    while (!stop.aborted) {
      await sleep(tickSeconds * 1000, undefined, { signal: stop }).catch(() => {})
      if (!stop.aborted) await tick()
    }
  } finally {
    await server.close()
  }
}

/** A tick that never throws. One failure that goes on is said once, and so is its end. */
function ticker(runtime: Servable, say: (line: string) => void): () => Promise<void> {
  let failing: string | null = null
  return async () => {
    let failed: string | null = null
    try {
      await runtime.tick()
    } catch (error) {
      const { code, message } = asKeyriteError(error)
      failed = `${message} (${code})`
    }
    if (failed !== failing) say(failed ? `Keys cannot be moved through their phases: ${failed}` : 'Keys move again.')
    failing = failed
  }
}

const LISTED = 10

/** One line per tenant with what signs for it, the first ten, then how many there are in all. */
export function describeTenants(tenants: readonly { tenant: string; issuer: string; signing: string[] }[]): string[] {
  if (tenants.length === 0)
    return ['  No tenant yet: import a bundle and its key material. Until then every address answers 404.']
  const lines = tenants
    .slice(0, LISTED)
    .map(({ tenant, issuer, signing }) => `  ${tenant}  ${issuer}  ${signing.join(', ') || 'no key may sign now'}`)
  return tenants.length > LISTED ? [...lines, `  and others: ${tenants.length} tenants in all`] : lines
}

const tenantsOf = async (runtime: Runtime) =>
  (await runtime.status()).tenants.map(({ tenant, issuer, phases }) => ({
    tenant,
    issuer,
    signing: phases
      .filter((key) => key.phase === 'signing')
      .map((key) => `${key.label} (${key.spec}, ${key.kid.slice(0, 8)})`),
  }))

/**
 * `issuer serve --dir D [--port P]`. Serves where the configuration says, until SIGTERM (exit 0) or SIGINT (exit 130);
 * both let requests in flight finish. A second signal ends at once.
 */
export const serveCommand = (): Command =>
  new Command('serve')
    .description('serve discovery, key sets and tokens of every tenant')
    .requiredOption('--dir <folder>', 'the folder of the runtime')
    .option('--port <number>', 'listen on this port instead of the configured one')
    .action(answering(serve))

async function serve(_args: string[], options: Record<string, unknown>, reporter: Reporter): Promise<Answer> {
  const port = options['port'] === undefined ? undefined : parsePort(String(options['port']))
  const runtime = await openRuntime({ dir: String(options['dir']) })
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort(signal))
  const tenants = describeTenants(await tenantsOf(runtime))
  let url = ''
  const onReady = (at: string) => {
    url = at
    reporter.say([`Serving at ${at}. Ctrl-C stops.`, ...tenants].join('\n'))
  }
  try {
    await serveIssuer(runtime, { ...(port !== undefined && { port }), stop: stop.signal, say: reporter.say, onReady })
  } finally {
    await runtime.close()
  }
  return { data: { url, stopped: stop.signal.reason }, text: '', exit: stop.signal.reason === 'SIGINT' ? 130 : 0 }
}

function parsePort(port: string): number {
  must(/^\d{1,5}$/.test(port) && Number(port) <= 65_535, 'usage-invalid', '--port takes a number from 0 to 65535.')
  return Number(port)
}
