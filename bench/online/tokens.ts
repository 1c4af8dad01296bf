import { inTurns, type Row } from '../measure.ts'
import { fixtureOf, say } from './fixture.ts'
import { serveKeyrite } from './keyrite.ts'
import { against, CONNECTIONS, type Load, load, TOOL } from './load.ts'
import { serveOidcProvider } from './peer-oidc.ts'
import { SERVER_CORE, script } from './processes.ts'
import type { RawSigning } from './raw-sign-child.ts'
import { mustIssue } from './same-work.ts'
import { twoCores } from './two-cores.ts'

/** What targets of quality.md say of each algorithm: against oidc-provider, and of raw signing. */
const ALGORITHMS = [
  { alg: 'ES256', peer: 3.5 },
  { alg: 'RS256', peer: 1.8, raw: 0.85 },
] as const

/** Access tokens at one tenant: against oidc-provider on the same work, raw signing, and with a process for each core. */
export async function onlineTokens(seconds: number, rounds: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const target of ALGORITHMS) {
    rows.push(...(await oneCore(target, seconds, rounds)))
    const fixture = await fixtureOf(1, target.alg)
    rows.push(...(await twoCores(`${target.alg} access tokens, 1 tenant`, fixture, seconds, rounds)))
  }
  return rows
}

async function oneCore(
  { alg, ...target }: (typeof ALGORITHMS)[number],
  seconds: number,
  rounds: number,
): Promise<Row[]> {
  const fixture = await fixtureOf(1, alg)
  const keyrite = await serveKeyrite(fixture)
  const peer = await serveOidcProvider(alg)
  try {
    for (const [{ port }, { tokens, jwks }] of [
      [keyrite, fixture],
      [peer, peer],
    ] as const)
      if (tokens[0] && jwks[0]) await mustIssue(port, tokens[0], jwks[0], alg)
    const loads = await inTurns(
      rounds,
      {
        keyrite: () => load(keyrite, fixture.tokens, seconds),
        peer: () => load(peer, peer.tokens, seconds),
        raw: () => rawSigning(alg, seconds),
      },
      { onRound: (done) => say(`tokens with ${alg}, ${TOOL}, ${CONNECTIONS} connections: round ${done} of ${rounds}`) },
    )
    const measure = `${alg} access tokens, 1 tenant, one core`
    return [
      {
        measure: `${measure} / oidc-provider`,
        ...against(loads.keyrite, 'oidc-provider', loads.peer),
        target: target.peer,
      },
      {
        measure: `${measure} / raw crypto.sign`,
        ...against(loads.keyrite, 'raw', loads.raw),
        ...('raw' in target && { target: target.raw }),
      },
    ]
  } finally {
    await Promise.all([keyrite.stop(), peer.stop()])
  }
}

/** Nothing but signing, measured like a server; there is nobody who waits for it. */
async function rawSigning(alg: string, seconds: number): Promise<Load> {
  const said = await script<RawSigning>(SERVER_CORE, 'raw-sign-child.ts', alg, String(seconds))
  return { ...said, p50: Number.NaN, p99: Number.NaN, loadCores: 0 }
}
