import { must } from '../errors.ts'
import { mustNotAwait } from './copies.ts'
import { exportedKeys } from './handoff.ts'
import { knownRuntime, standbysOf, tenantsOf } from './known.ts'
import { erasureOf } from './receipts.ts'
import { openCeremony, type Runtime, type Tenant, type VaultKey, type VaultState } from './state.ts'

/** Sealed emergency envelopes: one tenant's way out at a runtime when no quorum is near. */

export type EnvelopeJob = { tenant: Tenant; standby: VaultKey; withdraws: string[]; transportKey: unknown }

type Offer = { kid: string; key: unknown }

/**
 * The transport keys that a runtime keeps for envelopes and that no envelope uses yet, oldest first. A try of the open
 * ceremony that was interrupted gives its keys back: its files are taken back before the next.
 */
export function freeOffers(runtime: Runtime, open: string | null): Offer[] {
  const used = new Set(
    runtime.envelopes.filter((one) => one.file || one.ceremony !== open).map((envelope) => envelope.transportKey),
  )
  return runtime.receipts.statements.flatMap(({ stated }) => {
    if (stated.type !== 'envelope-key-offered' || typeof stated['kid'] !== 'string') return []
    const kid = stated['kid']
    return used.has(kid) || erasureOf(runtime, kid) ? [] : [{ kid, key: stated['key'] }]
  })
}

/**
 * The envelopes that a plan asks for: each chosen tenant's standby key, and the keys of its algorithm that may have to
 * be withdrawn. A tenant whose standby key lies in an open envelope for this runtime already is left out where all are
 * chosen. Codes `runtime-unknown`, `tenant-unknown`, `ceremony-conflict` for a tenant without a standby key, one whose
 * envelope is there, or too few transport keys.
 */
export function decideEnvelopes(
  state: VaultState,
  runtimeId: string,
  chosen: 'all' | readonly string[],
  now: number,
): EnvelopeJob[] {
  const runtime = knownRuntime(state, runtimeId)
  mustNotAwait(state)
  const offers = freeOffers(runtime, openCeremony(state)?.id ?? null)
  const wanted = tenantsOf(state, chosen).flatMap((tenant) => {
    const job = envelopeFor(state, runtime, tenant, now)
    if (typeof job !== 'string') return [job]
    must(chosen === 'all', 'ceremony-conflict', `Tenant ${tenant.tenant}: ${job}.`)
    return []
  })
  must(wanted.length > 0, 'ceremony-conflict', 'No tenant of the plan needs an envelope.')
  const missing = wanted.length - offers.length
  must(
    missing <= 0,
    'ceremony-conflict',
    `${runtimeId} keeps ${offers.length} free transport keys for envelopes, and ${wanted.length} are needed.`,
    { hint: `Run "issuer envelope offer --count ${missing}" there, and bring its receipts in.` },
  )
  return wanted.map((job, index) => ({ ...job, transportKey: offers[index]?.key }))
}

function envelopeFor(
  state: VaultState,
  runtime: Runtime,
  tenant: Tenant,
  now: number,
): Omit<EnvelopeJob, 'transportKey'> | string {
  const [spec] = tenant.policy.signingAlgorithms
  const standby = spec && standbysOf(state, tenant.tenant, spec).findLast((key) => key.times.signUntil > now)
  if (!standby) return 'it has no standby key; its policy must ask for one, and a rotation makes it'
  const open = runtime.envelopes.find(
    (one) => one.kid === standby.kid && one.file && !erasureOf(runtime, one.transportKey),
  )
  if (open) return `envelope ${open.number} for its standby key is there already`
  const named = exportedKeys(state, tenant, now).named
  const withdraws = named.filter((key) => !key.standby && !key.compromised && key.spec === standby.spec)
  if (withdraws.length === 0) return 'it has no key that could be withdrawn'
  return { tenant, standby, withdraws: withdraws.map((key) => key.kid) }
}
