import { parseArgs } from 'node:util'
import { events } from './events.ts'
import { exporting } from './export.ts'
import { factors } from './factors.ts'
import { fleet } from './fleet.ts'
import type { Bench, Row } from './measure.ts'
import { moving } from './move.ts'
import { onboarding } from './onboard.ts'
import { onlineEmergency } from './online/effect.ts'
import { onlineImport } from './online/import.ts'
import { onlineJwks } from './online/jwks.ts'
import { onlineTenants } from './online/tenants.ts'
import { onlineTokens } from './online/tokens.ts'
import { screens } from './screens.ts'
import { signing } from './signing.ts'

/**
 * `npm run bench -- [names...] [--json] [--tenants N] [--seconds N] [--rounds N]`: side by side with peers; ratios count,
 * figures are noise. `online` stands for every part of the online side.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    tenants: { type: 'string', default: '200' },
    /** How long each server of the online side is under load in each round, and how many rounds count. */
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
  },
})
const [TENANTS, SECONDS, ROUNDS] = [Number(values.tenants), Number(values.seconds), Number(values.rounds)]

const BENCHES: readonly Bench[] = [
  { name: 'events', about: 'opening and verifying a vault of 100,000 events', run: () => events(100_000) },
  { name: 'move', about: 'moving a vault of 60 MB to a new file key', run: () => moving(25_000) },
  { name: 'factors', about: 'shared factors among 1,000 and 10,000 RSA moduli', run: factors },
  { name: 'onboard', about: 'a whole onboarding of many tenants', run: () => onboarding(TENANTS) },
  { name: 'export', about: 'exporting 10,000 tenants', run: () => exporting(10_000) },
  { name: 'fleet', about: 'keys for many tenants, a fresh process each', run: () => fleet(TENANTS) },
  { name: 'screens', about: 'the window: its weight, its start, a thousand tenants scrolled', run: screens },
  { name: 'signing', about: 'access tokens against raw crypto.sign', run: signing },
  {
    name: 'online-tokens',
    about: 'tokens over HTTP against oidc-provider and raw crypto.sign, one core and all',
    run: () => onlineTokens(SECONDS, ROUNDS),
  },
  {
    name: 'online-jwks',
    about: 'key sets over HTTP against oidc-provider and nginx',
    run: () => onlineJwks(SECONDS, ROUNDS),
  },
  { name: 'online-import', about: 'importing 10,000 tenants against the raw work', run: onlineImport },
  {
    name: 'online-tenants',
    about: 'runtimes of 10 to 10,000 tenants: tokens, key sets, p99, memory',
    run: () => onlineTenants(SECONDS, ROUNDS),
  },
  {
    name: 'online-emergency',
    about: 'how long a taint takes to reach every process that serves',
    run: onlineEmergency,
  },
]

const isAsked = (name: string): boolean =>
  positionals.length === 0 || positionals.some((asked) => asked === name || name.startsWith(`${asked}-`))

async function main(): Promise<void> {
  const unknown = positionals.filter(
    (asked) => !BENCHES.some(({ name }) => name === asked || name.startsWith(`${asked}-`)),
  )
  if (unknown.length > 0 || ![TENANTS, SECONDS, ROUNDS].every((count) => Number.isInteger(count) && count > 0)) {
    const list = BENCHES.map(({ name, about }) => `  ${name}  ${about}`).join('\n')
    process.stderr.write(
      `usage: npm run bench -- [names...] [--json] [--tenants N] [--seconds N] [--rounds N]\n${list}\n`,
    )
    process.exitCode = 2
    return
  }
  const rows: (Row & { bench: string })[] = []
  for (const { name, run } of BENCHES) {
    if (!isAsked(name)) continue
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
