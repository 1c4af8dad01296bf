import { setImmediate } from 'node:timers/promises'
import { KEY_SPECS, type KeySpec } from '../../shared/domain/algorithms.ts'
import { type Phase, phaseAt } from '../../shared/domain/key.ts'
import { scheduleEnd } from '../../shared/domain/schedule.ts'
import type { Context } from './context.ts'
import type { ClockHold } from './store/store.ts'
import { loadTenants, nextPhaseChange, signersAt, type TenantState } from './tenant-state.ts'
import type { Fetched } from './traffic.ts'

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
  /** Who has fetched the key that signs next; null while none is announced. */
  propagation: Propagation | null
  /** When the last scheduled key of an algorithm stops signing. */
  scheduleEnds: number | null
}

/** Registered relying parties that fetched the newest announced key, and those that did not; and how many others did. */
export type Propagation = {
  kid: string
  signFrom: number
  fetched: { party: string; at: number }[]
  missing: string[]
  /** Fetches by somebody who did not say who they are. */
  unnamed: boolean
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

export async function runtimeStatus({ config, store, traffic, receipts, clock }: Context): Promise<Status> {
  const { runtimeId, environment, practice, vaultId } = config
  const now = clock.now()
  const bundle = await store.bundle()
  const offboarded = await store.all<{ tenant: string; at: number }>(
    'SELECT tenant, at FROM removed_tenants ORDER BY tenant',
  )
  const tenants: TenantStatus[] = []
  for (let page = await loadTenants(store, '', PAGE); page.length > 0; ) {
    const after = page.at(-1)?.tenant ?? ''
    const fetches = await traffic.fetchesOf(page[0]?.tenant ?? '', after)
    for (const state of page) tenants.push(tenantStatus(state, fetches.get(state.tenant) ?? [], now))
    // A process that serves as well answers its requests between two pages.
    await setImmediate()
    page = await loadTenants(store, after, PAGE)
  }
  return {
    runtimeId,
    environment,
    practice,
    vaultId,
    bundle: bundle ? { number: bundle.number, at: bundle.importedAt } : null,
    clock: { now, hold: clock.hold },
    receiptsNotExported: ((await receipts.head())?.seq ?? 0) - (bundle?.receiptsSeen ?? 0),
    tenants,
    offboarded,
  }
}

const PAGE = 100

function tenantStatus(state: TenantState, fetches: readonly Fetched[], now: number): TenantStatus {
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
    propagation: propagationOf(state, phases, fetches),
    scheduleEnds: scheduleEnd(entry.keys.filter((key) => !compromised.has(key.kid))),
  }
}

function propagationOf(
  { entry }: TenantState,
  phases: readonly KeyStatus[],
  fetches: readonly Fetched[],
): Propagation | null {
  const standbys = new Set(entry.keys.flatMap(({ kid, standby }) => (standby ? [kid] : [])))
  const next = phases
    .filter(({ kid, phase, tainted }) => phase === 'announced' && !tainted && !standbys.has(kid))
    .sort((a, b) => a.signFrom - b.signFrom)[0]
  if (!next) return null
  const seen = new Map(fetches.flatMap(({ party, kid, at }) => (kid === next.kid ? [[party, at] as const] : [])))
  const registered = entry.relyingParties.map(({ name }) => name)
  const named = [...seen].flatMap(([party, at]) => (party === '' ? [] : [{ party, at }]))
  return {
    kid: next.kid,
    signFrom: next.signFrom,
    fetched: named,
    missing: registered.filter((party) => !seen.has(party)),
    unnamed: seen.has(''),
  }
}
