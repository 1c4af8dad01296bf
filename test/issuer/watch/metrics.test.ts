import { spawnSync } from 'node:child_process'
import { describe, expect, it, vi } from 'vitest'
import type { Facts } from '../../../electron/issuer/watch/gauges.ts'
import { createMetrics, type Look, type Metrics } from '../../../electron/issuer/watch/metrics.ts'
import { DAY } from '../../../shared/domain/policy.ts'
import { KeyriteError } from '../../../shared/errors.ts'
import { keyStatus, NOW, statusOf, tenantStatus } from './statuses.ts'

const FACTS: Facts = {
  imports: [
    { outcome: 'accepted', count: 2 },
    { outcome: 'bundle-late', count: 1 },
  ],
  receiptsWaitingSince: NOW - 31 * DAY,
  secondPlaceBehindSince: NOW - 600,
  unfetched: [{ tenant: 'acme', party: 'orders "eu"' }],
}
const seen = (change: Partial<Look> = {}): Look => ({
  status: statusOf([tenantStatus('acme'), tenantStatus('globex')]),
  facts: FACTS,
  ready: true,
  ...change,
})
const made = (change: Partial<Look> = {}): Metrics => createMetrics({ look: () => seen(change) })
const lines = async (metrics: Metrics): Promise<string[]> => (await metrics.text()).split('\n')
const starting = async (metrics: Metrics, start: string) =>
  (await lines(metrics)).filter((line) => line.startsWith(`${start}{`) || line.startsWith(`${start} `))

describe('counters', () => {
  it('carry the tenant and what happened', async () => {
    const metrics = made()
    metrics.issued('acme', 'api', 'ES256')
    metrics.issued('acme', 'api', 'ES256')
    metrics.issued('globex', 'batch', 'RS256')
    metrics.served('acme', 'jwks.json', 200)
    metrics.refused('acme', 'token', 'invalid_client')
    metrics.badSignature('globex', 'assertion')
    metrics.keyAccessFailed('acme')
    const text = await lines(metrics)
    for (const line of [
      'keyrite_tokens_issued_total{tenant="acme",client="api",algorithm="ES256"} 2',
      'keyrite_tokens_issued_total{tenant="globex",client="batch",algorithm="RS256"} 1',
      'keyrite_requests_total{tenant="acme",endpoint="jwks.json",status="200"} 1',
      'keyrite_refusals_total{tenant="acme",endpoint="token",reason="invalid_client"} 1',
      'keyrite_bad_signatures_total{tenant="globex",where="assertion"} 1',
      'keyrite_key_access_failures_total{tenant="acme"} 1',
    ])
      expect(text).toContain(line)
  })

  it('never go back from scrape to scrape', async () => {
    const metrics = made()
    for (const total of [1, 2, 3]) {
      metrics.keyAccessFailed('acme')
      expect(await starting(metrics, 'keyrite_key_access_failures_total')).toEqual([
        `keyrite_key_access_failures_total{tenant="acme"} ${total}`,
      ])
    }
  })

  it('make no series for what is no tenant', async () => {
    const metrics = made()
    for (const tenant of ['', '../x', 'A', 'x'.repeat(64), 'acme"} 1\nfake'])
      for (const event of ['issued', 'refused'] as const) metrics[event](tenant, 'a', 'ES256')
    expect(metrics.size).toBe(0)
  })

  it('count what was for no tenant in one series for each status', async () => {
    const metrics = made()
    for (let at = 0; at < 100; at++) metrics.served('', `/made-up/${at}`, 404)
    await metrics.text()
    expect(await starting(metrics, 'keyrite_requests_total')).toEqual([
      'keyrite_requests_total{tenant="",endpoint="none",status="404"} 100',
    ])
  })

  it('take at most 200 series of a tenant and count the rest as other, so that the sum stays right', async () => {
    const metrics = made()
    for (let at = 0; at < 5000; at++) metrics.issued('acme', `client-${at}`, 'ES256')
    metrics.issued('globex', 'api', 'ES256')
    expect(metrics.size).toBe(202)
    const text = await starting(metrics, 'keyrite_tokens_issued_total')
    expect(text).toContain('keyrite_tokens_issued_total{tenant="acme",client="other",algorithm="other"} 4800')
    expect(text).toContain('keyrite_tokens_issued_total{tenant="globex",client="api",algorithm="ES256"} 1')
  })

  it('take no text of a request as a reason or an endpoint', async () => {
    const metrics = made()
    metrics.refused('acme', 'token', 'Bearer eyJhbGciOi canary')
    for (let at = 0; at < 1000; at++) metrics.refused('acme', 'token', `made-up-${at}`)
    const text = await metrics.text()
    expect(text).not.toContain('canary')
    expect(metrics.size).toBe(65)
  })

  it('forget a tenant that is not served any more', async () => {
    const metrics = made()
    for (const tenant of ['acme', 'gone']) metrics.issued(tenant, 'api', 'ES256')
    metrics.collect(statusOf([tenantStatus('acme')]))
    expect(await starting(metrics, 'keyrite_tokens_issued_total')).toEqual([
      'keyrite_tokens_issued_total{tenant="acme",client="api",algorithm="ES256"} 1',
    ])
  })

  it('durations are by endpoint', async () => {
    const metrics = made()
    metrics.took('token', 0.003)
    const text = await lines(metrics)
    expect(text).toContain('keyrite_request_duration_seconds_bucket{le="0.0025",endpoint="token"} 0')
    expect(text).toContain('keyrite_request_duration_seconds_bucket{le="0.005",endpoint="token"} 1')
    expect(text).toContain('keyrite_request_duration_seconds_count{endpoint="token"} 1')
  })

  it('come with those of the process', async () => {
    expect(await starting(made(), 'process_cpu_seconds_total')).toHaveLength(1)
  })
})

