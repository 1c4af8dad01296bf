import type { KeyRow } from '../../../shared/contract/records.ts'
import { NOT_ATTESTED } from '../../../shared/domain/imported.ts'
import { type KeyState, keyState, type Phase, scheduledPhase } from '../../../shared/domain/key.ts'
import { type Copy, copiesOf } from '../../../shared/domain/ledger.ts'
import { keysOf, type Tenant, type VaultKey, type VaultState } from '../../../shared/domain/state.ts'

/** Every key of a vault with its phase, its state, what holds it and every known copy, by tenant and time. */

export type ListedKey = {
  key: VaultKey
  tenant: Tenant
  phase: Phase
  state: KeyState
  holds: string[]
  copies: Copy[]
  openCopies: Copy[]
  /** What is not as usual, in a few words each. */
  remarks: string[]
}

export const listedKeys = (state: VaultState, now: number): ListedKey[] =>
  [...state.tenants.values()].flatMap((tenant) =>
    keysOf(state, tenant.tenant).map((key) => listed(state, tenant, key, now)),
  )

function listed(state: VaultState, tenant: Tenant, key: VaultKey, now: number): ListedKey {
  const holds = [...state.holds.values()].filter(({ kids }) => kids.includes(key.kid)).map(({ hold }) => hold)
  const copies = copiesOf(state, key)
  return {
    key,
    tenant,
    // A compromised key has left the published set (decision 0007), and so has an offboarded tenant, whatever its times say.
    phase: key.compromised || tenant.offboarded ? 'removed' : scheduledPhase(key.times, now),
    state: keyState(key.times, now, { compromised: key.compromised !== null, destroyed: key.destroyed !== null }),
    holds,
    copies,
    openCopies: copies.filter((copy) => copy.status === 'open'),
    remarks: [
      ...(key.imported ? [NOT_ATTESTED] : []),
      ...key.exported.map((number) => `export ${number}`),
      ...holds.map((hold) => `hold ${hold}`),
    ],
  }
}

/** The same as the screens list it. */
export const keyRows = (state: VaultState, now: number): KeyRow[] =>
  listedKeys(state, now).map(({ key, tenant, phase, state: standing, copies, openCopies, remarks }) => {
    const { kid, label, spec, times, standby, compromised, destroyed, certificate } = key
    const { announceAt, signFrom, signUntil, extendUntil, removeAt } = times
    return {
      kid,
      label,
      tenant: tenant.tenant,
      tenantName: tenant.name,
      spec,
      phase,
      state: standing,
      times: { announceAt, signFrom, signUntil, extendUntil, removeAt },
      standby: standby === true,
      compromisedAt: compromised?.at ?? null,
      destroyedAt: destroyed?.at ?? null,
      remarks,
      copies,
      openCopies: openCopies.length,
      certificate,
    }
  })
