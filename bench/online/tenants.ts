import { setTimeout as sleep } from 'node:timers/promises'
import { inTurns, median, medianRatio, type Row } from '../measure.ts'
import { askEach } from './ask.ts'
import { type Fixture, fixtureOf, say } from './fixture.ts'
import { type Memory, type Served, serveKeyrite } from './keyrite.ts'
import { against, type Load, load } from './load.ts'
import { type Peer, serveOidcProvider } from './peer-oidc.ts'
import { cpuOf } from './processes.ts'
import { twoCores } from './two-cores.ts'

/** How many tenants, in words of the table. */
const SIZES = { '10': 10, '1,000': 1000, '10,000': 10_000 } as const
type Size = keyof typeof SIZES
const NAMES = Object.keys(SIZES) as Size[]

/** quality.md: bytes of heap for each idle tenant, p99 at 10,000 tenants within this of p99 at 10, and against oidc-provider. */
const HEAP_EACH = 10_000
const P99_WITHIN = 1.3
const PEER = { tokens: 3.5, jwks: 3 }
const WORK = { tokens: 'ES256 access tokens', jwks: 'JWKS responses' }
const WORKS = ['tokens', 'jwks'] as const
type Work = (typeof WORKS)[number]

type Runtime = Served & { fixture: Fixture; taken: Memory; idle: number }

/** ES256 runtimes of 10 to 10,000 tenants side by side, requests spread over all tenants. RSA keys for so many take too long to make. */
export async function onlineTenants(seconds: number, rounds: number): Promise<Row[]> {
  const runtimes = {} as Record<Size, Runtime>
  const peer = await serveOidcProvider('ES256')
  const rows: Row[] = []
  try {
    for (const name of NAMES) runtimes[name] = await touched(name)
    rows.push(...memoryRows(runtimes))
    for (const work of WORKS) {
      const loads = await inTurns(rounds, subjects(runtimes, work, seconds, peer), {
        onRound: (done) => say(`${WORK[work]} of many tenants: round ${done} of ${rounds}`),
      })
      rows.push(...peerRows(work, loads), latencyRow(work, loads))
    }
  } finally {
    await Promise.all([peer, ...Object.values(runtimes)].map((one) => one.stop()))
  }
  for (const name of ['1,000', '10,000'] as const)
    rows.push(...(await twoCores(`${WORK.tokens}, ${name} tenants`, await fixtureOf(SIZES[name]), seconds, rounds)))
  return rows
}

const IDLE_SECONDS = 6

/** A runtime whose tenants were each asked once for a token and for their keys, so that all are in memory. */
async function touched(name: Size): Promise<Runtime> {
  const fixture = await fixtureOf(SIZES[name])
  say(`starting a runtime of ${name} tenants, and asking each once`)
  const served = await serveKeyrite(fixture)
  await askEach(served.port, [...fixture.tokens, ...fixture.jwks])
  const taken = await served.memory()
  const before = cpuOf(served.pid)
  await sleep(IDLE_SECONDS * 1000)
  return { ...served, fixture, taken, idle: (cpuOf(served.pid) - before) / (IDLE_SECONDS * 1000) }
}

type Subjects = Record<Size | 'peer', () => Promise<Load>>

function subjects(
  runtimes: Record<Size, Runtime>,
  work: Work,
  seconds: number,
  peer: Peer & Pick<Fixture, 'tokens' | 'jwks'>,
): Subjects {
  const ours = NAMES.map((name) => [name, () => load(runtimes[name], runtimes[name].fixture[work], seconds)])
  return {
    ...(Object.fromEntries(ours) as Record<Size, () => Promise<Load>>),
    peer: () => load(peer, peer[work], seconds),
  }
}

function memoryRows(runtimes: Record<Size, Runtime>): Row[] {
  const [few, many] = [runtimes['10'], runtimes['10,000']]
  const tenants = SIZES['10,000'] - SIZES['10']
  const each = (what: keyof Memory) => (many.taken[what] - few.taken[what]) / tenants
  const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`
  return [
    {
      measure: `10,000 tenants, each asked once: ${kB(HEAP_EACH)} / heap of each`,
      figure: `${kB(each('heap'))} of heap each, ${kB(each('resident'))} resident; idle, all take ${(many.idle * 100).toFixed(1)} % of a core`,
      ratio: HEAP_EACH / each('heap'),
      target: 1,
    },
  ]
}

function peerRows(work: Work, loads: Record<keyof Subjects, Load[]>): Row[] {
  return (['1,000', '10,000'] as const).map((name) => ({
    measure: `${WORK[work]}, ${name} tenants, one core / oidc-provider with one`,
    ...against(loads[name], 'oidc-provider', loads.peer),
    target: PEER[work],
  }))
}

function latencyRow(work: Work, loads: Record<Size, Load[]>): Row {
  const p99 = (name: Size) => loads[name].map((one) => one.p99)
  const told = NAMES.map((name) => `${median(p99(name)).toFixed(2)} ms at ${name}`)
  return {
    measure: `${WORK[work]}: p99 at 10 tenants / at 10,000, one core`,
    figure: told.join(', '),
    ratio: medianRatio(p99('10'), p99('10,000')),
    target: Number((1 / P99_WITHIN).toFixed(2)),
  }
}
