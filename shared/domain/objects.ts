import type { EventOf, VaultEvent } from './events.ts'

type MadeKey = Pick<EventOf<'key-generated'>, 'tenant' | 'kid' | 'spec' | 'times' | 'replaces'>

/** What custodians approve when keys are made: new tenants whole, and of each key all but how it is sealed. */
export const madeObjects = (tenants: readonly VaultEvent[], keys: readonly MadeKey[]) => ({
  tenants,
  keys: keys.map(({ tenant, kid, spec, times, replaces }) => ({ tenant, kid, spec, times, replaces })),
})
