import { sign } from 'node:crypto'
import type { LoggedEvent, VaultEvent } from '../../shared/domain/events.ts'
import { utf8 } from '../../shared/formats/bytes.ts'
import { CHAIN_START, encodeEvent, eventHash, eventSigningInput, parseEvent } from '../../shared/formats/event.ts'
import { brokenAt, followRow, type LogRow } from '../../shared/formats/log.ts'
import { type EncryptedDatabase, openDatabase, transact } from '../sqlite/database.ts'
import type { UnlockedPerson } from './people.ts'

/** The event log and the sealed blobs: the only two tables of a vault. */

const SCHEMA = `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
    prev TEXT NOT NULL, hash TEXT NOT NULL, signature TEXT
  ) STRICT;
  CREATE TABLE sealed (id TEXT PRIMARY KEY, blob BLOB NOT NULL) STRICT;
`

export type EventRow = LogRow & { type: string }
/** A row about to be written, with its event as it will be read back. */
export type NewRow = EventRow & { event: VaultEvent }

/** What a commit does to the sealed blobs. */
export type SealedChange = { put?: Iterable<[string, Uint8Array]>; remove?: readonly string[] }

export const openVaultFile = (path: string, key: Uint8Array, create = false): EncryptedDatabase =>
  openDatabase({ path, key, profile: 'vault', what: 'vault', create })

export const createTables = (db: EncryptedDatabase): void => transact(db, 'vault', () => void db.exec(SCHEMA))

const INSERT = `INSERT INTO events (seq, at, actor, type, body, prev, hash, signature)
  VALUES (@seq, @at, @actor, @type, @body, @prev, @hash, @signature)`
const PUT = 'INSERT INTO sealed (id, blob) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET blob = excluded.blob'

export type Draft = { event: VaultEvent; at: number; actor: UnlockedPerson | null }

/**
 * Chains new events after `last` and signs those in which a person acts. Refuses an event that could not be read back:
 * once committed, it would close the vault for good.
 */
export function chain(vaultId: string, last: { seq: number; head: string }, drafts: readonly Draft[]): NewRow[] {
  const rows: NewRow[] = []
  let { seq, head } = last
  for (const { event, at, actor } of drafts) {
    const link = { seq: ++seq, at, actor: actor?.id ?? 'keyrite', body: encodeEvent(event), prev: head }
    const readBack = parseEvent(link.body)
    head = eventHash(vaultId, link)
    const signature = actor ? sign(null, utf8(eventSigningInput(head)), actor.signingKey).toString('base64url') : null
    rows.push({ ...link, type: event.type, hash: head, signature, event: readBack })
  }
  return rows
}

/** Writes events and sealed changes in one transaction: all or nothing. Nothing either when `last`, its last act, throws. */
export function append(
  db: EncryptedDatabase,
  rows: Iterable<EventRow>,
  { put = [], remove = [] }: SealedChange,
  last = () => {},
): void {
  transact(db, 'vault', () => {
    const insert = db.prepare(INSERT)
    for (const row of rows) insert.run(row)
    const putRow = db.prepare(PUT)
    for (const [id, blob] of put) putRow.run(id, blob)
    for (const id of remove) overwriteAndDelete(db, id)
    last()
  })
}

/** The blob is overwritten with zeros of the same length before its row goes; secure_delete clears the page besides. */
function overwriteAndDelete(db: EncryptedDatabase, id: string): void {
  db.prepare('UPDATE sealed SET blob = zeroblob(length(blob)) WHERE id = ?').run(id)
  db.prepare('DELETE FROM sealed WHERE id = ?').run(id)
}

/** Every row in order. The query begins with the first row asked for: one that nobody reads would keep the database busy. */
export function* readRows(db: EncryptedDatabase): Generator<EventRow> {
  yield* db
    .prepare<[], EventRow>('SELECT seq, at, actor, type, body, prev, hash, signature FROM events ORDER BY seq')
    .iterate()
}

/** The rows from `from` to `to`, without what only the table keeps beside them. */
export const readRange = (db: EncryptedDatabase, from: number, to: number): IterableIterator<LogRow> =>
  db
    .prepare<[number, number], LogRow>(
      'SELECT seq, at, actor, body, prev, hash, signature FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq',
    )
    .iterate(from, to)

/** Where the newest checkpoint claims to stand; 0 without one. Its row is checked when it is read in its place. */
export const newestCheckpoint = (db: EncryptedDatabase): number =>
  db.prepare<[], { seq: number }>("SELECT seq FROM events WHERE type = 'checkpoint' ORDER BY seq DESC LIMIT 1").get()
    ?.seq ?? 0

/** Checks each row's place, link and type while reading. Code `vault-history-broken`, naming the first event that is wrong. */
export function* readChain(db: EncryptedDatabase, vaultId: string): Generator<LoggedEvent & { row: EventRow }> {
  let last = { seq: 0, head: CHAIN_START }
  for (const row of readRows(db)) {
    const logged = followRow(vaultId, last, row)
    if (logged.event.type !== row.type) throw brokenAt(logged.seq, 'its type was changed')
    last = { seq: logged.seq, head: logged.hash }
    yield { ...logged, row }
  }
}
