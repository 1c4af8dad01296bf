import { sign, verify } from 'node:crypto'
import type { LoggedEvent, VaultEvent } from '../../shared/domain/events.ts'
import { KeyriteError } from '../../shared/errors.ts'
import { fromBase64url, utf8 } from '../../shared/formats/bytes.ts'
import { CHAIN_START, encodeEvent, eventHash, eventSigningInput, parseEvent } from '../../shared/formats/event.ts'
import { type EncryptedDatabase, transact } from '../sqlite/database.ts'
import type { UnlockedPerson } from './people.ts'

/** The event log and the sealed blobs: the only two tables of a vault. */

const SCHEMA = `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
    prev TEXT NOT NULL, hash TEXT NOT NULL, signature TEXT
  ) STRICT;
  CREATE TABLE sealed (id TEXT PRIMARY KEY, blob BLOB NOT NULL) STRICT;
`

export type EventRow = {
  seq: number
  at: number
  actor: string
  type: string
  body: string
  prev: string
  hash: string
  signature: string | null
}

/** What a commit does to the sealed blobs. */
export type SealedChange = { put?: ReadonlyMap<string, Uint8Array>; remove?: readonly string[] }

export const createTables = (db: EncryptedDatabase): void => void db.exec(SCHEMA)

const INSERT = `INSERT INTO events (seq, at, actor, type, body, prev, hash, signature)
  VALUES (@seq, @at, @actor, @type, @body, @prev, @hash, @signature)`
const PUT = 'INSERT INTO sealed (id, blob) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET blob = excluded.blob'

export type Draft = { event: VaultEvent; at: number; actor: UnlockedPerson | null }

/**
 * Chains new events after `last` and signs those in which a person acts. Refuses an event that could not be read back:
 * once committed, it would close the vault for good.
 */
export function chain(vaultId: string, last: { seq: number; head: string }, drafts: readonly Draft[]): EventRow[] {
  const rows: EventRow[] = []
  let { seq, head } = last
  for (const { event, at, actor } of drafts) {
    const link = { seq: ++seq, at, actor: actor?.id ?? 'keyrite', body: encodeEvent(event), prev: head }
    parseEvent(link.body)
    head = eventHash(vaultId, link)
    const signature = actor ? sign(null, utf8(eventSigningInput(head)), actor.signingKey).toString('base64url') : null
    rows.push({ ...link, type: event.type, hash: head, signature })
  }
  return rows
}

/** Writes events and sealed changes in one transaction: all or nothing. */
export function append(
  db: EncryptedDatabase,
  rows: readonly EventRow[],
  { put = new Map(), remove = [] }: SealedChange,
): void {
  transact(db, 'vault', () => {
    const insert = db.prepare(INSERT)
    for (const row of rows) insert.run(row)
    for (const [id, blob] of put) db.prepare(PUT).run(id, blob)
    for (const id of remove) overwriteAndDelete(db, id)
  })
}

/** The blob is overwritten with zeros of the same length before its row goes; secure_delete clears the page besides. */
function overwriteAndDelete(db: EncryptedDatabase, id: string): void {
  db.prepare('UPDATE sealed SET blob = zeroblob(length(blob)) WHERE id = ?').run(id)
  db.prepare('DELETE FROM sealed WHERE id = ?').run(id)
}

export const readRows = (db: EncryptedDatabase): IterableIterator<EventRow> =>
  db
    .prepare<[], EventRow>('SELECT seq, at, actor, type, body, prev, hash, signature FROM events ORDER BY seq')
    .iterate()

/** Checks each row's place, link and type while reading. Code `vault-history-broken`, naming the first event that is wrong. */
export function* readChain(db: EncryptedDatabase, vaultId: string): Generator<LoggedEvent & { row: EventRow }> {
  let prev = CHAIN_START
  let seq = 0
  for (const row of readRows(db)) {
    seq++
    const link = eventHash(vaultId, row)
    if (row.seq !== seq || row.prev !== prev || row.hash !== link)
      throw brokenAt(Math.min(seq, row.seq), 'its link does not fit')
    const event = readable(row.body, seq)
    if (event.type !== row.type) throw brokenAt(seq, 'its type was changed')
    prev = link
    yield { seq, at: row.at, actor: row.actor, hash: row.hash, signature: row.signature, event, row }
  }
}

function readable(body: string, seq: number): VaultEvent {
  try {
    return parseEvent(body)
  } catch (cause) {
    throw new KeyriteError('vault-history-broken', `Event ${seq} of the vault is not one that Keyrite writes.`, {
      cause,
    })
  }
}

/** True when a person's signature over an event's link verifies. */
export const eventSignatureHolds = (logged: LoggedEvent, publicKey: Parameters<typeof verify>[2]): boolean =>
  logged.signature !== null &&
  SIGNATURE.test(logged.signature) &&
  verify(null, utf8(eventSigningInput(logged.hash)), publicKey, fromBase64url(logged.signature))
/** An Ed25519 signature in canonical base64url. */
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/

export const brokenAt = (seq: number, why: string): KeyriteError =>
  new KeyriteError('vault-history-broken', `Event ${seq} of the vault was changed, moved or removed: ${why}.`)
