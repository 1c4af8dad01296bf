import type { EventOf, LoggedEvent } from '../../shared/domain/events.ts'
import { emptyState, evolve, type VaultState } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { checkApprovals, tailAct } from '../../shared/formats/approval.ts'
import { type Accepted, Authority, type Relied } from '../../shared/formats/authority.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { checkAccepted } from '../../shared/formats/custody.ts'
import { CHAIN_START } from '../../shared/formats/event.ts'
import { brokenAt, SOFTWARE } from '../../shared/formats/log.ts'
import { openRoster, type Roster } from '../../shared/formats/roster.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { type EncryptedDatabase, sqliteError } from '../sqlite/database.ts'
import { newestCheckpoint, readChain } from './log.ts'
import { Roots, type Rotation } from './roots.ts'
import { SealedTable } from './sealed-table.ts'

/** Reading a vault's history back, and every check that does not need a private key. */

export type History = { state: VaultState; anchor: Anchor; roots: Roots; roster: Roster; checkpoints: number }

/** An accepted tail, and the roster that was in force. */
type Acceptance = { seq: number; event: EventOf<'tail-accepted'>; roster: string; anchor: string }

type HistoryOptions = { everyCheckpoint?: boolean; onEvent?: (event: LoggedEvent, state: VaultState) => void }

/** What the state said at the event before a checkpoint; the root must have signed exactly that. */
type Moment = {
  seq: number
  head: string
  roster: string
  sealed: string
  anchor: string
  statement: string
  checkpointSeq: number
}

/**
 * Folds the log and checks: the chain of every event, the root's signature over the newest checkpoint (over all of them
 * with `everyCheckpoint`) and that it fits, the roster's signature, and the digest of every sealed blob. Codes
 * `vault-history-broken` naming the event, `vault-damaged` naming the blob.
 */
export async function readHistory(
  db: EncryptedDatabase,
  anchorJws: string,
  options: HistoryOptions = {},
): Promise<History> {
  try {
    return await foldHistory(db, anchorJws, options)
  } catch (error) {
    // The statements are fixed: one that SQLite does not understand has met a file without the tables of a vault.
    const { code } = error as { code?: unknown }
    if (code === 'SQLITE_ERROR')
      throw new KeyriteError('vault-damaged', 'The file of this vault does not hold a vault.', { cause: error })
    throw sqliteError(error, 'vault', db.name)
  }
}

async function foldHistory(
  db: EncryptedDatabase,
  anchorJws: string,
  { everyCheckpoint = false, onEvent = () => {} }: HistoryOptions,
): Promise<History> {
  const { vaultId } = await openTrustAnchor(anchorJws)
  const sealed = new SealedTable()
  const state = { ...emptyState(CHAIN_START), sealed }
  const rotations: Rotation[] = []
  const moments: Moment[] = []
  const newest = newestCheckpoint(db)
  let acceptances: Acceptance[] = []
  const authority = new Authority()
  for (const logged of readChain(db, vaultId)) {
    if (logged.event.type === 'checkpoint') {
      if (everyCheckpoint || logged.seq === newest) {
        moments.push(momentOf(state, sealed.digest(), logged.seq, logged.event.statement))
      }
      // What stands before a checkpoint, the root has signed.
      if (!everyCheckpoint) acceptances = []
      authority.relied = []
      authority.accepted = []
    }
    if (logged.event.type === 'tail-accepted') {
      if (logged.event.head !== state.head || logged.event.to > state.seq)
        throw brokenAt(logged.seq, 'it accepts another history')
      const { roster, anchor } = state
      acceptances.push({ seq: logged.seq, event: logged.event, roster, anchor })
    }
    if (logged.event.type === 'root-rotated') {
      const { roster, anchor } = state
      rotations.push({ seq: logged.seq, event: logged.event, roster, anchor })
    }
    if (logged.at < state.lastAt) throw brokenAt(logged.seq, 'it is older than the one before')
    if (logged.actor === SOFTWARE && logged.event.type !== 'checkpoint')
      throw brokenAt(logged.seq, 'nobody says that they wrote it')
    authority.see(logged, state)
    evolve(state, logged)
    onEvent(logged, state)
  }
  authority.end(state)
  // A crash between a succession and the pruning leaves the anchor before in people.json.
  must(
    [state.anchor, state.pastAnchors.at(-1)?.anchor].includes(anchorJws) && state.vaultId === vaultId,
    'vault-history-broken',
    'The list of people and the history name different roots.',
  )
  const roots = await Roots.open(rotations[0]?.anchor ?? state.anchor, rotations)
  const anchor = roots.of(state.anchor)
  for (const moment of moments) await checkMoment(moment, roots.of(moment.anchor))
  for (const acceptance of acceptances) await checkAcceptance(acceptance, roots.of(acceptance.anchor))
  for (const relied of authority.relied) await checkRelied(relied, roots.of(relied.anchor))
  for (const accepted of authority.accepted) await checkWelcome(accepted, vaultId)
  checkBlobs(db, state)
  const roster = await rosterOf(state.roster, anchor)
  must(
    roster.epoch === state.epoch,
    'vault-history-broken',
    'The roster that the history names belongs to another epoch.',
  )
  return { state, anchor, roots, roster, checkpoints: moments.length }
}

