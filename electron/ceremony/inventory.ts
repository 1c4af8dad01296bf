import { notInVault } from '../../shared/domain/copies.ts'
import { holdOn, neededFor } from '../../shared/domain/destruction.ts'
import { keyState } from '../../shared/domain/key.ts'
import { backupCopy, copiesOf, lostVault } from '../../shared/domain/ledger.ts'
import { sealAnew } from '../../shared/domain/ledger-envelopes.ts'
import { passphraseCopies } from '../../shared/domain/ledger-people.ts'
import { count } from '../../shared/domain/plural.ts'
import { DAY, spellDuration } from '../../shared/domain/policy.ts'
import type { Runtime, VaultKey, VaultState } from '../../shared/domain/state.ts'
import { type Inventory, signInventory } from '../../shared/formats/inventory.ts'
import { act, type Context, type Outcome } from './context.ts'

/** The inventory: what the rows, the ledger and the receipts say, compared and signed. */

/** Receipts older than this say little about today. */
const STALE = 35 * DAY

type Taken = { ceremony: string; root: string; now: number }

/** Everything that this vault knows of keys and copies, and what does not agree. */
export function inventoryOf(state: VaultState, { ceremony, root, now }: Taken): Inventory {
  const keys = [...state.keys.values()].map((key) => keyOf(state, key, now))
  const backups = [...state.backups.values()].map((one) => ({
    number: one.number,
    at: one.at,
    epoch: one.epoch,
    keys: one.kids.size,
    copy: backupCopy(state, one),
  }))
  return {
    version: 1,
    inventory: `${ceremony}-V1`,
    ceremony,
    vaultId: state.vaultId,
    vaultName: state.name,
    takenAt: now,
    seq: state.seq,
    epoch: state.epoch,
    keys,
    notInVault: notInVault(state),
    runtimes: [...state.runtimes.values()].map((runtime) => runtimeOf(state, runtime, keys, now)),
    backups,
    lost: state.restores.map((one) => lostVault(state, one)),
    pastEpochs: Array.from({ length: state.epoch - 1 }, (_, index) => ({
      epoch: index + 1,
      holders: holdersIn(state, index + 1),
      opens: backups
        .filter(({ epoch, copy }) => epoch === index + 1 && copy.status === 'open')
        .map(({ copy }) => copy.what),
    })),
    passphrases: passphraseCopies(state),
    findings: findingsOf(state, root, now).slice(0, 10_000),
  }
}

/** Whose shares an epoch had, and which of them lie on a medium of their own. */
const holdersIn = ({ pastEpochs }: VaultState, epoch: number): string[] =>
  Object.entries(pastEpochs.find((one) => one.epoch === epoch)?.holders ?? {}).map(([person, place]) =>
    place === 'medium' ? `${person} (own medium)` : person,
  )

function keyOf(state: VaultState, key: VaultKey, now: number): Inventory['keys'][number] {
  const { tenant, kid, label, spec, times, compromised, destroyed } = key
  const keeps = state.tenants.get(tenant)?.policy.destroyPrivateAtRetirement === false
  return {
    tenant,
    kid,
    label,
    spec,
    state: keyState(times, now, { compromised: compromised !== null, destroyed: destroyed !== null }),
    signFrom: times.signFrom,
    signUntil: times.signUntil,
    inVault: state.sealed.has(`key:${kid}`),
    kept: keeps && !destroyed && now >= times.extendUntil,
    imported: key.imported !== null,
    hold: holdOn(state, kid)?.hold ?? null,
    destroyedElsewhere: state.elsewhere.get(kid)?.certificate ?? null,
    certificate: key.certificate?.id ?? null,
    copies: copiesOf(state, key),
  }
}

