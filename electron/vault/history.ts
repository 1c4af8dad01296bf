import type { EventOf, LoggedEvent } from '../../shared/domain/events.ts'
import { emptyState, evolve, type VaultState } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { checkApprovals } from '../../shared/formats/approval.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { CHAIN_START } from '../../shared/formats/event.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import { openRoster, type Roster } from '../../shared/formats/roster.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import { type EncryptedDatabase, sqliteError } from '../sqlite/database.ts'
import { Authority, type Relied } from './authority.ts'
import { brokenAt, readChain } from './log.ts'

/** Reading a vault's history back, and every check that does not need a private key. */

/** One digest for the whole table of sealed blobs: their ids and digests, in order. */
export const sealedDigest = (sealed: ReadonlyMap<string, string>): string =>
  digest(canonicalText([...sealed].sort(([a], [b]) => (a < b ? -1 : 1))))

export type History = { state: VaultState; anchor: Anchor; roster: Roster; checkpoints: number }

/** What M custodians sign when they accept events after the newest checkpoint: the whole history as it then was. */
export const tailAct = (from: number, to: number, head: string) => ({
  ceremony: 'tail',
  planDigest: head,
  step: `accept-tail-${from}-${to}`,
  objects: head,
})

/** An accepted tail, and the roster that was in force. */
type Acceptance = { seq: number; event: EventOf<'tail-accepted'>; roster: string }

type HistoryOptions = { everyCheckpoint?: boolean; onEvent?: (event: LoggedEvent, state: VaultState) => void }

/** What the state said at the event before a checkpoint; the root must have signed exactly that. */
type Moment = { seq: number; head: string; roster: string; sealed: string; statement: string; checkpointSeq: number }

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
  const anchor = await openTrustAnchor(anchorJws)
  const state = emptyState(CHAIN_START)
  let moments: Moment[] = []
  let acceptances: Acceptance[] = []
  const authority = new Authority()
  for (const logged of readChain(db, anchor.vaultId)) {
    if (logged.event.type === 'checkpoint') {
      const { seq, head, roster } = state
      const moment = {
        seq,
        head,
        roster: digest(roster),
        sealed: sealedDigest(state.sealed),
        statement: logged.event.statement,
        checkpointSeq: logged.seq,
      }
      moments = everyCheckpoint ? [...moments, moment] : [moment]
      // What stands before a checkpoint, the root has signed.
      if (!everyCheckpoint) acceptances = []
      authority.relied = []
    }
    if (logged.event.type === 'tail-accepted') {
      if (logged.event.head !== state.head || logged.event.to > state.seq)
        throw brokenAt(logged.seq, 'it accepts another history')
      acceptances.push({ seq: logged.seq, event: logged.event, roster: state.roster })
    }
    if (logged.at < state.lastAt) throw brokenAt(logged.seq, 'it is older than the one before')
    authority.see(logged, state)
    evolve(state, logged)
    onEvent(logged, state)
  }
  authority.end(state)
  must(
    state.anchor === anchorJws && state.vaultId === anchor.vaultId,
    'vault-history-broken',
    'The list of people and the history name different roots.',
  )
  for (const moment of moments) await checkMoment(moment, anchor)
  for (const acceptance of acceptances) await checkAcceptance(acceptance, anchor)
  for (const relied of authority.relied) await checkRelied(relied, anchor)
  checkBlobs(db, state)
  const roster = await rosterOf(state.roster, anchor)
  must(
    roster.epoch === state.epoch,
    'vault-history-broken',
    'The roster that the history names belongs to another epoch.',
  )
  return { state, anchor, roster, checkpoints: moments.length }
}

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
  const found = new Set<string>()
  for (const { id, blob } of db.prepare<[], { id: string; blob: Buffer }>('SELECT id, blob FROM sealed').iterate()) {
    must(
      state.sealed.get(id) === digest(blob),
      'vault-damaged',
      `The sealed blob ${id} is not the one that the history names.`,
    )
    found.add(id)
  }
  for (const id of state.sealed.keys()) must(found.has(id), 'vault-damaged', `The sealed blob ${id} is missing.`)
}
