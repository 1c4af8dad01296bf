import { setTimeout as sleep } from 'node:timers/promises'
import { inTurns, median, medianRatio, type Row } from '../measure.ts'
import { askEach } from './ask.ts'
import { type Fixture, fixtureOf, say } from './fixture.ts'
import { type Memory, type Served, serveKeyrite } from './keyrite.ts'
import { type Load, load, perSecond, rates } from './load.ts'
import { type Peer, serveOidcProvider } from './peer-oidc.ts'
import { cpuOf } from './processes.ts'
import { twoCores } from './two-cores.ts'

/** How many tenants, in words of the table. */
const SIZES = { '1': 1, '10': 10, '1,000': 1000, '10,000': 10_000 } as const
type Size = keyof typeof SIZES
const NAMES = Object.keys(SIZES) as Size[]

/** quality.md: bytes of heap for each idle tenant, p99 at 10,000 tenants within this of p99 at 10, tokens against oidc-provider. */
const HEAP_EACH = 10_000
const P99_WITHIN = 1.3
const PEER = 3.5

type Runtime = Served & { fixture: Fixture; taken: Memory; idle: number }

/** ES256 runtimes of 1 to 10,000 tenants side by side, requests spread over all tenants. RSA keys for so many take too long to make. */
export async function onlineTenants(seconds: number, rounds: number): Promise<Row[]> {
  const runtimes = {} as Record<Size, Runtime>
  const peer = await serveOidcProvider('ES256')
  const rows: Row[] = []
  try {
    for (const name of NAMES) runtimes[name] = await touched(name)
    rows.push(...memoryRows(runtimes))
    const tokens = await inTurns(rounds, subjects(runtimes, 'tokens', seconds, peer), {
      onRound: (done) => say(`tokens of many tenants: round ${done} of ${rounds}`),
    })
    const jwks = await inTurns(rounds, subjects(runtimes, 'jwks', seconds, peer), {
      onRound: (done) => say(`key sets of many tenants: round ${done} of ${rounds}`),
    })
    rows.push(...peerRows(tokens), latencyRow('ES256 access tokens', tokens), latencyRow('JWKS', jwks))
  } finally {
    await Promise.all([peer, ...Object.values(runtimes)].map((one) => one.stop()))
  }
  for (const name of ['1,000', '10,000'] as const)
    rows.push(
      ...(await twoCores(`ES256 access tokens, ${name} tenants`, await fixtureOf(SIZES[name]), seconds, rounds)),
    )
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
  what: 'tokens' | 'jwks',
  seconds: number,
  peer: Peer & Pick<Fixture, 'tokens' | 'jwks'>,
): Subjects {
  const ours = NAMES.map((name) => [name, () => load(runtimes[name], runtimes[name].fixture[what], seconds)])
  return {
    ...(Object.fromEntries(ours) as Record<Size, () => Promise<Load>>),
    peer: () => load(peer, peer[what], seconds),
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

function peerRows(loads: Record<keyof Subjects, Load[]>): Row[] {
  return NAMES.filter((name) => name !== '10').map((name) => ({
    measure: `ES256 access tokens, ${name} tenant${name === '1' ? '' : 's'}, one core / oidc-provider with one`,
    figure: `${rates(loads[name])} (oidc-provider ${rates(loads.peer)})`,
    ratio: medianRatio(perSecond(loads[name]), perSecond(loads.peer)),
    target: PEER,
  }))
}

function latencyRow(what: string, loads: Record<Size, Load[]>): Row {
  const p99 = (name: Size) => loads[name].map((one) => one.p99)
  const told = NAMES.map((name) => `${median(p99(name)).toFixed(2)} ms at ${name}`)
  return {
    measure: `${what}: p99 at 10 tenants / at 10,000, one core`,
    figure: told.join(', '),
    ratio: medianRatio(p99('10'), p99('10,000')),
    target: Number((1 / P99_WITHIN).toFixed(2)),
  }
}
