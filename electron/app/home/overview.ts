import type { Overview, TenantRow } from '../../../shared/contract/home.ts'
import { attentionOf, nextKeyDue } from '../../../shared/domain/attention.ts'
import { cannotCloseAfter } from '../../../shared/domain/closing.ts'
import { peopleStatus } from '../../../shared/domain/home.ts'
import { SCRIPTS, SIGN_OFF } from '../../../shared/domain/script.ts'
import {
  keysOf,
  openCeremony,
  type Runtime,
  type Tenant,
  type VaultKey,
  type VaultState,
} from '../../../shared/domain/state.ts'
import { openCheckpoint } from '../../../shared/formats/checkpoint.ts'
import type { View } from '../context.ts'

/** What home shows of the vault that is open: it all follows from the folded state, so nothing is read from the disk. */
export async function overviewOf({ vault, folder, by, openedAt }: View, now: number): Promise<Overview> {
  const { state, roster, anchor, tail } = vault
  const signed = state.checkpoint && (await openCheckpoint(state.checkpoint.statement, anchor.key, anchor.practice))
  const people = peopleStatus(state, roster.people, now)
  const opener = people.find(({ id }) => id === by.id)
  return {
    folder,
    name: state.name,
    practice: state.practice,
    createdAt: state.createdAt,
    openedBy: { id: by.id, name: opener?.name ?? by.id, role: opener?.role ?? 'custodian' },
    openedAt,
    events: state.seq,
    signedEvent: signed?.seq ?? null,
    epoch: state.epoch,
    threshold: roster.threshold,
    people,
    tenants: [...state.tenants.values()].map((tenant) => tenantRow(state, tenant, now)),
    runtimes: [...state.runtimes.values()].map(runtimeRow),
    backups: [...state.backups.values()].map(({ number, holder, place, at, openedAt }) => ({
      number,
      holder,
      place,
      at,
      tested: openedAt !== null,
    })),
    holds: [...state.holds.values()].map(({ hold, reason, kids, at }) => ({ hold, reason, keys: kids.length, at })),
    attention: attentionOf(state, people, now, tail),
    openCeremony: standing(state),
  }
}

function tenantRow(state: VaultState, tenant: Tenant, now: number): TenantRow {
  const { tenant: id, name, issuer, reserved, offboarded } = tenant
  const usable = keysOf(state, id, { usable: true }).filter((key) => !key.standby)
  return {
    tenant: id,
    name,
    issuer,
    reserved,
    offboardedAt: offboarded?.at ?? null,
    signsUntil: offboarded ? null : (usable.at(-1)?.times.signUntil ?? null),
    nextKeyDue: nextKeyDue(state, tenant, now),
    keys: keysOf(state, id)
      .filter((key) => !key.destroyed && key.times.removeAt > now)
      .map(drawn),
  }
}

export const drawn = ({
  kid,
  label,
  spec,
  times,
  standby,
  compromised,
  destroyed,
}: VaultKey): TenantRow['keys'][number] => {
  const { announceAt, signFrom, signUntil, extendUntil, removeAt } = times
  return {
    kid,
    label,
    spec,
    times: { announceAt, signFrom, signUntil, extendUntil, removeAt },
    standby: standby === true,
    compromisedAt: compromised?.at ?? null,
    destroyedAt: destroyed?.at ?? null,
  }
}

const runtimeRow = ({ runtimeId, environment, handoffs, receipts }: Runtime): Overview['runtimes'][number] => {
  const left = handoffs.filter(({ exported }) => exported)
  return {
    runtimeId,
    environment,
    handoffs: left.length,
    lastHandoffAt: left.at(-1)?.exported?.at ?? null,
    lastReceiptAt: receipts.statements.at(-1)?.at ?? null,
  }
}

/** The ceremony that is open, and where it stands. */
function standing(state: VaultState): Overview['openCeremony'] {
  const open = openCeremony(state)
  if (!open) return null
  const script = SCRIPTS[open.kind]
  const done = open.done.map(({ step }) => step)
  const next = script.find(({ id }) => !done.includes(id))
  return {
    ceremony: open.id,
    kind: open.kind,
    startedAt: open.startedAt,
    done: done.length,
    of: script.length + 1,
    next: next?.title ?? SIGN_OFF.title,
    mustFinish: cannotCloseAfter(open) !== null,
  }
}
