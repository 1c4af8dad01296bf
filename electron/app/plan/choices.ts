import type { Choices } from '../../../shared/contract/plan.ts'
import { KEY_SPEC_NAMES } from '../../../shared/domain/algorithms.ts'
import { holdOn, neededFor } from '../../../shared/domain/destruction.ts'
import { EXPORT_FORMATS, IMPORT_FORMATS } from '../../../shared/domain/events.ts'
import { keyState } from '../../../shared/domain/key.ts'
import { copiesOf } from '../../../shared/domain/ledger.ts'
import { STANDBYS } from '../../../shared/domain/policy.ts'
import { SHARE_PLACES } from '../../../shared/domain/roster.ts'
import type { VaultKey, VaultState } from '../../../shared/domain/state.ts'
import type { AppContext } from '../context.ts'
import { filesOn } from '../machine/medium-files.ts'

/** What forms choose from. Without an open vault there is nothing but the fixed lists and the files on the medium. */
export async function choicesOf(app: AppContext): Promise<Choices> {
  const vault = app.view?.vault
  const { files } = app.medium === null ? { files: [] } : await filesOn(app)
  return {
    ...(vault ? ofVault(vault.state, app.now()) : NO_VAULT),
    people: vault?.roster.people.map(({ id, name, role }) => ({ id, name, role })) ?? [],
    threshold: vault?.roster.threshold ?? 0,
    files,
    specs: [...KEY_SPEC_NAMES],
    importFormats: [...IMPORT_FORMATS],
    exportFormats: [...EXPORT_FORMATS],
    standbys: [...STANDBYS],
    sharePlaces: [...SHARE_PLACES],
  }
}

type OfVault = Pick<Choices, 'tenants' | 'keys' | 'runtimes' | 'holds' | 'backups'>

const NO_VAULT: OfVault = { tenants: [], keys: [], runtimes: [], holds: [], backups: [] }

const ofVault = (state: VaultState, now: number): OfVault => ({
  tenants: [...state.tenants.values()].map(({ tenant, name, reserved, offboarded, kids }) => ({
    tenant,
    name,
    reserved,
    offboarded: offboarded !== null,
    keys: kids.length,
  })),
  keys: [...state.keys.values()].map((key) => keyChoice(state, key, now)),
  runtimes: [...state.runtimes.values()].map(({ runtimeId, handoffs }) => ({ runtimeId, handoffs: handoffs.length })),
  holds: [...state.holds.keys()],
  backups: [...state.backups.values()].map(({ number, holder, place }) => ({ number, holder, place })),
})

function keyChoice(state: VaultState, key: VaultKey, now: number): Choices['keys'][number] {
  const { kid, label, tenant, spec, times, compromised, destroyed } = key
  const open = copiesOf(state, key).filter(({ status }) => status === 'open')
  return {
    kid,
    label,
    tenant,
    spec,
    state: keyState(times, now, { compromised: compromised !== null, destroyed: destroyed !== null }),
    blocked: blockedBy(state, key, now),
    destroyed: destroyed !== null,
    openCopies: open.map(({ id, what }) => ({ id, what })),
  }
}

/** Why a key cannot be destroyed now; null where nothing keeps it, or nothing is left to destroy. */
function blockedBy(state: VaultState, key: VaultKey, now: number): string | null {
  if (key.destroyed) return null
  const hold = holdOn(state, key.kid)
  return hold ? `the legal hold ${hold.hold} names it (${hold.reason})` : neededFor(state, key, now)
}