function runtimeOf(
  state: VaultState,
  { runtimeId, receipts, handoffs }: Runtime,
  keys: Inventory['keys'],
  now: number,
): Inventory['runtimes'][number] {
  const newestAt = receipts.statements.at(-1)?.at ?? null
  const id = `runtime:${runtimeId}`
  const sent = handoffs.findLast((one) => one.exported)
  return {
    runtimeId,
    receipts: receipts.upTo,
    newestAt,
    stale: staleBecause(state, runtimeId, newestAt, sent?.at ?? null, now),
    keys: keys.filter(({ copies }) => copies.some((copy) => copy.id === id && copy.status === 'open')).length,
  }
}

function staleBecause(
  state: VaultState,
  runtimeId: string,
  newest: number | null,
  sent: number | null,
  now: number,
): string | null {
  if (state.awaited.has(runtimeId)) return 'None were brought since the vault was restored'
  if (newest === null) return sent === null ? null : 'None were ever taken'
  if (sent !== null && newest < sent) return 'None were taken since the last handoff'
  return now - newest > STALE ? `The newest is ${spellDuration(now - newest)} old` : null
}

/** What does not agree, or is still to be done; each names its key. */
function findingsOf(state: VaultState, root: string, now: number): string[] {
  const anew = sealAnew(state)
  return [
    ...[...state.keys.values()].flatMap((key) => keyFindings(state, key, now)),
    ...rowFindings(state, root),
    ...(anew ? [anew] : []),
  ]
}

function keyFindings(state: VaultState, key: VaultKey, now: number): string[] {
  const { kid, label, tenant, destroyed } = key
  const rows = [`key:${kid}`, `wrap:${kid}`].filter((id) => state.sealed.has(id)).length
  const elsewhere = state.elsewhere.get(kid)
  const found: string[] = []
  if (destroyed && rows > 0) found.push(`${label} is destroyed, but ${count(rows, 'row')} of it is in the vault.`)
  if (destroyed && !key.absenceProved) found.push(`${label} is erased, but nobody proved that it is gone.`)
  if (!destroyed && rows < 2) found.push(`${label} is not destroyed, but its sealed rows are missing.`)
  if (!destroyed && elsewhere)
    found.push(
      `${label} came back with a backup although certificate ${elsewhere.certificate} names it: destroy it again.`,
    )
  const keeps = state.tenants.get(tenant)?.policy.destroyPrivateAtRetirement === false
  if (!destroyed && !elsewhere && !keeps && neededFor(state, key, now) === null && !holdOn(state, kid))
    found.push(`${label} is not needed any more: its private half is due for destruction.`)
  return found
}

function rowFindings(state: VaultState, root: string): string[] {
  const own = new Set([root, state.successor])
  return [...state.sealed.keys()].flatMap((id) => {
    const kid = id.slice(id.indexOf(':') + 1)
    return own.has(kid) || state.keys.has(kid) ? [] : [`The row ${id} belongs to no key that the history names.`]
  })
}

/** Signs the inventory: the root under a quorum. It stands in the record folder as inventory.json and inventory.html. */
export async function takeInventory(context: Context): Promise<Outcome> {
  const { vault, ports, ceremony } = context
  const { practice, key } = vault.anchor
  const inventory = inventoryOf(vault.state, { ceremony, root: key.kid, now: ports.now() })
  const { result: statement, approved } = await act(context, inventory, async (quorum) =>
    signInventory(inventory, practice, await quorum.root()),
  )
  const open = inventory.keys.flatMap(({ copies }) => copies).filter((copy) => copy.status === 'open').length
  const stale = inventory.runtimes.filter((one) => one.stale !== null).length
  return {
    observed: `${count(inventory.keys.length, 'key')}, ${count(open, 'open copy', 'open copies')}; ${count(stale, 'runtime')} with stale receipts; ${count(inventory.notInVault.length, 'key')} not in this vault; ${count(inventory.findings.length, 'finding')}.`,
    events: [approved, { type: 'inventory-taken', inventory: inventory.inventory, statement }],
  }
}
