import { KeyriteError } from '../errors.ts'
import type { EventOf, LoggedEvent, RestoreTrial } from './events.ts'
import type { VaultState } from './state.ts'

/** The part of the fold that is about copies of the vault: backups, restoring from one, and what was found of old ones. */

/** One numbered backup. Whatever was superseded by it or supersedes it, it holds its keys until it is destroyed. */
export type Backup = {
  number: number
  holder: string
  place: string
  replaces: number[]
  at: number
  ceremony: string | null
  /** The epoch whose shares open it, for ever. */
  epoch: number
  /** The checkpointed state that it holds. */
  seq: number
  head: string
  /** The private keys in it. */
  kids: ReadonlySet<string>
  /** What was written; null while only the intent is known: a copy may be there all the same. */
  made: { folder: string; files: Record<string, string>; at: number } | null
  /** When a quorum opened it once. */
  openedAt: number | null
}

/** The vault that is in force came from a backup; the one before is dead. */
export type Restored = {
  backup: number
  at: number
  ceremony: string | null
  reason: string
  /** Where the copy ended, and the last event that a runtime knew of the vault that was lost. */
  seq: number
  seen: number
  /** The private keys that were in the copy, and so in the vault that was lost. */
  kids: ReadonlySet<string>
}

/** A bundle that a runtime imported and this vault never exported: the vault that was lost did. */
export type ForeignImport = {
  runtimeId: string
  number: number
  manifest: string
  at: number
  /** How many private keys came with it; which ones, no receipt says. */
  keys: number
  /** The transport key that the runtime erased after it. */
  transportKey: string | null
}

export type Trial = RestoreTrial & { at: number; ceremony: string | null }

/** A key that this copy brought back although a root-signed certificate says that it was destroyed. */
export type Elsewhere = { certificate: string; at: number }

export type CopiesState = {
  /** Ceremony -> the keys it is about, fixed before they were confirmed. */
  chosen: Map<string, string[]>
  trials: Trial[]
  backups: Map<number, Backup>
  restores: Restored[]
  /** Runtimes whose newest receipts are not in since the vault was restored: nothing is exported until they are. */
  awaited: Set<string>
  /** Runtimes to which the vault that was lost may have signed one more bundle: its number is left out. */
  skips: Set<string>
  foreign: ForeignImport[]
  elsewhere: Map<string, Elsewhere>
  inventories: { id: string; statement: string; at: number }[]
}

export const noCopies = (): CopiesState => ({
  chosen: new Map(),
  trials: [],
  backups: new Map(),
  restores: [],
  awaited: new Set(),
  skips: new Set(),
  foreign: [],
  elsewhere: new Map(),
  inventories: [],
})

export type CopyEvent = EventOf<
  | 'keys-chosen'
  | 'restore-tried'
  | 'backup-intended'
  | 'backup-made'
  | 'backup-opened'
  | 'vault-restored'
  | 'inventory-taken'
>

type Logged = Pick<LoggedEvent, 'seq' | 'at'> & { event: CopyEvent; ceremony: string | null }

/** Folds one event about copies. Code `vault-history-broken` for one that cannot follow. */
export function applyCopies(state: VaultState, { seq, at, event, ceremony }: Logged): void {
  switch (event.type) {
    case 'keys-chosen':
      if (event.ceremony !== ceremony || state.chosen.has(event.ceremony))
        broken(seq, 'the keys of a destruction are chosen once, in its own ceremony')
      state.chosen.set(event.ceremony, event.kids)
      return
    case 'restore-tried':
      for (const trial of event.trials) state.trials.push({ ...trial, at, ceremony })
      return
    case 'backup-intended':
      return intend(state, event, { seq, at, ceremony })
    case 'backup-made': {
      const { folder, files } = event
      backupOf(state, event.number, seq).made = { folder, files, at }
      return
    }
    case 'backup-opened':
      backupOf(state, event.number, seq).openedAt = at
      return
    case 'vault-restored':
      return restore(state, event, at, ceremony)
    case 'inventory-taken':
      state.inventories.push({ id: event.inventory, statement: event.statement, at })
      return
  }
}

function intend(
  state: VaultState,
  { number, holder, place, replaces, seq: held, head }: EventOf<'backup-intended'>,
  { seq, at, ceremony }: { seq: number; at: number; ceremony: string | null },
): void {
  const known = state.backups.get(number)
  if (known && (known.made || known.ceremony !== ceremony)) broken(seq, 'a backup is made twice')
  const { epoch } = state
  const kids = privateKeysIn(state)
  const made = {
    number,
    holder,
    place,
    replaces,
    at,
    ceremony,
    epoch,
    seq: held,
    head,
    kids,
    made: null,
    openedAt: null,
  }
  state.backups.set(number, made)
}

/** The lost vault held the same keys, and whatever it did after the copy was made only receipts can tell. */
function restore(
  state: VaultState,
  { backup: number, reason, seq, head, seen, dead, elsewhere }: EventOf<'vault-restored'>,
  at: number,
  ceremony: string | null,
): void {
  for (const { kid, certificate, at: then } of elsewhere) state.elsewhere.set(kid, { certificate, at: then })
  // A second plan for the same restore only brings what was missing in the first.
  if (state.restores.some((one) => one.backup === number)) return leaveOut(state, dead)
  const kids = privateKeysIn(state)
  state.restores.push({ backup: number, at, ceremony, reason, seq, seen, kids })
  // The copy itself was made before its own backup was recorded, so it does not know of it.
  if (!state.backups.has(number))
    state.backups.set(number, {
      number,
      holder: 'Administrator',
      place: 'Brought to this restore',
      replaces: [],
      at,
      ceremony,
      epoch: state.epoch,
      seq,
      head,
      kids,
      made: null,
      openedAt: at,
    })
  for (const id of state.runtimes.keys()) {
    state.awaited.add(id)
    state.skips.add(id)
  }
  leaveOut(state, dead)
}

function leaveOut(state: VaultState, dead: readonly string[]): void {
  for (const id of dead) state.awaited.delete(id)
}

/** What a runtime's receipts bring to light of the vault that was lost. */
export function noteReceipts(state: VaultState, { runtimeId, statements }: EventOf<'receipts-taken'>): void {
  state.awaited.delete(runtimeId)
  const handoffs = state.runtimes.get(runtimeId)?.handoffs ?? []
  statements.forEach(({ at, stated }, index) => {
    if (stated.type !== 'imported') return
    const { number, manifest, keys } = stated as { number?: unknown; manifest?: unknown; keys?: unknown }
    if (handoffs.some((one) => one.number === number && one.exported?.manifest === manifest)) return
    const after = statements[index + 1]?.stated
    const transportKey = after?.type === 'transport-key-erased' ? String(after.key) : null
    const known = state.foreign.find((one) => one.runtimeId === runtimeId && one.manifest === manifest)
    if (known) {
      known.keys += Number(keys)
      known.transportKey ??= transportKey
    } else
      state.foreign.push({
        runtimeId,
        number: Number(number),
        manifest: String(manifest),
        at,
        keys: Number(keys),
        transportKey,
      })
  })
}

const privateKeysIn = (state: VaultState): ReadonlySet<string> =>
  new Set([...state.keys.values()].filter((key) => !key.destroyed).map((key) => key.kid))

const backupOf = (state: VaultState, number: number, seq: number): Backup =>
  state.backups.get(number) ?? broken(seq, 'a backup was never intended')

function broken(seq: number, why: string): never {
  throw new KeyriteError('vault-history-broken', `Event ${seq} of the vault cannot follow the ones before it: ${why}.`)
}
