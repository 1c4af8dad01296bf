import { JWKS_MAX_AGE } from '../../../shared/domain/policy.ts'
import { CLIENT_AUTH_METHODS, type TenantService } from '../service.ts'
import { type Answer, makeAnswer } from './answer.ts'
import { ASSERTION_ALGORITHMS } from './assertion.ts'
import { maxAge, spread } from './caching.ts'
import { ENDPOINT_PATHS, tokenEndpoint } from './routes.ts'

/**
 * One document for OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2. `issuer` is byte-identical to the
 * `iss` of the tenant's tokens. Nobody logs in here; `response_types_supported`, `subject_types_supported` and
 * `id_token_signing_alg_values_supported` stand because OpenID clients require them.
 */
export function discoveryDocument({ issuer, algorithms }: TenantService): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: issuer + ENDPOINT_PATHS['jwks.json'],
    signed_jwks_uri: issuer + ENDPOINT_PATHS['jwks.jwt'],
    token_endpoint: tokenEndpoint(issuer),
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  }
}

export const discoveryAnswer = (tenant: TenantService): Answer =>
  makeAnswer(
    200,
    {
      'Content-Type': 'application/json',
      'Cache-Control': `public, max-age=${maxAge(JWKS_MAX_AGE, spread(tenant.issuer))}`,
      'Access-Control-Allow-Origin': '*',
    },
    JSON.stringify(discoveryDocument(tenant)),
  )
