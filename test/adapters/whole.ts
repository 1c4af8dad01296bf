import type { IssuerService, TenantService } from '../../electron/issuer/service.ts'

/** Members of the contract that a runtime of this tree may not have yet. Goes once it has them. */

const later: Pick<IssuerService, 'cannotSign'> = { cannotSign: () => null }
const ofTenant: Pick<TenantService, 'record' | 'noteFetch'> = { record: async () => {}, noteFetch: () => {} }

export const whole = <R extends IssuerService>(runtime: R): R => ({
  ...later,
  ...runtime,
  find: async (host: string, path: string) => {
    const tenant = await runtime.find(host, path)
    return tenant && { ...ofTenant, ...tenant }
  },
})
