import type { LoggedEvent } from '../../shared/domain/events.ts'
import { emptyState, evolve, type VaultState } from '../../shared/domain/state.ts'
import { KeyriteError, must } from '../../shared/errors.ts'
import { digest } from '../../shared/formats/bytes.ts'
import { openCheckpoint } from '../../shared/formats/checkpoint.ts'
import { CHAIN_START } from '../../shared/formats/event.ts'
import { canonicalText } from '../../shared/formats/json.ts'
import type { StatementKey } from '../../shared/formats/jws.ts'
import { openRoster, type Roster } from '../../shared/formats/roster.ts'
import { type Anchor, openTrustAnchor } from '../../shared/formats/trust-anchor.ts'
import type { EncryptedDatabase } from '../sqlite/database.ts'
import { brokenAt, readChain } from './log.ts'

/** Reading a vault's history back, and every check that does not need a private key. */

/** One digest for the whole table of sealed blobs: their ids and digests, in order. */
export const sealedDigest = (sealed: ReadonlyMap<string, string>): string =>
  digest(canonicalText([...sealed].sort(([a], [b]) => (a < b ? -1 : 1))))

export type History = { state: VaultState; anchor: Anchor; roster: Roster; checkpoints: number }

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
  {
    everyCheckpoint = false,
    onEvent = () => {},
  }: { everyCheckpoint?: boolean; onEvent?: (event: LoggedEvent, state: VaultState) => void } = {},
): Promise<History> {
  const anchor = await openTrustAnchor(anchorJws)
  const state = emptyState(CHAIN_START)
  let moments: Moment[] = []
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
    }
    if (logged.at < state.lastAt) throw brokenAt(logged.seq, 'it is older than the one before')
    evolve(state, logged)
    onEvent(logged, state)
  }
  must(
    state.anchor === anchorJws && state.vaultId === anchor.vaultId,
    'vault-history-broken',
    'The list of people and the history name different roots.',
  )
  for (const moment of moments) await checkMoment(moment, anchor)
  checkBlobs(db, state)
  return {
    state,
    anchor,
    roster: await rosterOf(state.roster, anchor.key, anchor.practice),
    checkpoints: moments.length,
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

async function rosterOf(jws: string, root: StatementKey, practice: boolean): Promise<Roster> {
  try {
    return await openRoster(jws, root, practice)
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
