import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import { type Phase, phaseAt } from '../../shared/domain/key.ts'
import { scheduleEnd } from '../../shared/domain/schedule.ts'
import type { Context } from './context.ts'
import type { ClockHold, Reader } from './store/store.ts'
import { loadTenant, nextPhaseChange, signersAt, type TenantState } from './tenant-state.ts'

/** What `issuer status` shows. All instants in seconds since 1970 UTC. */
export type Status = {
  runtimeId: string
  environment: string
  practice: boolean
  vaultId: string
  bundle: { number: number; at: number } | null
  clock: { now: number; hold: ClockHold | null }
  /** Receipts that the vault had not taken when it made the newest bundle. */
  receiptsNotExported: number
  tenants: TenantStatus[]
  /** Tenants that the vault offboarded: nothing of them is served any more. */
  offboarded: { tenant: string; at: number }[]
}

export type TenantStatus = {
  tenant: string
  /** As operators labelled it, or as the vault names it. */
  name: string
  issuer: string
  jwksUri: string
  tokenEndpoint: string
  signingKids: string[]
  phases: KeyStatus[]
  nextChange: number | null
  /** When the last scheduled key of an algorithm stops signing. */
  scheduleEnds: number | null
}

export type KeyStatus = {
  kid: string
  label: string
  spec: KeySpec
  phase: Phase
  announceAt: number
  signFrom: number
  signUntil: number
  extendUntil: number
  removeAt: number
  hasPrivate: boolean
  tainted: boolean
  withdrawn: boolean
  /** Made elsewhere: its independence is attested by nobody. */
  imported: boolean
}

export async function runtimeStatus({ config, store, receipts, clock }: Context): Promise<Status> {
  const { runtimeId, environment, practice, vaultId } = config
  const now = clock.now()
  const bundle = await store.bundle()
  const tenants = await store.all<{ tenant: string }>(
    'SELECT tenant FROM tenants WHERE tenant NOT IN (SELECT tenant FROM removed_tenants) ORDER BY tenant',
  )
  const offboarded = await store.all<{ tenant: string; at: number }>(
    'SELECT tenant, at FROM removed_tenants ORDER BY tenant',
  )
  return {
    runtimeId,
    environment,
    practice,
    vaultId,
    bundle: bundle ? { number: bundle.number, at: bundle.importedAt } : null,
    clock: { now, hold: clock.hold },
    receiptsNotExported: ((await receipts.head())?.seq ?? 0) - (bundle?.receiptsSeen ?? 0),
    tenants: await tenantsStatus(store, tenants, now),
    offboarded,
  }
}

async function tenantsStatus(
  store: Reader,
  tenants: readonly { tenant: string }[],
  now: number,
): Promise<TenantStatus[]> {
  const shown: TenantStatus[] = []
  for (const { tenant } of tenants) {
    const state = await loadTenant(store, tenant)
    if (state) shown.push(tenantStatus(state, now))
  }
  return shown
}

function tenantStatus(state: TenantState, now: number): TenantStatus {
  const { tenant, entry, rows, facts } = state
  const signers = signersAt(state, now)
  const compromised = new Set(entry.compromised.map((key) => key.kid))
  const phases = entry.keys.map((key): KeyStatus => {
    const { kid, label, spec, announceAt, signFrom, signUntil, extendUntil, removeAt } = key
    const { hasPrivate, tainted } = facts(kid)
    const phase = phaseAt(key, signers.get(KEY_SPECS[spec].alg) ?? null, now)
    const withdrawn = rows.get(kid)?.withdrawn === 1 || compromised.has(kid)
    const times = { announceAt, signFrom, signUntil, extendUntil, removeAt }
    const imported = key.propagation === 'none (imported key)'
    return { kid, label, spec, phase, ...times, hasPrivate, tainted, withdrawn, imported }
  })
  return {
    tenant,
    name: state.named ?? entry.name,
    issuer: entry.issuer,
    jwksUri: `${entry.issuer}/.well-known/jwks.json`,
    tokenEndpoint: `${entry.issuer}/token`,
    signingKids: phases.filter((key) => key.phase === 'signing').map((key) => key.kid),
    phases,
    nextChange: nextPhaseChange(state, now),
    scheduleEnds: scheduleEnd(entry.keys.filter((key) => !compromised.has(key.kid))),
  }
}
