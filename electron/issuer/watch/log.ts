import { pino } from 'pino'
import { count } from '../../../shared/domain/plural.ts'
import { utcTime } from '../../../shared/domain/utc.ts'
import { asKeyriteError } from '../../../shared/errors.ts'
import type { LogLevel } from '../settings.ts'
import type { ClockHold } from '../store/store.ts'
import { aKid, aLine, aNumber, anAddress, aPlace, aTenant, aWord, type Clean } from './log-fields.ts'

/**
 * What a serving runtime tells on stderr: one JSON object a line, or plain words where people read along. Only these
 * functions write, each with its own fields, and every value is cut to its kind: no token, assertion, header or secret
 * has a way in. Of an error the code is told, and the message if it is one of ours.
 */
export type Log = {
  started(served: { url: string; opsUrl: string | null; workers: number; tenants: number }): void
  stopped(signal: string): void
  workerLost(worker: { pid: number; why: string }): void
  phasesFailed(error: unknown): void
  phasesResumed(): void
  clockHeld(hold: ClockHold): void
  storeLost(error: unknown): void
  storeBack(): void
  secondPlaceFailed(error: unknown): void
  imported(what: { bundle: number; tenants: number; keys: number }): void
  importRefused(error: unknown): void
  tainted(what: { tenant: string; kid: string; withdrawn: boolean }): void
  keyAccessFailed(tenant: string, error: unknown): void
  requestFailed(tenant: string, endpoint: string, error: unknown): void
  badSignature(tenant: string, where: 'assertion' | 'introspection'): void
  refused(tenant: string, endpoint: string, reason: string): void
  served(tenant: string, endpoint: string, status: number): void
}

type Entry = { level: LogLevel; event: string; fields: Record<string, Clean>; words: string }
type Sink = (entry: Entry) => void
export type LogStream = { write(text: string): unknown; readonly isTTY?: boolean }

export type LogOptions = {
  level: LogLevel
  runtime: string
  stream?: LogStream
  /** Milliseconds; for what is told at most every ten seconds. */
  now?: () => number
}

/** Makes the log of one process. */
export function createLog({ level, runtime, stream = process.stderr, now = Date.now }: LogOptions): Log {
  const sink = stream.isTTY === true ? wordsSink(level, stream) : jsonSink(level, runtime, stream)
  const tell = (at: LogLevel, event: string, words: string, fields: Record<string, Clean> = {}) =>
    sink({ level: at, event, fields, words })
  const failed = (at: LogLevel, event: string, words: string, error: unknown, fields: Record<string, Clean> = {}) => {
    const { code, message } = asKeyriteError(error)
    tell(at, event, `${words}: ${aLine(message)} (${code})`, { ...fields, code })
  }
  const rare = requests(tell, failed, seldom(now))
  return { ...life(tell, failed), ...keys(tell, failed), ...rare, ...(level === 'debug' ? each(tell) : SILENT) }
}

type Tell = (level: LogLevel, event: string, words: string, fields?: Record<string, Clean>) => void
type Failed = (level: LogLevel, event: string, words: string, error: unknown, fields?: Record<string, Clean>) => void

const life = (tell: Tell, failed: Failed) => ({
  started: ({ url, opsUrl, workers, tenants }: Parameters<Log['started']>[0]) => {
    const ops = opsUrl === null ? null : anAddress(opsUrl)
    const fields = { url: anAddress(url), opsUrl: ops, workers: aNumber(workers), tenants: aNumber(tenants) }
    tell('info', 'started', `Serving ${count(fields.tenants, 'tenant')} at ${fields.url}.`, fields)
  },
  stopped: (signal: string) => tell('info', 'stopped', `Stopped (${aWord(signal)}).`, { signal: aWord(signal) }),
  workerLost: ({ pid, why }: Parameters<Log['workerLost']>[0]) =>
    tell('warn', 'worker-lost', `Process ${aNumber(pid)} ended (${aWord(why)}); another takes its place.`, {
      worker: aNumber(pid),
      reason: aWord(why),
    }),
  storeLost: (error: unknown) => failed('error', 'store-lost', 'The store does not answer', error),
  storeBack: () => tell('info', 'store-back', 'The store answers again.'),
  secondPlaceFailed: (error: unknown) =>
    failed('error', 'second-place-failed', 'The second place cannot be written', error),
})

