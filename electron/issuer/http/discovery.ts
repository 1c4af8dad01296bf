import { JWKS_MAX_AGE } from '../../../shared/domain/policy.ts'
import type { PublishedJwk } from '../../../shared/formats/bundle.ts'
import { CLIENT_AUTH_METHODS, type Soon, type TenantService } from '../service.ts'
import type { Answer } from './answer.ts'
import { ASSERTION_ALGORITHMS } from './assertion.ts'
import { Documents } from './documents.ts'
import { type Fetch, sameKeys } from './jwks.ts'
import { ENDPOINT_PATHS, tokenEndpoint } from './routes.ts'
import { soon } from './soon.ts'

/** What a tenant's document depends on besides its service object. */
type Source = { keys: readonly PublishedJwk[]; history: boolean }

/**
 * One document for OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2. `issuer` is byte-identical to the
 * `iss` of the tenant's tokens. Nobody logs in here; `response_types_supported`, `subject_types_supported` and
 * `id_token_signing_alg_values_supported` stand because OpenID clients require them.
 */
function discoveryDocument({ keys, history }: Source, { issuer, algorithms }: TenantService): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: issuer + ENDPOINT_PATHS['jwks.json'],
    signed_jwks_uri: issuer + ENDPOINT_PATHS['jwks.jwt'],
    ...(history && { federation_historical_keys_endpoint: issuer + ENDPOINT_PATHS['historical-keys.jwt'] }),
    token_endpoint: tokenEndpoint(issuer),
    introspection_endpoint: issuer + ENDPOINT_PATHS.introspect,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms.map((alg) => publishedName(alg, keys)),
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  }
}

/** Ed25519 goes by the name that the tenant's keys carry: `Ed25519` (RFC 9864), or `EdDSA` for older verifiers. */
const publishedName = (alg: string, keys: readonly PublishedJwk[]): string =>
  (alg === 'Ed25519' && keys.find((key) => key.kty === 'OKP')?.alg) || alg

const documents = new Documents<Source>(
  'application/json',
  (a, b) => a.history === b.history && sameKeys(a.keys, b.keys),
  (source, tenant) => JSON.stringify(discoveryDocument(source, tenant)),
)

export function discoveryAnswer(tenant: TenantService, { now, ifNoneMatch }: Fetch): Soon<Answer> {
  return soon(tenant.historicalSet(), (historical) => {
    const { keys } = tenant.published(now)
    return documents.answer(tenant, { keys, history: historical !== null }, JWKS_MAX_AGE, ifNoneMatch)
  })
}
