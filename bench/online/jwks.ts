import { inTurns, type Row } from '../measure.ts'
import { ask } from './ask.ts'
import { fixtureOf, say } from './fixture.ts'
import { serveKeyrite } from './keyrite.ts'
import { against, type Load, load } from './load.ts'
import { serveNginx } from './peer-nginx.ts'
import { serveOidcProvider } from './peer-oidc.ts'

/** Key sets at one tenant: against oidc-provider, and against nginx with the same bytes in a file. */
export async function onlineJwks(seconds: number, rounds: number): Promise<Row[]> {
  const fixture = await fixtureOf(1)
  const keyrite = await serveKeyrite(fixture)
  const oidc = await serveOidcProvider('ES256')
  const [target] = fixture.jwks
  const nginx = target ? await serveNginx(target, (await ask(keyrite.port, target)).body) : null
  try {
    const loads = await inTurns<string, Load>(
      rounds,
      {
        keyrite: () => load(keyrite, fixture.jwks, seconds),
        oidc: () => load(oidc, oidc.jwks, seconds),
        ...(nginx && { nginx: () => load(nginx, fixture.jwks, seconds) }),
      },
      { onRound: (done) => say(`key sets: round ${done} of ${rounds}`) },
    )
    const row = (name: string, of: readonly Load[] | undefined, least: number): Row => {
      const measure = `JWKS responses, one core / ${name}`
      if (!of) return { measure, figure: `not measured: no ${name} here` }
      return { measure, ...against(loads['keyrite'] ?? [], name, of), target: least }
    }
    return [row('oidc-provider', loads['oidc'], 3), row('nginx', loads['nginx'], 0.6)]
  } finally {
    await Promise.all([keyrite.stop(), oidc.stop(), nginx?.stop()])
  }
}
