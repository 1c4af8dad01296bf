import type { EventOf, RevocationIntent, VaultEvent } from './events.ts'
import { LATER_POLICY, type Policy, type WrittenPolicy } from './policy.ts'

type MadeKey = Pick<EventOf<'key-generated'>, 'tenant' | 'kid' | 'spec' | 'x5c' | 'times' | 'replaces' | 'standby'>
type ImportedKey = Pick<EventOf<'key-imported'>, 'tenant' | 'kid' | 'spec' | 'times' | 'imported'>

/**
 * A policy as people approve it: members of `LATER_POLICY` count only where they differ, so that an approval from before
 * they existed still covers the policy it was given for.
 */
const approvedPolicy = (policy: Policy): WrittenPolicy => {
  const { tokenType, ed25519Name, x509, ...rest } = policy
  return {
    ...rest,
    ...(tokenType !== LATER_POLICY.tokenType && { tokenType }),
    ...(ed25519Name !== LATER_POLICY.ed25519Name && { ed25519Name }),
    ...(x509 !== LATER_POLICY.x509 && { x509 }),
  }
}

const asApproved = (event: VaultEvent) =>
  event.type === 'tenant-added' || event.type === 'tenant-amended'
    ? { ...event, policy: approvedPolicy(event.policy) }
    : event

/** What custodians approve when keys are made or taken in: new tenants whole, and of each key all but how it is sealed. */
export const madeObjects = (
  tenants: readonly VaultEvent[],
  keys: readonly MadeKey[],
  taken: readonly ImportedKey[] = [],
) => ({
  tenants: tenants.map(asApproved),
  keys: keys.map(({ tenant, kid, spec, x5c, times, replaces, standby }) => ({
    tenant,
    kid,
    spec,
    ...(x5c && { x5c }),
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

/** What custodians approve when revocations are signed: those of all runtimes together. */
export const revocationObjects = (revocations: readonly RevocationIntent[]) => ({
  revocations: revocations
    .toSorted((a, b) => (a.runtimeId < b.runtimeId ? -1 : 1))
    .map(({ runtimeId, id, order, reason, prepared, keys, standbys, exp }) => ({
      runtimeId,
      id,
      order,
      reason,
      prepared,
      keys,
      standbys,
      exp,
    })),
})

/** What custodians approve when a tenant or a hold changes: every change of the plan together. */
export const amendedObjects = (changes: readonly VaultEvent[]) => ({ amend: changes.map(asApproved) })

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
