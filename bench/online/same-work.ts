import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { ask, type Target } from './ask.ts'
import { AUDIENCE, SCOPES } from './fixture.ts'

/**
 * What is compared does the same work: gives a token that verifies through the server's own key set, with this algorithm,
 * for the audience and scopes that were asked for. Throws where it does not.
 */
export async function mustIssue(port: number, token: Target, jwks: Target, alg: string): Promise<void> {
  const [issued, published] = [await ask(port, token), await ask(port, jwks)]
  if (issued.status !== 200) throw new Error(`no token from port ${port}: ${issued.status} ${issued.body}`)
  const { access_token: jwt } = JSON.parse(issued.body) as { access_token: string }
  const keys = createLocalJWKSet(JSON.parse(published.body) as JSONWebKeySet)
  const { payload } = await jwtVerify(jwt, keys, { audience: AUDIENCE, algorithms: [alg] })
  const names = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope']
  const missing = names.filter((name) => payload[name] === undefined)
  const { typ } = decodeProtectedHeader(jwt)
  if (missing.length > 0 || payload['scope'] !== SCOPES.join(' ') || typ !== 'at+jwt')
    throw new Error(`a token of other work from port ${port}: typ ${typ}, ${JSON.stringify(payload)}`)
}
