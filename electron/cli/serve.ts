import { Command } from 'commander'
import { count } from '../../shared/domain/plural.ts'
import { asKeyriteError, must } from '../../shared/errors.ts'
import type { Reporter } from '../app/reporter.ts'
import { openRuntime, type Runtime } from '../issuer/runtime.ts'
import { type Served, serveRuntime } from '../issuer/serving/serve.ts'
import { createLog, type Log } from '../issuer/watch/log.ts'
import { dirOption } from './in-runtime.ts'
import { type Answer, answering } from './output.ts'

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
 * `issuer serve --dir D [--port P] [--workers N]`. Serves where the configuration says, until SIGTERM (exit 0) or SIGINT
 * (exit 130); both let requests in flight finish. A second signal ends at once.
 */
export const serveCommand = (): Command =>
  new Command('serve')
    .description('serve discovery, key sets and tokens of every tenant')
    .addOption(dirOption())
    .option('--port <number>', 'listen on this port instead of the configured one')
    .option('--workers <number>', 'answer in so many processes instead of the configured number')
    .action(answering(serve))

async function serve(_args: string[], options: Record<string, unknown>, reporter: Reporter): Promise<Answer> {
  const dir = String(options['dir'])
  const port = wholeNumber(options['port'], '--port', 0, 65_535)
  const workers = wholeNumber(options['workers'], '--workers', 1, 256)
  const stop = new AbortController()
  let log: Log | null = null
  const runtime = await openRuntime({
    dir,
    onKeyFailure: (tenant, error) => log?.keyAccessFailed(tenant, error),
    // Before there is a log, people read along.
    onSecondPlaceFailure: (error) =>
      log
        ? log.secondPlaceFailed(error)
        : reporter.say(`The second place cannot be written: ${asKeyriteError(error).message}`),
  })
  log = createLog({ level: runtime.config.log.level, runtime: runtime.config.runtimeId })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort(signal))
  let url = ''
  try {
    const lines = describeTenants(await tenantsOf(runtime))
    const onReady = (served: Served) => {
      url = served.url
      reporter.say([greeting(served), ...lines].join('\n'))
    }
    const how = { ...(port !== undefined && { port }), ...(workers !== undefined && { workers }) }
    await serveRuntime(runtime, { dir, stop: stop.signal, log, onReady, ...how })
    log.stopped(String(stop.signal.reason))
  } finally {
    await runtime.close()
  }
  return { data: { url, stopped: stop.signal.reason }, text: '', exit: stop.signal.reason === 'SIGINT' ? 130 : 0 }
}

const greeting = ({ url, opsUrl, workers }: Served): string =>
  [
    `Serving at ${url}`,
    workers > 1 ? ` in ${count(workers, 'process', 'processes')}` : '',
    opsUrl === null ? '' : `; health and metrics at ${opsUrl}`,
    '. Ctrl-C stops.',
  ].join('')

function wholeNumber(given: unknown, flag: string, least: number, most: number): number | undefined {
  if (given === undefined) return undefined
  const value = Number(given)
  const fits = /^\d{1,5}$/.test(String(given)) && value >= least && value <= most
  must(fits, 'usage-invalid', `${flag} takes a number from ${least} to ${most}.`)
  return value
}