describe('gauges', () => {
  it('tell ages, times and days of each tenant', async () => {
    const announced = keyStatus({
      kid: 'kid-2',
      phase: 'announced',
      signFrom: NOW + 2 * DAY,
      signUntil: NOW + 50 * DAY,
    })
    const propagation = { kid: 'kid-2', signFrom: NOW + 2 * DAY, fetched: [], missing: ['orders'], unnamed: true }
    const phases = [keyStatus(), announced]
    const status = statusOf([
      tenantStatus('acme', { phases, propagation, scheduleEnds: NOW + 50 * DAY }),
      tenantStatus('globex', { phases, propagation: { ...propagation, unnamed: false } }),
      tenantStatus('initech'),
    ])
    const text = await lines(made({ status }))
    for (const line of [
      'keyrite_signing_keys{tenant="acme"} 1',
      'keyrite_signing_key_age_seconds{tenant="acme",algorithm="ES256"} 864000',
      'keyrite_next_transition_seconds{tenant="acme"} 3600',
      'keyrite_schedule_left_seconds{tenant="acme"} 4320000',
      'keyrite_material_left_seconds{tenant="acme"} 4320000',
      'keyrite_announced_key_sign_from_seconds{tenant="acme"} 172800',
      'keyrite_announced_key_seen{tenant="acme"} 1',
      'keyrite_announced_key_seen{tenant="globex"} 0',
      'keyrite_announced_key_unfetched{tenant="acme",party="orders \\"eu\\""} 1',
      'keyrite_runtime_info{runtime="eu-one",environment="production",practice="false"} 1',
      'keyrite_tenants 3',
      'keyrite_bundle_number 7',
      'keyrite_bundle_age_seconds 86400',
      'keyrite_receipts_waiting 3',
      `keyrite_receipts_waiting_seconds ${31 * DAY}`,
      'keyrite_imports_total{outcome="accepted"} 2',
      'keyrite_imports_total{outcome="bundle-late"} 1',
      'keyrite_clock_hold{kind="jump"} 0',
      'keyrite_store_reachable 1',
      'keyrite_ready 1',
    ])
      expect(text).toContain(line)
    expect(text.filter((line) => /^keyrite_announced.*initech/.test(line))).toEqual([])
  })

  it('material ends with the algorithm that runs out first; tainted keys and public halves do not count', async () => {
    const phases = [
      keyStatus({ signUntil: NOW + 20 * DAY }),
      keyStatus({ signUntil: NOW + 90 * DAY, phase: 'planned', hasPrivate: false }),
      keyStatus({ signUntil: NOW + 90 * DAY, phase: 'planned', tainted: true }),
      keyStatus({ spec: 'RS256', signUntil: NOW + 5 * DAY }),
    ]
    const text = await lines(made({ status: statusOf([tenantStatus('acme', { phases })]) }))
    expect(text).toContain('keyrite_material_left_seconds{tenant="acme"} 432000')
    const none = statusOf([tenantStatus('acme', { phases: [keyStatus({ hasPrivate: false })], signingKids: [] })])
    const empty = await lines(made({ status: none }))
    expect(empty).toContain('keyrite_material_left_seconds{tenant="acme"} 0')
    expect(empty).toContain('keyrite_signing_keys{tenant="acme"} 0')
  })

  it('say that the clock is held, and that the runtime is not ready', async () => {
    const status = statusOf([], { clock: { now: NOW, hold: { kind: 'downtime', from: NOW - 1, to: NOW } } })
    const text = await lines(made({ status, ready: false }))
    expect(text).toContain('keyrite_clock_hold{kind="downtime"} 1')
    expect(text).toContain('keyrite_clock_hold{kind="jump"} 0')
    expect(text).toContain('keyrite_ready 0')
  })

  it('leave nothing of a tenant that is gone', async () => {
    const metrics = made()
    metrics.collect(statusOf([tenantStatus('acme'), tenantStatus('gone')]))
    metrics.collect(statusOf([tenantStatus('acme')]))
    expect(await metrics.text()).not.toContain('gone')
  })
})

