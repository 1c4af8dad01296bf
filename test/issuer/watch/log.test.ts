import { describe, expect, it } from 'vitest'
import { createLog, type Log, type LogStream } from '../../../electron/issuer/watch/log.ts'
import { KeyriteError } from '../../../shared/errors.ts'

const CANARY = 'eyJhbGciOiJFUzI1NiJ9.canary-secret'
const KID = `${'k'.repeat(42)}A`

const recording = (isTTY = false): LogStream & { text: string } => ({
  text: '',
  isTTY,
  write(text: string) {
    this.text += text
  },
})
const logTo = (stream: LogStream, level: 'debug' | 'info' | 'warn' | 'error' = 'debug', now = () => 0): Log =>
  createLog({ level, runtime: 'eu-one', stream, now })
const entries = (stream: { text: string }): Record<string, unknown>[] =>
  stream.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

/** Every function of the log, with what it is made for. */
const all = (log: Log, tenant: string, text: string, error: unknown): void => {
  log.started({ url: text, opsUrl: text, workers: 2, tenants: 3 })
  log.stopped(text)
  log.workerLost({ pid: 7, why: text })
  log.phasesFailed(error)
  log.phasesResumed()
  log.clockHeld({ kind: 'jump', from: 1, to: 2 })
  log.storeLost(error)
  log.storeBack()
  log.secondPlaceFailed(error)
  log.imported({ bundle: 4, tenants: 3, keys: 2 })
  log.importRefused(error)
  log.tainted({ tenant, kid: text, withdrawn: true })
  log.keyAccessFailed(tenant, error)
  log.requestFailed(tenant, text, error)
  log.badSignature(tenant, 'assertion')
  log.refused(tenant, text, text)
  log.served(tenant, text, 200)
}
const FUNCTIONS = 17

describe('a log of JSON lines', () => {
  it('has time, level, event and fields in every line', () => {
    const stream = recording()
    all(logTo(stream), 'acme', 'token', new KeyriteError('store-busy', 'The store is in use.'))
    const lines = entries(stream)
    expect(lines).toHaveLength(FUNCTIONS)
    for (const line of lines) {
      expect(line).toMatchObject({ runtime: 'eu-one', pid: process.pid, event: expect.stringMatching(/^[a-z-]+$/) })
      expect(line['time']).toBe(new Date(String(line['time'])).toISOString())
      expect(['debug', 'info', 'warn', 'error']).toContain(line['level'])
      expect(line['msg']).toEqual(expect.any(String))
    }
    expect(new Set(lines.map(({ event }) => event)).size).toBe(FUNCTIONS)
  })

  it('tells the tenant, the endpoint and the reason', () => {
    const stream = recording()
    const log = logTo(stream)
    log.refused('acme', 'token', 'invalid_client')
    log.tainted({ tenant: 'acme', kid: KID, withdrawn: false })
    log.started({ url: 'http://127.0.0.1:47770', opsUrl: null, workers: 1, tenants: 2 })
    expect(entries(stream)).toMatchObject([
      { level: 'debug', event: 'refused', tenant: 'acme', endpoint: 'token', reason: 'invalid_client' },
      { level: 'warn', event: 'tainted', tenant: 'acme', kid: KID, withdrawn: false },
      { level: 'info', event: 'started', url: 'http://127.0.0.1:47770', opsUrl: null, workers: 1, tenants: 2 },
    ])
  })

  it('keeps to its level', () => {
    const stream = recording()
    all(logTo(stream, 'warn'), 'acme', 'token', new Error('x'))
    const levels = new Set(entries(stream).map(({ level }) => level))
    expect([...levels].sort()).toEqual(['error', 'warn'])
  })
})

describe('secrets', () => {
  it.each([true, false])('no text of a request has a way in (terminal: %s)', (terminal) => {
    const stream = recording(terminal)
    const log = logTo(stream)
    all(log, CANARY, CANARY, new Error(CANARY))
    all(log, 'acme', `${CANARY}\n`, { message: CANARY, toString: () => CANARY })
    expect(stream.text).not.toContain('canary')
    expect(stream.text.split('\n').length).toBeGreaterThan(FUNCTIONS)
  })

  it('fields that no function has are left out', () => {
    const stream = recording()
    const extra = { url: 'http://a:1', opsUrl: null, workers: 1, tenants: 1, authorization: CANARY }
    logTo(stream).started(extra)
    const key = { tenant: 'acme', kid: KID, withdrawn: true, secret: CANARY }
    logTo(stream).tainted(key)
    expect(entries(stream)).toHaveLength(2)
    expect(stream.text).not.toContain('canary')
  })

  it('of an error of ours the code and the message are told, of any other only that there was one', () => {
    const stream = recording()
    const log = logTo(stream)
    log.storeLost(new KeyriteError('store-busy', 'The store is\nin use.'))
    log.storeLost(new TypeError(CANARY))
    expect(entries(stream)).toMatchObject([
      { code: 'store-busy', msg: 'The store does not answer: The store is in use. (store-busy)' },
      { code: 'internal', msg: expect.stringContaining('(TypeError)') },
    ])
  })

  it('an address with a password or a path is not told', () => {
    const stream = recording()
    logTo(stream).started({ url: 'http://a:canary@b:1', opsUrl: 'http://b:1/canary', workers: 1, tenants: 1 })
    expect(entries(stream)).toMatchObject([{ url: 'other', opsUrl: 'other' }])
  })
})

describe('on a terminal', () => {
  it('people read one line of words for each event', () => {
    const stream = recording(true)
    const log = logTo(stream, 'info')
    log.started({ url: 'http://127.0.0.1:47770', opsUrl: null, workers: 1, tenants: 1 })
    log.served('acme', 'token', 200)
    log.phasesFailed(new KeyriteError('store-busy', 'The store is in use.\u001b[31m'))
    expect(stream.text).toBe(
      'Serving 1 tenant at http://127.0.0.1:47770.\nKeys cannot be moved through their phases: The store is in use. [31m (store-busy)\n',
    )
  })
})

describe('what strangers can cause', () => {
  it('is told for a tenant once in ten seconds, with how many were not', () => {
    const stream = recording()
    let now = 0
    const log = logTo(stream, 'info', () => now)
    for (let at = 0; at < 50; at++) log.badSignature('acme', 'introspection')
    log.badSignature('globex', 'assertion')
    now = 10_000
    log.badSignature('acme', 'introspection')
    expect(entries(stream)).toMatchObject([
      { tenant: 'acme', endpoint: 'introspection', suppressed: 0 },
      { tenant: 'globex', endpoint: 'assertion', suppressed: 0 },
      { tenant: 'acme', suppressed: 49 },
    ])
  })
})