const momentOf = (state: VaultState, sealed: string, checkpointSeq: number, statement: string): Moment => ({
  seq: state.seq,
  head: state.head,
  anchor: state.anchor,
  roster: digest(state.roster),
  sealed,
  statement,
  checkpointSeq,
})

/** An acceptance counts only with the approvals of M custodians: one person alone could write the event. */
async function checkAcceptance({ seq, event, roster: jws }: Acceptance, anchor: Anchor): Promise<void> {
  const roster = await rosterOf(jws, anchor)
  const act = tailAct(event.from, event.to, event.head)
  try {
    await checkApprovals(event.approvals, { vaultId: anchor.vaultId, epoch: roster.epoch, ...act }, roster)
  } catch (cause) {
    throw new KeyriteError('vault-history-broken', `Event ${seq} accepts a tail without the approval of a quorum.`, {
      cause,
    })
  }
}

/** Approvals after the newest checkpoint: the root has not signed them yet, so their signatures are checked one by one. */
async function checkRelied({ seq, approval, planDigest, roster: jws }: Relied, anchor: Anchor): Promise<void> {
  const roster = await rosterOf(jws, anchor)
  const { ceremony, step, objects, approvals } = approval
  try {
    await checkApprovals(
      approvals,
      { vaultId: anchor.vaultId, epoch: roster.epoch, ceremony, planDigest, step, objects },
      roster,
    )
  } catch (cause) {
    throw new KeyriteError(
      'vault-history-broken',
      `Event ${seq} claims the approval of a quorum that did not give it.`,
      { cause },
    )
  }
}

/** The same for a roster that its own custodians approved. */
async function checkWelcome({ seq, event, planDigest, pending }: Accepted, vaultId: string): Promise<void> {
  try {
    await checkAccepted(event, pending, { vaultId, planDigest })
  } catch (cause) {
    throw new KeyriteError(
      'vault-history-broken',
      `Event ${seq} claims the approval of new custodians who did not give it.`,
      {
        cause,
      },
    )
  }
}

async function checkMoment(moment: Moment, anchor: Anchor): Promise<void> {
  try {
    const said = await openCheckpoint(moment.statement, anchor.key, anchor.practice)
    const same = said.vaultId === anchor.vaultId && said.seq === moment.seq && said.head === moment.head
    if (same && said.roster === moment.roster && said.sealed === moment.sealed) return
  } catch (cause) {
    throw new KeyriteError(
      'vault-history-broken',
      `The root did not sign the checkpoint at event ${moment.checkpointSeq}.`,
      { cause },
    )
  }
  throw new KeyriteError(
    'vault-history-broken',
    `The history up to event ${moment.seq} is not the one that the root signed at event ${moment.checkpointSeq}.`,
  )
}

/** A roster that the history names. Code `vault-history-broken` unless the root signed it for this vault. */
export async function rosterOf(jws: string, anchor: Anchor): Promise<Roster> {
  try {
    const roster = await openRoster(jws, anchor.key, anchor.practice)
    must(roster.vaultId === anchor.vaultId, 'vault-mismatch', 'The roster is of another vault.')
    return roster
  } catch (cause) {
    throw new KeyriteError('vault-history-broken', 'The root did not sign the list of people that the history names.', {
      cause,
    })
  }
}

function checkBlobs(db: EncryptedDatabase, state: VaultState): void {
  let found = 0
  for (const { id, blob } of db.prepare<[], { id: string; blob: Buffer }>('SELECT id, blob FROM sealed').iterate()) {
    if (state.sealed.get(id) !== digest(blob))
      throw new KeyriteError('vault-damaged', `The sealed blob ${id} is not the one that the history names.`)
    found += 1
  }
  // Each row has an id of its own that the history names: as many rows as names are all of them.
  if (found === state.sealed.size) return
  const held = db.prepare('SELECT 1 FROM sealed WHERE id = ?')
  for (const id of state.sealed.keys()) must(held.get(id), 'vault-damaged', `The sealed blob ${id} is missing.`)
}
