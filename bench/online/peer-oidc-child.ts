import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

/**
 * oidc-provider on the work that Keyrite is measured with: client_credentials, client_secret_basic, one client, access
 * tokens that are JWTs for one resource. Arguments: port, algorithm, audience, scopes, client id and secret.
 */
const [port = '0', alg = 'ES256', audience = '', scope = '', clientId = '', secret = ''] = process.argv.slice(2)
if (alg !== 'ES256' && alg !== 'RS256') throw new Error(`no peer for ${alg}`)

const { privateKey } =
  alg === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })).export({ format: 'jwk' })

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: clientId,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: alg,
      scope,
    },
  ],
  scopes: scope.split(' '),
  jwks: { keys: [{ ...jwk, use: 'sig', alg, kid: 'key-1' }] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope,
        audience,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg } },
      }),
    },
  },
})
createServer(provider.callback()).listen(Number(port), '127.0.0.1')