const keys = (tell: Tell, failed: Failed) => ({
  phasesFailed: (error: unknown) =>
    failed('error', 'phases-failed', 'Keys cannot be moved through their phases', error),
  phasesResumed: () => tell('info', 'phases-resumed', 'Keys move again.'),
  clockHeld: ({ kind, from, to }: ClockHold) =>
    tell('error', 'clock-held', `The clock is held (${kind}): ${utcTime(from)} to ${utcTime(to)}.`, { kind, from, to }),
  imported: ({ bundle, ...counts }: Parameters<Log['imported']>[0]) => {
    const fields = { bundle: aNumber(bundle), tenants: aNumber(counts.tenants), keys: aNumber(counts.keys) }
    tell('info', 'imported', `Bundle ${fields.bundle} is imported.`, fields)
  },
  importRefused: (error: unknown) => failed('error', 'import-refused', 'An import was refused', error),
  tainted: ({ tenant, kid, withdrawn }: Parameters<Log['tainted']>[0]) => {
    const fields = { tenant: aTenant(tenant), kid: aKid(kid), withdrawn: withdrawn === true }
    tell('warn', 'tainted', `Key ${fields.kid} of ${fields.tenant} never signs again.`, fields)
  },
})

const requests = (tell: Tell, failed: Failed, often: Seldom) => ({
  keyAccessFailed: (name: string, error: unknown) => {
    const tenant = aTenant(name)
    often('key-access-failed', tenant, (suppressed) =>
      failed('error', 'key-access-failed', `A private key of ${tenant} cannot be used`, error, { tenant, suppressed }),
    )
  },
  requestFailed: (name: string, at: string, error: unknown) => {
    const [tenant, endpoint] = [aTenant(name), aPlace(at)]
    often('request-failed', tenant, (suppressed) =>
      failed('error', 'request-failed', 'A request failed', error, { tenant, endpoint, suppressed }),
    )
  },
  badSignature: (name: string, where: 'assertion' | 'introspection') => {
    const [tenant, endpoint] = [aTenant(name), aPlace(where)]
    often('bad-signature', tenant, (suppressed) => {
      const words = `A signature at ${tenant} did not verify (${endpoint}).`
      tell('warn', 'bad-signature', words, { tenant, endpoint, suppressed })
    })
  },
})

/** Every request: only where asked for, because a busy runtime would write little else. */
const each = (tell: Tell) => ({
  refused: (name: string, at: string, why: string) => {
    const fields = { tenant: aTenant(name), endpoint: aPlace(at), reason: aWord(why) }
    tell('debug', 'refused', `${fields.tenant} ${fields.endpoint}: refused (${fields.reason}).`, fields)
  },
  served: (name: string, at: string, code: number) => {
    const fields = { tenant: aTenant(name), endpoint: aPlace(at), status: aNumber(code) }
    tell('debug', 'served', `${fields.tenant} ${fields.endpoint}: ${fields.status}.`, fields)
  },
})

const SILENT = { refused: () => {}, served: () => {} }

const EVERY = 10_000
const REMEMBERED = 10_000
type Seldom = (event: string, tenant: string, tell: (suppressed: number) => void) => void

/** Strangers can cause these as often as they like: one line for a tenant every ten seconds, with how many were not told. */
function seldom(now: () => number): Seldom {
  const told = new Map<string, { at: number; suppressed: number }>()
  return (event, tenant, tell) => {
    const name = `${event} ${tenant}`
    const last = told.get(name)
    if (last && now() - last.at < EVERY) {
      last.suppressed += 1
      return
    }
    told.delete(name)
    told.set(name, { at: now(), suppressed: 0 })
    if (told.size > REMEMBERED) told.delete(told.keys().next().value ?? name)
    tell(last?.suppressed ?? 0)
  }
}

function jsonSink(level: LogLevel, runtime: string, stream: LogStream): Sink {
  const timestamp = () => `,"time":"${new Date().toISOString()}"`
  const formatters = { level: (label: string) => ({ level: label }) }
  const logger = pino({ level, base: { pid: process.pid, runtime: aTenant(runtime) }, timestamp, formatters }, stream)
  return ({ level: at, event, fields, words }) => logger[at]({ event, ...fields }, words)
}

const RANKS: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

const wordsSink =
  (level: LogLevel, stream: LogStream): Sink =>
  (entry) => {
    if (RANKS[entry.level] >= RANKS[level]) stream.write(`${entry.words}\n`)
  }
