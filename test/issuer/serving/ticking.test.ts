import { expect, it, vi } from 'vitest'
import { describeTenants } from '../../../electron/cli/serve.ts'
import { follower, keepTicking, ticker } from '../../../electron/issuer/serving/ticking.ts'
import { createLog } from '../../../electron/issuer/watch/log.ts'
import { KeyriteError } from '../../../shared/errors.ts'

function logged() {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  return { lines, log: createLog({ level: 'info', runtime: 'eu-one', stream }) }
}
const settled = { phases: 0, erased: 0 }

it('ticks again and again until it is told to stop, and never after', async () => {
  let ticks = 0
  const stop = new AbortController()
  const tick = async () => {
    ticks += 1
    return settled
  }
  const done = keepTicking({ tick, news: async () => [] }, { stop: stop.signal, log: logged().log, seconds: 0.01 })
  await expect.poll(() => ticks).toBeGreaterThan(3)
  stop.abort()
  await done
  const last = ticks
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(ticks).toBe(last)
})

it('a failing tick is told once and ends nothing; that it works again is told too; a foreign error tells only that', async () => {
  const { log, lines } = logged()
  let ticks = 0
  const tick = ticker(
    {
      news: async () => [],
      tick: async () => {
        ticks += 1
        if (ticks === 2) throw new KeyriteError('medium-full', 'The disk is full.')
        if (ticks === 3) throw new Error('canary')
        return settled
      },
    },
    log,
  )
  for (let at = 0; at < 5; at++) await tick()
  expect(lines).toHaveLength(2)
  expect(lines[0]).toContain('The disk is full. (medium-full)')
  expect(lines[1]).toContain('phases-resumed')
  expect(lines.join()).not.toContain('canary')
})

it('a follower tells that the store is lost, and that it is back, once each', async () => {
  vi.useFakeTimers()
  const { log, lines } = logged()
  let failing = true
  const stop = follower(
    {
      follow: async () => {
        if (failing) throw new KeyriteError('store-unreachable', 'The database does not answer.')
      },
    },
    log,
  )
  try {
    await vi.advanceTimersByTimeAsync(16_000)
    expect(lines.filter((line) => line.includes('store-lost'))).toHaveLength(1)
    failing = false
    await vi.advanceTimersByTimeAsync(16_000)
    expect(lines.filter((line) => line.includes('store-back'))).toHaveLength(1)
  } finally {
    stop()
    vi.useRealTimers()
  }
})

it('one line per tenant up to ten, then a count', () => {
  const tenant = (at: number) => ({
    tenant: `t${at}`,
    issuer: `https://t${at}.example`,
    signing: at === 1 ? [] : ['key'],
  })
  const lines = (count: number) => describeTenants(Array.from({ length: count }, (_, at) => tenant(at)))
  expect(lines(2)).toEqual(['  t0  https://t0.example  key', '  t1  https://t1.example  no key may sign now'])
  expect(lines(10)).toHaveLength(10)
  expect(lines(11)).toHaveLength(11)
  expect(lines(11).at(-1)).toBe('  and others: 11 tenants in all')
})
