import { parseArgs } from 'node:util'
import { events } from './events.ts'
import { exporting } from './export.ts'
import { factors } from './factors.ts'
import { fleet } from './fleet.ts'
import type { Bench, Row } from './measure.ts'
import { moving } from './move.ts'
import { onboarding } from './onboard.ts'
import { screens } from './screens.ts'
import { signing } from './signing.ts'

/** `npm run bench -- [names...] [--json] [--tenants N]`: side by side with peers; ratios count, figures are noise. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, tenants: { type: 'string', default: '200' } },
})

const BENCHES: readonly Bench[] = [
  { name: 'events', about: 'opening and verifying a vault of 100,000 events', run: () => events(100_000) },
  { name: 'move', about: 'moving a vault of 60 MB to a new file key', run: () => moving(25_000) },
  { name: 'factors', about: 'shared factors among 1,000 and 10,000 RSA moduli', run: factors },
  { name: 'onboard', about: 'a whole onboarding of many tenants', run: () => onboarding(Number(values.tenants)) },
  { name: 'export', about: 'exporting 10,000 tenants', run: () => exporting(10_000) },
  { name: 'fleet', about: 'keys for many tenants, a fresh process each', run: () => fleet(Number(values.tenants)) },
  { name: 'screens', about: 'the window: its weight, its start, a thousand tenants scrolled', run: screens },
  { name: 'signing', about: 'access tokens against raw crypto.sign', run: signing },
]

async function main(): Promise<void> {
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name))
  if (unknown.length > 0 || !(Number.isInteger(Number(values.tenants)) && Number(values.tenants) > 0)) {
    const list = BENCHES.map(({ name, about }) => `  ${name}  ${about}`).join('\n')
    process.stderr.write(`usage: npm run bench -- [names...] [--json] [--tenants N]\n${list}\n`)
    process.exitCode = 2
    return
  }
  const rows: (Row & { bench: string })[] = []
  for (const { name, run } of BENCHES) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    for (const row of await run()) rows.push({ bench: name, ...row })
  }
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows))
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ measure, figure, ratio, target }) => [
    measure,
    figure,
    ratio === undefined ? '' : `${ratio.toFixed(2)}x`,
    target === undefined ? '' : `>= ${target}x`,
    ratio === undefined || target === undefined ? '' : ratio >= target ? 'yes' : 'NO',
  ])
  const lines = [['measure', 'figure', 'ratio', 'target', 'met?'], ...cells]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

await main()
