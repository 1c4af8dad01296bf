import type { EventOf, VaultEvent } from './events.ts'

type MadeKey = Pick<EventOf<'key-generated'>, 'tenant' | 'kid' | 'spec' | 'times' | 'replaces' | 'standby'>
type ImportedKey = Pick<EventOf<'key-imported'>, 'tenant' | 'kid' | 'spec' | 'times' | 'imported'>

/** What custodians approve when keys are made or taken in: new tenants whole, and of each key all but how it is sealed. */
export const madeObjects = (
  tenants: readonly VaultEvent[],
  keys: readonly MadeKey[],
  taken: readonly ImportedKey[] = [],
) => ({
  tenants,
  keys: keys.map(({ tenant, kid, spec, times, replaces, standby }) => ({
    tenant,
    kid,
    spec,
    times,
    replaces,
    ...(standby && { standby }),
  })),
  ...(taken.length > 0 && {
    imported: taken.map(({ tenant, kid, spec, times, imported }) => ({ tenant, kid, spec, times, imported })),
  }),
})

/** What custodians approve when emergency envelopes are sealed. */
export const envelopeObjects = (
  runtimeId: string,
  envelopes: readonly { number: number; tenant: string; kid: string; transportKey: string }[],
) => ({
  envelopes: envelopes.map(({ number, tenant, kid, transportKey }) => ({ number, tenant, kid, transportKey })),
  runtimeId,
})

/** What custodians approve when a tenant or a hold changes: every change of the plan together. */
export const amendedObjects = (changes: readonly VaultEvent[]) => ({ amend: changes })

/** What custodians approve when keys leave for an existing issuer. */
export const exportObjects = ({
  number,
  kids,
  format,
  recipient,
  holder,
}: Omit<EventOf<'export-intended'>, 'type'>) => ({
  export: { number, kids, format, recipient, holder },
})
