import { randomBytes } from 'node:crypto'
import { type Target, untilReady } from './ask.ts'
import { AUDIENCE, jwksRequest, SCOPES, tokenRequest } from './fixture.ts'
import type { Loaded } from './load.ts'
import { freePort, here, SERVER_CORE, start } from './processes.ts'

export type Peer = Loaded & { stop(): Promise<void> }

/** oidc-provider in a process of its own on one core, with a key for this algorithm. */
export async function serveOidcProvider(alg: 'ES256' | 'RS256'): Promise<Peer & { tokens: Target[]; jwks: Target[] }> {
  const port = await freePort()
  const [clientId, secret] = ['orders-service', randomBytes(32).toString('base64url')]
  const args = [here('peer-oidc-child.ts'), String(port), alg, AUDIENCE, SCOPES.join(' '), clientId, secret]
  const { child, pid, stop } = start(SERVER_CORE, process.execPath, args)
  const host = `127.0.0.1:${port}`
  const jwks = jwksRequest(host, '/jwks')
  await untilReady(port, jwks, () => child.exitCode === null)
  const token = tokenRequest(host, '/token', clientId, secret)
  const tokens = [{ ...token, body: `${token.body}&scope=${encodeURIComponent(SCOPES.join(' '))}` }]
  return { port, pid, stop, tokens, jwks: [jwks] }
}
