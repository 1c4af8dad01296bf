import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { createMetrics } from '../../electron/issuer/watch/metrics.ts'
import { temporaryFolder } from '../issuer/fixtures.ts'
import { statusOf, tenantStatus } from '../issuer/watch/statuses.ts'
import { operationsFile, operationsText, tool } from './tools.ts'

/** Alert rules and dashboard: names that exist, expressions that parse, alerts that fire when they should. */

const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.union([
          z.strictObject({
            alert: z.string().regex(/^Keyrite[A-Za-z0-9]+$/),
            expr: z.string(),
            for: z.string().optional(),
            labels: z.strictObject({ severity: z.enum(['page', 'warning', 'info']) }),
            annotations: z.strictObject({ summary: z.string() }),
          }),
          z.strictObject({ record: z.string().startsWith('keyrite:'), expr: z.string() }),
        ]),
      ),
    }),
  ),
})
const RULES = rulesSchema
  .parse(parse(operationsText('prometheus', 'keyrite.rules.yml')))
  .groups.flatMap(({ rules }) => rules)
const ALERTS = RULES.flatMap((rule) => ('alert' in rule ? [rule.alert] : []))

const targetSchema = z.looseObject({ refId: z.string(), expr: z.string().min(1), legendFormat: z.string() })
const panelSchema = z.looseObject({
  id: z.int(),
  title: z.string().min(1),
  type: z.enum(['row', 'stat', 'timeseries', 'table']),
  gridPos: z.strictObject({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1), h: z.int().min(1) }),
  targets: z.array(targetSchema).optional(),
})
const DASHBOARD = z
  .looseObject({
    uid: z.string(),
    title: z.string(),
    schemaVersion: z.int().min(39),
    panels: z.array(panelSchema),
    templating: z.looseObject({ list: z.array(z.looseObject({ name: z.string(), type: z.string() })) }),
  })
  .parse(JSON.parse(operationsText('grafana', 'keyrite.json')))
const EXPRESSIONS = DASHBOARD.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

let families: Map<string, string>
beforeAll(async () => {
  const facts = { imports: [], receiptsWaitingSince: null, secondPlaceBehindSince: null, unfetched: [] }
  const metrics = createMetrics({ look: () => ({ status: statusOf([tenantStatus('acme')]), facts, ready: true }) })
  const text = await metrics.text()
  families = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]))
})

/** Names of metrics in an expression; recorded ones contain a colon. */
const namesIn = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:keyrite|process|nodejs)_\w+/g)].map(([name]) => name)

function known(name: string): boolean {
  const family = name.replace(/_(?:bucket|sum|count)$/, '')
  return families.has(name) || families.get(family) === 'histogram'
}

describe('every name', () => {
  it('in the rules is a metric of the runtime', () => {
    const names = RULES.flatMap(({ expr }) => namesIn(expr))
    expect(names.length).toBeGreaterThan(15)
    expect(names.filter((name) => !known(name))).toEqual([])
  })

  it('in the dashboard is a metric of the runtime', () => {
    const names = EXPRESSIONS.flatMap(namesIn)
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => !known(name))).toEqual([])
  })

  it('of a metric of ours stands in the guide, and every alert has its paragraph there', () => {
    const guide = operationsText('README.md')
    const ours = [...families.keys()].filter((name) => name.startsWith('keyrite_'))
    expect(ours.length).toBeGreaterThan(20)
    expect(ours.filter((name) => !guide.includes(`\`${name}\``))).toEqual([])
    expect(ALERTS.filter((alert) => !guide.includes(`### ${alert}\n`))).toEqual([])
    const told = [...guide.matchAll(/^### (Keyrite\w+)$/gm)].map(([, name = '']) => name)
    expect(told.filter((name) => !ALERTS.includes(name))).toEqual([])
  })
})

describe('the rules', () => {
  it('have a test for every alert, one in which it fires and one in which it is silent', () => {
    const tests = z
      .looseObject({
        tests: z.array(
          z.looseObject({
            alert_rule_test: z.array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
          }),
        ),
      })
      .parse(parse(operationsText('prometheus', 'keyrite.rules.test.yml')))
    const all = tests.tests.flatMap(({ alert_rule_test }) => alert_rule_test)
    const fired = all.filter((one) => one.exp_alerts.length > 0).map(({ alertname }) => alertname)
    const silent = all.filter((one) => one.exp_alerts.length === 0).map(({ alertname }) => alertname)
    expect([...new Set(fired)].sort()).toEqual([...ALERTS].sort())
    expect([...new Set(silent)].sort()).toEqual([...ALERTS].sort())
  })

  it('pass the tests that promtool runs', (ctx) => {
    const ran = tool('promtool', 'test', 'rules', operationsFile('prometheus', 'keyrite.rules.test.yml'))
    if (!ran) return ctx.skip('promtool is not installed')
    expect(ran).toEqual({ status: 0, output: expect.stringContaining('SUCCESS') })
  })
})

describe('the dashboard', () => {
  it('has panels with one place and one number each, and asks the chosen Prometheus', () => {
    const ids = DASHBOARD.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { gridPos, targets, type, title } of DASHBOARD.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      expect((targets ?? []).length > 0, title).toBe(type !== 'row')
      expect(new Set(targets?.map(({ refId }) => refId)).size, title).toBe(targets?.length ?? 0)
      for (const target of targets ?? []) expect(target['datasource']).toMatchObject({ type: 'prometheus' })
    }
    expect(DASHBOARD.templating.list.map(({ name }) => name)).toEqual(['datasource', 'tenant'])
  })

  it('has no panel on top of another', () => {
    const cells = DASHBOARD.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })

  it('has expressions that promtool parses', (ctx) => {
    const rules = EXPRESSIONS.map((expr, at) => ({
      record: `dashboard:expression:${at}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$tenant', '.*'),
    }))
    const path = join(temporaryFolder(), 'rules.json')
    writeFileSync(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    const ran = tool('promtool', 'check', 'rules', path)
    if (!ran) return ctx.skip('promtool is not installed')
    expect(ran).toEqual({ status: 0, output: expect.stringContaining(`${rules.length} rules found`) })
  })
})
