import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, medianRatio, type Row } from '../measure.ts'
import type { Target } from './ask.ts'
import { cpuOf, cpuOfEnded, LOAD_CORES, program, run, script, temporary, UNBOUND } from './processes.ts'

/** Load on one server: wrk where it is, else autocannon. */

export const CONNECTIONS = 32

/** What one round measured. Times in milliseconds. */
export type Load = {
  perSecond: number
  p50: number
  p99: number
  /** Processor time of the server for each request. */
  cpuEach: number
  /** How many cores the server kept busy, and the load itself. A server that had less than its core was disturbed, or not asked enough. */
  cores: number
  loadCores: number
}

/** What the tool itself counted: seconds, and times in milliseconds. */
export type Counted = { requests: number; seconds: number; p50: number; p99: number; failed: number }

export type Loaded = { readonly port: number; readonly pid: number }

const WRK = program('wrk')
export const TOOL = WRK === null ? 'autocannon' : 'wrk'

/**
 * Loads a server for some seconds with these requests in turn. A request that fails, or is answered with an error, makes
 * the whole measurement void: throws.
 */
export async function load(
  server: Loaded,
  targets: readonly Target[],
  seconds: number,
  { on = LOAD_CORES }: { on?: readonly number[] } = {},
): Promise<Load> {
  const folder = temporary('load')
  try {
    const [serverBefore, loadBefore] = [cpuOf(server.pid), cpuOfEnded()]
    const counted = await (WRK === null ? autocannon : wrk)(folder, server.port, targets, seconds, on)
    const { requests, failed, p50, p99 } = counted
    if (failed > 0 || requests === 0) throw new Error(`${failed} of ${requests} requests to port ${server.port} failed`)
    const cpu = cpuOf(server.pid) - serverBefore
    const coresOf = (ms: number) => ms / 1000 / counted.seconds
    return {
      perSecond: requests / counted.seconds,
      p50,
      p99,
      cpuEach: cpu / requests,
      cores: coresOf(cpu),
      loadCores: coresOf(cpuOfEnded() - loadBefore),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const perSecond = (loads: readonly Load[]): number[] => loads.map((one) => one.perSecond)

/** "12000/s, 80 µs of processor each, 0.99 cores busy" */
export function rates(loads: readonly Load[]): string {
  const micros = median(loads.map((one) => one.cpuEach)) * 1000
  const cores = median(loads.map((one) => one.cores))
  const cost = Number.isNaN(micros) ? '' : `, ${micros.toFixed(0)} µs of processor each, ${cores.toFixed(2)} cores busy`
  return `${median(perSecond(loads)).toFixed(0)}/s${cost}`
}

/** Ours against a peer's of the same rounds. On a machine that is not quiet, processor time tells more than what was seen. */
export function against(ours: readonly Load[], name: string, peer: readonly Load[]): Pick<Row, 'figure' | 'ratio'> {
  const cpu = (loads: readonly Load[]) => loads.map((one) => one.cpuEach)
  const byCpu = medianRatio(cpu(peer), cpu(ours))
  const told = Number.isNaN(byCpu) ? '' : `; by processor time ${byCpu.toFixed(2)}`
  return {
    figure: `${rates(ours)} (${name} ${rates(peer)})${told}${UNBOUND}`,
    ratio: medianRatio(perSecond(ours), perSecond(peer)),
  }
}

type Tool = (
  folder: string,
  port: number,
  targets: readonly Target[],
  seconds: number,
  cores: readonly number[],
) => Promise<Counted>

const autocannon: Tool = async (folder, port, targets, seconds, cores) => {
  const path = join(folder, 'load.json')
  writeFileSync(path, JSON.stringify({ port, targets, seconds, connections: CONNECTIONS }))
  return script<Counted>(cores, 'autocannon-child.ts', path)
}

const MARK = 'counted '

const wrk: Tool = async (folder, port, targets, seconds, cores) => {
  const path = join(folder, 'load.lua')
  writeFileSync(path, lua(targets))
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', path, `http://127.0.0.1:${port}/`]
  const said = await run(cores, WRK ?? 'wrk', args)
  const line = said.split('\n').find((one) => one.startsWith(MARK)) ?? MARK
  return JSON.parse(line.slice(MARK.length)) as Counted
}

/** One request stays what wrk sends by itself; many are written once and sent in turn. */
function lua(targets: readonly Target[]): string {
  const tables = targets.map(({ method, path, headers, body }) => {
    const named = Object.entries(headers).map(([name, value]) => `[${quoted(name)}]=${quoted(value)}`)
    return `{${quoted(method)},${quoted(path)},{${named.join(',')}},${body === undefined ? 'nil' : quoted(body)}}`
  })
  const sending =
    targets.length === 1
      ? 'local t = targets[1]; wrk.method, wrk.path, wrk.headers, wrk.body = t[1], t[2], t[3], t[4]'
      : `local sent, at = {}, 0
function init() for i, t in ipairs(targets) do sent[i] = wrk.format(t[1], t[2], t[3], t[4]) end end
function request() at = at % #sent + 1; return sent[at] end`
  return `local targets = {\n${tables.join(',\n')}\n}\n${sending}
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('${MARK}{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"failed":%d}\\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end\n`
}

/** For texts without control characters JSON's quoting is Lua's too. */
const quoted = (text: string): string => JSON.stringify(text)
