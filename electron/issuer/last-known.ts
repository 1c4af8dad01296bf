import type { TenantService } from './service.ts'

/**
 * A tenant as it was when its store last answered: what the root signed keeps being served, and nobody signs, because
 * nobody knows what was tainted since.
 */
export const lastKnown = (service: TenantService): TenantService => ({
  tenant: service.tenant,
  stale: true,
  issuer: service.issuer,
  accessTokenLifetime: service.accessTokenLifetime,
  algorithms: service.algorithms,
  tokenType: service.tokenType,
  rejectIssuedBefore: service.rejectIssuedBefore,
  published: (now) => service.published(now),
  signedSet: (now) => service.signedSet(now),
  historicalSet: () => service.historicalSet(),
  signer: () => null,
  client: (clientId) => service.client(clientId),
  takeAssertion: (...assertion) => service.takeAssertion(...assertion),
  record: (issued) => service.record(issued),
  noteFetch: (...fetch) => service.noteFetch(...fetch),
})