describe('looking at the store', () => {
  it('happens once for many scrapes', async () => {
    let looks = 0
    const metrics = createMetrics({ look: () => ({ ...seen(), at: looks++ }) })
    await Promise.all([metrics.text(), metrics.text(), metrics.text()])
    await metrics.text()
    expect(looks).toBe(1)
  })

  it('that fails shows as a store out of reach, keeps the last numbers, and is tried again', async () => {
    let broken = false
    const look = () => {
      if (broken) throw new KeyriteError('store-busy', 'canary')
      return seen()
    }
    const metrics = createMetrics({ look, lookEvery: 0 })
    expect(await metrics.text()).toContain('\nkeyrite_store_reachable 1\n')
    broken = true
    const text = await vi.waitFor(async () => {
      const scraped = await metrics.text()
      expect(scraped).toContain('\nkeyrite_store_reachable 0\n')
      return scraped
    })
    expect(text).toContain('\nkeyrite_ready 0\n')
    expect(text).toContain('keyrite_signing_keys{tenant="acme"} 1')
    expect(text).not.toContain('canary')
    broken = false
    await vi.waitFor(async () => expect(await metrics.text()).toContain('\nkeyrite_store_reachable 1\n'))
  })

  it('that never ends does not hold a scrape up', async () => {
    const metrics = createMetrics({ look: () => new Promise(() => {}), lookTimeout: 50 })
    metrics.issued('acme', 'api', 'ES256')
    const began = performance.now()
    for (let scrape = 0; scrape < 3; scrape++) {
      const text = await metrics.text()
      expect(text).toContain('keyrite_store_reachable 0')
      expect(text).toContain('keyrite_tokens_issued_total{tenant="acme"')
    }
    expect(performance.now() - began).toBeLessThan(1000)
  })
})

it('a scrape with 10,000 tenants that all had requests takes less than a second of a core', async () => {
  const tenants = Array.from({ length: 10_000 }, (_, at) => tenantStatus(`tenant-${at}`))
  const metrics = createMetrics({ look: () => seen({ status: statusOf(tenants) }) })
  for (const { tenant } of tenants) {
    metrics.issued(tenant, 'api', 'ES256')
    for (const endpoint of ['token', 'jwks.json', 'openid-configuration']) metrics.served(tenant, endpoint, 200)
  }
  await metrics.text()
  // Its own work, not that of others on the machine.
  const before = process.cpuUsage()
  const text = await metrics.text()
  const { user, system } = process.cpuUsage(before)
  expect(text.split('\n').length).toBeGreaterThan(90_000)
  expect((user + system) / 1000).toBeLessThan(1000)
})

it('promtool reads a scrape, and finds nothing to say about it', async (ctx) => {
  const metrics = made()
  metrics.issued('acme', 'a "quoted" \\ client\nand a line', 'ES256')
  metrics.took('token', 0.1)
  const input = (await metrics.text()).split('\n').filter((line) => !/nodejs_|process_/.test(line))
  const tool = spawnSync('promtool', ['check', 'metrics'], { input: `${input.join('\n')}\n`, encoding: 'utf8' })
  if (tool.error) return ctx.skip('promtool is not installed')
  expect(tool.stdout + tool.stderr).toBe('')
  expect(tool.status).toBe(0)
})
