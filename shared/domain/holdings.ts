import type { StatedByRuntime } from './events.ts'
import type { Runtime, VaultState } from './state.ts'

/** What a runtime holds, by its own receipts: private halves, and the backups that it made of all of them. */

/** From receipt `from` on, until receipt `to` said that it was erased. */
export type Span = { from: number; to: number | null }
export type RuntimeBackup = { backup: string; storageKey: string; seq: number; at: number }
export type Rotation = { from: string; seq: number; at: number }

export type Holdings = {
  keys: ReadonlyMap<string, readonly Span[]>
  backups: readonly RuntimeBackup[]
  rotations: readonly Rotation[]
}

type Known = {
  keys: Map<string, Span[]>
  backups: RuntimeBackup[]
  rotations: Rotation[]
  /** How many statements are read, and how many restores of the vault were known then. */
  read: number
  restores: number
}

/** Receipts are only ever added, so each is read once. */
const KNOWN = new WeakMap<readonly StatedByRuntime[], Known>()

/** What a runtime's receipts say that it holds, and held when. */
export function holdingsOf(state: VaultState, runtime: Runtime): Holdings {
  const { statements } = runtime.receipts
  const restores = state.restores.length
  const before = KNOWN.get(statements)
  const known =
    before?.restores === restores ? before : { keys: new Map(), backups: [], rotations: [], read: 0, restores }
  for (; known.read < statements.length; known.read++) {
    const statement = statements[known.read]
    if (statement) note(known, statement, state, runtime)
  }
  KNOWN.set(statements, known)
  return known
}

/** True where the runtime held the key when it made this backup. */
export const isIn = (spans: readonly Span[] | undefined, { seq }: RuntimeBackup): boolean =>
  spans?.some(({ from, to }) => from < seq && (to === null || seq < to)) ?? false

function note(known: Known, { seq, at, stated }: StatedByRuntime, state: VaultState, runtime: Runtime): void {
  const kid = String(stated['kid'])
  switch (stated.type) {
    case 'imported':
      if (stated['keys'] !== 0)
        for (const one of broughtBy(state, runtime, String(stated['manifest']))) begin(known, one, seq)
      return
    case 'envelope-opened':
      return begin(known, kid, seq)
    case 'phase':
      return stated['phase'] === 'signing' ? begin(known, kid, seq) : undefined
    case 'erased':
      for (const span of known.keys.get(kid) ?? []) span.to ??= seq
      return
    case 'backup-made':
      known.backups.push({ backup: String(stated['backup']), storageKey: String(stated['storageKey']), seq, at })
      return
    case 'storage-key-rotated':
      known.rotations.push({ from: String(stated['from']), seq, at })
      return
    case 'restored':
      return takeBack(known, stated, seq)
  }
}

function begin({ keys }: Known, kid: string, seq: number): void {
  const spans = keys.get(kid) ?? []
  if (spans.at(-1)?.to !== null) spans.push({ from: seq, to: null })
  keys.set(kid, spans)
}

/** A restored runtime has again what it held at the receipt where its copy ended, and what was in its backup. */
function takeBack(known: Known, stated: StatedByRuntime['stated'], seq: number): void {
  const backup = known.backups.find((one) => one.backup === stated['backup'])
  const ended = Number(stated['fromSeq'])
  const heldThen = ({ from, to }: Span) => from <= ended && (to === null || ended < to)
  for (const [kid, spans] of known.keys)
    if (spans.some(heldThen) || (backup && isIn(spans, backup))) begin(known, kid, seq)
}

/** The keys that came with a bundle. What the vault that was lost sent, nobody knows: any key that it had. */
function broughtBy(state: VaultState, { handoffs }: Runtime, manifest: string): string[] {
  const own = handoffs.find(({ exported }) => exported?.manifest === manifest)
  return own ? own.keys : state.restores.flatMap(({ kids }) => [...kids])
}
